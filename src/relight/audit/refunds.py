"""Refunds (I2): what left the ledger for its payers is what refunds say, and two people said so."""

from collections.abc import Iterator

from relight.audit.asking import Question, ask
from relight.audit.reading import Reading, statements
from relight.audit.report import Violation

SQL = statements("refunds.sql")
QUESTIONS = (
    Question(
        "refund_sum",
        "Of payment {ref}, refunds say that {taken_sum} was taken to go back and that {gone_sum} left; its transfers"
        " come to {moved_sum} and {left_sum}.",
        "Compare the refunds with the bank's and the provider's lists, and post what is missing or take it back.",
    ),
    Question(
        "refund_alone",
        "Refund {id} of {amount_sum}, which {asked_by} asked for, was granted by nobody else.",
        "Find the write that passed by the database's refusal, and let a second person look at the refund.",
    ),
)


def look(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """How many refunds were looked at, and what is wrong with them."""
    return reading.count(SQL.count), ask(reading, SQL, "I2", QUESTIONS)
