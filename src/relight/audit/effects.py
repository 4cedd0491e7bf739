"""I5: each effect comes from one recorded decision; its key is its own, and every attempt is on record."""

from collections.abc import Iterator

from relight.audit.asking import Question, ask
from relight.audit.reading import Reading, statements
from relight.audit.report import Violation

SQL = statements("effects.sql")
_ASK_DRIVER = "Find out from the driver's log what reached the outside, and how the second one came to leave."
QUESTIONS = (
    Question(
        "undecided",
        "Effect {key} ({kind}) says that this event decided it, and {wrong}.",
        "Find out who wrote the effect: nothing but a recorded decision may.",
    ),
    Question(
        "unlogged_step",
        "Step {step} is kept as taken at this number, and the log has no such event.",
        "Restore the log from a backup or a reader of the feed; events are never deleted.",
    ),
    Question(
        "foreign_key",
        "Effect {key} has a key that is not made of its partner, case and event.",
        "Find out who wrote the effect: nothing but a recorded decision may.",
    ),
    Question("key_twice", "{times} effects have the key {key}; the outside takes them for one.", _ASK_DRIVER),
    Question(
        "misnumbered",
        "Effect {key} counts {attempts} attempts, and {n} are on record, numbered {first} to {last}.",
        "Restore the attempts from a backup; every one must be on record before anything leaves.",
    ),
    Question("after_the_end", "Attempt {number} at effect {key} began, and {wrong}.", _ASK_DRIVER),
    Question(
        "disagrees",
        "Effect {key} is {state}, and its last attempt is {result}.",
        "Read the device or the channel back, and write the outcome that is true.",
    ),
    Question(
        "two_commands",
        "Command {key} for service {service_ref} left while {other} was still on its way.",
        "Read the service back: nobody knows which of the two it obeyed last.",
    ),
    Question(
        "superseded",
        "Command {key} took service {service_ref} to {level} after a newer decision wanted {newer}.",
        "Read the service back, and see that it is as the newest decision wants it.",
    ),
    Question(
        "silent",
        "Effect {key} ({kind}) was given up ({why}), and no task tells a person.",
        "Do what the effect was to do, or give it to somebody; then find out why nobody was told.",
    ),
    Question(
        "unwritten",
        "Message {key} ({template}, {channel}) left, and there is no record of what was sent to whom.",
        "Ask the channel what it sent; the record must be there before anything leaves.",
    ),
)


def look(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """How many effects and attempts were looked at, and what is wrong with them."""
    return reading.count(SQL.count), ask(reading, SQL, "I5", QUESTIONS)
