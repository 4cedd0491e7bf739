"""I4: who has paid gets restored: at once, until it is so, or a person sees an alarm."""

from collections.abc import Iterator

from relight.audit.asking import Question, ask
from relight.audit.reading import Reading, statements
from relight.audit.report import Violation

PATIENCE = "5 minutes"  # a restore is repeated within a minute each time, and a person is told after three attempts
SQL = statements("restores.sql")
_BY_HAND = "Give the service back by hand now, then find out why Relight did not."
QUESTIONS = (
    Question(
        "not_back",
        "Service {service_ref} is to be {desired} since {desired_at} and was last seen as {observed}; nothing is on its"
        " way, and no person was told.",
        _BY_HAND,
    ),
    Question(
        "unfounded",
        "Service {service_ref} is to be {desired} since {desired_at}, and nothing stands that says why.",
        _BY_HAND,
    ),
    Question(
        "unanswered",
        "It was decided to give service {service_ref} back after it was set to {level}, and no command followed.",
        _BY_HAND,
    ),
    Question(
        "late",
        "The restore of service {service_ref} left {seconds} seconds after it could have; it leaves within one.",
        "Look at what the worker did in that moment: was it stopped, or busy?",
    ),
    Question("never_left", "The restore of service {service_ref} has waited {age} and has not left.", _BY_HAND),
    Question(
        "still_blocked",
        "Service {service_ref} is blocked for arrears ({level}, since {starts_at}), and nothing is owed.",
        _BY_HAND,
    ),
)


def look(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """How many decisions and services were looked at, and who has not got the service back."""
    return reading.count(SQL.count), ask(reading, SQL, "I4", QUESTIONS, patience=PATIENCE)
