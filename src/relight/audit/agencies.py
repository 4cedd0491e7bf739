"""Agencies: money with them is all of what they received (I2), and what they have is left to them by law (I9)."""

from collections.abc import Iterator

from relight.audit.asking import Question, ask
from relight.audit.reading import Reading, statements
from relight.audit.report import Violation

SQL = statements("agencies.sql")
_CORRECT = "Find the write that moved one without the other, and post a correction; nothing on the ledger is changed."
MONEY = (
    Question(
        "unheld",
        "Payment {ref} of {amount_sum} came through {name}; {held_sum} of it is kept as lying with the agency.",
        _CORRECT,
    ),
    Question("overdrawn", "Of payment {ref} the agency held {held_sum}, and {settled_sum} was settled.", _CORRECT),
    Question(
        "fee",
        "Account {ref} bears {fee_sum} of an agency's fees; {agreed_sum} was agreed for what was settled.",
        "Post the difference back: it is what the agency owes.",
    ),
)
LAW = (
    Question(
        "unregistered",
        "Claims went to {title} on {day}, and nobody had found it in the register by then.",
        "Look into the register, and call the claims back from an agency that is not in it.",
    ),
    Question(
        "disturbed",
        "Step {step} was taken for claim {number} while {title} had it.",
        "Void the step, and find out what let it be taken.",
    ),
    Question(
        "unrecalled",
        "Case {ref} is paid since {paid_at:%Y-%m-%d %H:%M}, and it was not called back from {title}.",
        "Call it back now: nobody is asked for what he has paid.",
    ),
)


def look_at_money(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """How many hand-overs and settled payments were looked at, and what is wrong with the money."""
    return reading.count(SQL.count), ask(reading, SQL, "I2", MONEY)


def look(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """How many were looked at, and what of them the law, or the customer, would not forgive."""
    return reading.count(SQL.count), ask(reading, SQL, "I9", LAW)
