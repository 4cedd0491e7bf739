"""What became of a file: counts, sums by currency, and each row that was not taken in with what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from relight.flow.claims.fields import Problem

# All rejections are in `import_rejection`; a report of a file that is wrong throughout stays readable.
ERRORS_MAX = 10_000


@dataclass(slots=True)
class Total:
    """Rows that are in Relight now, new or known, and their sum in minor units; credit notes count with their sign."""

    rows: int = 0
    amount: int = 0
    disputed: int = 0


@dataclass(slots=True)
class Report:
    """`read` = `accepted` + `unchanged` + `other` + `rejected`.

    `errors` may name several fields of one rejected row, and fields that an accepted row went in without.
    """

    kind: str
    run_id: int
    mapping: str
    read: int = 0
    accepted: int = 0
    unchanged: int = 0
    other: int = 0
    rejected: int = 0
    unmatched: int = 0
    errors: list[Problem] = field(default_factory=list)
    errors_left_out: int = 0
    totals: dict[str, Total] = field(default_factory=dict)
    complete_until: str = ""

    def note(self, problems: Iterable[Problem]) -> None:
        """Add to the errors, as far as they fit."""
        for problem in problems:
            if len(self.errors) < ERRORS_MAX:
                self.errors.append(problem)
            else:
                self.errors_left_out += 1

    def add(self, currency: str, amount: int, disputed: int = 0) -> None:
        """Count a row that is in Relight now."""
        total = self.totals.setdefault(currency, Total())
        total.rows, total.amount, total.disputed = total.rows + 1, total.amount + amount, total.disputed + disputed

    def as_data(self) -> dict[str, Any]:
        """For `--json`: the keys that scripts rely on, and some more."""
        return {
            "read": self.read,
            "accepted": self.accepted,
            "unchanged": self.unchanged,
            "other": self.other,
            "rejected": self.rejected,
            "errors": [{"line": p.line, "field": p.field, "reason": p.reason} for p in self.errors],
            "errors_left_out": self.errors_left_out,
            "totals": {
                currency: {"rows": total.rows, "amount": total.amount, "disputed": total.disputed}
                for currency, total in sorted(self.totals.items())
            },
            "unmatched": self.unmatched,
            "mapping": self.mapping,
            "run": self.run_id,
            "complete_until": self.complete_until,
        }
