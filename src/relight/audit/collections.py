"""Bills that are collected by mandates: their money counts (I1), they are held meanwhile (I3), and nobody is written to
about them (I8)."""

from collections.abc import Iterator

from relight.audit.asking import Question, ask
from relight.audit.reading import Reading, statements
from relight.audit.report import Violation

SQL = statements("collections.sql")
MONEY = (
    Question(
        "uncollected",
        "Collection {ref} of {amount_sum} {wrong}.",
        "Compare it with the bank's file, and end the collection as it really went.",
    ),
)
HELD = (
    Question(
        "unheld",
        "Bill {number} is being collected until {until} ({ref}), and nothing keeps it from being followed up.",
        "Put the bill on hold until then, and look for what ended its hold.",
    ),
)
SILENT = (
    Question(
        "asked_meanwhile",
        "Message {template} about bill {number} left on {day}, while the bill was being collected.",
        "Apologise to the customer, and find out why the message left.",
    ),
    Question(
        "not_told",
        "{amount_sum} were ordered from the customer's account for {day} ({ref}), and {wrong}.",
        "Tell the customer now, call the collection back while that can be, and find out why it was ordered.",
    ),
)


def look_at_money(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """How many collections were looked at, and which do not agree with their payments."""
    return reading.count(SQL.count), ask(reading, SQL, "I1", MONEY)


def look_at_holds(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """The same for what keeps their bills from being followed up."""
    return reading.count(SQL.count), ask(reading, SQL, "I3", HELD)


def look_at_messages(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """The same for messages that left all the same."""
    return reading.count(SQL.count), ask(reading, SQL, "I8", SILENT)
