"""I1: an accepted payment is never lost and counts once, whatever is retried, replayed or killed."""

from collections.abc import Iterator

from relight.audit.asking import Question, ask
from relight.audit.reading import Reading, statements
from relight.audit.report import Violation

SQL = statements("payments.sql")
QUESTIONS = (
    Question(
        "miscounted",
        "Payment {ref} of {amount_sum} {wrong}.",
        "Compare the payment with its source, and post what is missing or take back what is too much.",
    ),
    Question(
        "astray",
        "Payment {ref} of {amount_sum}, which lay on no account or which a person placed, {wrong}.",
        "Follow its transfers by their numbers, and post what is missing; nothing on the ledger is changed.",
    ),
    Question(
        "notice_lost",
        "{provider} said in {event_id} that {amount_sum} came for {provider_ref}, and no payment counts for it.",
        "Ask the provider about this payment and book it; the customer has paid.",
    ),
    Question(
        "told_twice",
        "Payment {ref} of source {source} is there {times} times; the same payment told twice is one.",
        "Find out which row is the payment, and put the key on source and reference back.",
    ),
    Question(
        "notice_twice",
        "Event {event_id} of {provider} was kept {times} times; a replay changes nothing.",
        "Put the key on provider and event back, and look for what was booked twice.",
    ),
    Question(
        "unseen",
        "Payment {ref} of {amount_sum} is {state}, the case was decided since, and no decision has seen it.",
        "Wake the case, and find out why its facts were read without the payment.",
    ),
)


def look(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """How many payments and notices were looked at, and what is wrong with them."""
    return reading.count(SQL.count), ask(reading, SQL, "I1", QUESTIONS)
