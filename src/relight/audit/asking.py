"""Questions that one statement answers: each row that comes back is a violation, with words made from its columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from relight.audit.reading import Reading, Row
from relight.audit.report import Violation

_MINOR_DIGITS = 2  # of every currency that Relight bills in


@dataclass(frozen=True, slots=True)
class Question:
    """A statement's name, what its rows mean, and what to do about them.

    The statement answers with `case` and `event` (or NULL) and what the words need. Columns that end in `_sum` are
    minor units and are shown as money, in the row's `currency` or the partner's.
    """

    name: str
    why: str
    todo: str


def ask(
    reading: Reading, sql: SimpleNamespace, invariant: str, questions: Sequence[Question], **params: Any
) -> Iterator[Violation]:
    """Ask all questions of one invariant; `params` are for their statements."""
    for question in questions:
        for row in reading.rows(getattr(sql, question.name), **params):
            yield Violation(
                invariant,
                row["case"],
                row["event"],
                question.why.format_map(_shown(row, reading.partner.currency)),
                question.name,
                question.todo,
                reading.partner.slug,
            )


def _shown(row: Row, currency: str) -> dict[str, Any]:
    unit = row.get("currency") or currency
    return {name: money(value, unit) if name.endswith("_sum") else value for name, value in row.items()}


def money(amount: int | None, currency: str) -> str:
    """Minor units as people write them: 89900 NOK is 899.00 NOK."""
    if amount is None:
        return f"nothing in {currency}"
    whole, minor = divmod(abs(amount), 10**_MINOR_DIGITS)
    return f"{'-' if amount < 0 else ''}{whole:,}.{minor:0{_MINOR_DIGITS}d} {currency}"
