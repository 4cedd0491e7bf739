"""I2: every posting is a transfer with a debit, a credit and a positive amount; a balance equals its transfers' sum."""

from collections.abc import Iterator

from relight.audit.asking import Question, ask
from relight.audit.reading import Reading, statements
from relight.audit.report import Violation

SQL = statements("ledger.sql")
_CORRECT = "Find the write that moved one without the other, and post a correction; nothing on the ledger is changed."
QUESTIONS = (
    Question(
        "one_sided",
        "Transfer {id} moves {amount_sum} from {credit} to {debit}; it must move more than nothing between two sides.",
        "Reverse it with a transfer of its own, and put the table's constraint back.",
    ),
    Question("strays", "Transfer {id} ({kind}, {amount_sum}) is not where it belongs: {wrong}.", _CORRECT),
    Question(
        "claim_balance",
        "Claim {number} says that {principal_sum}, {costs_sum} of costs and {interest_sum} of interest are owed; its"
        " transfers come to {moved_principal_sum}, {moved_costs_sum} and {moved_interest_sum}.",
        _CORRECT,
    ),
    Question(
        "credit_balance",
        "Account {ref} says that it has {credit_sum} in credit; its transfers leave {moved_sum}.",
        _CORRECT,
    ),
    Question(
        "claim_state",
        "Claim {number} is {state} and {owed_sum} is owed on it.",
        "Find the write that settled or opened it without its money, and put the state right.",
    ),
    Question(
        "reversed_too_much", "Of the {kind} in transfer {id}, {amount_sum}, {reversed_sum} was taken back.", _CORRECT
    ),
    Question(
        "fee_stands",
        "Step {step} no longer counts, and the {amount_sum} that it charged on claim {number} is still asked for.",
        "Take the fee back, and what was paid of it is the customer's; then find out what voided the step without it.",
    ),
)


def look(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """How many transfers were looked at, and what is wrong with them or the balances that they make."""
    return reading.count(SQL.count), ask(reading, SQL, "I2", QUESTIONS)
