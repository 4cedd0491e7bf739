"""The books (I2): closed months stay as they were, what is paid over is listed, and two people write off or forgive."""

from collections.abc import Iterator

from relight.audit.asking import Question, ask
from relight.audit.reading import Reading, statements
from relight.audit.report import Violation

SQL = statements("books.sql")
_CLOSED = (
    "Find out who wrote past the database's refusal; run relight books check to see which days and balances moved."
)
_ANSWER = "Undo it, and let a second person answer."
QUESTIONS = (
    Question(
        "month_changed",
        "{month} was closed with {kept} transfers; it holds {holds}, of which {late} came later.",
        _CLOSED,
    ),
    Question(
        "month_unbalanced",
        "At the end of {month}, {ledger} was kept as {kept_sum}; its transfers until then come to {moved_sum}.",
        _CLOSED,
    ),
    Question(
        "remitted_wrong",
        "Remittance {id} is of {amount_sum}; what it lists comes to {items_sum}.",
        "Compare the list with what the bank paid, and pay over or take off the difference next time.",
    ),
    Question(
        "remitted_unlisted",
        "Transfer {id} paid {amount_sum} over to a creditor, and no remittance lists it.",
        "Find the write that posted without its list, and reverse it.",
    ),
    Question("act_alone", "Act {id} ({kind}, {amount_sum}) was posted without another person's yes.", _ANSWER),
    Question(
        "act_sum",
        "Act {id} ({kind}) is of {amount_sum}; its transfers come to {posted_sum}.",
        "Find the write that moved one without the other, and post a correction.",
    ),
)


def look(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """How many closed months, remittances and acts were looked at, and what is wrong with them."""
    return reading.count(SQL.count), ask(reading, SQL, "I2", QUESTIONS)
