"""What became of a file: counts, sums by currency, and each row that was not taken in with what to do about it."""

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
    """Of a file, or of a part of it. `read` = `accepted` + `unchanged` + `other` + `rejected`.

    `errors` may name several fields of one rejected row, and fields that an accepted row went in without. `missing` are
    sentences on bank files that did not come.
    """

    kind: str
    run_id: int
    mapping: str
    read: int = 0
    accepted: int = 0
    unchanged: int = 0
    other: int = 0
    unmatched: int = 0
    errors: list[Problem] = field(default_factory=list[Problem])
    errors_left_out: int = 0
    totals: dict[str, Total] = field(default_factory=dict[str, Total])
    complete_until: str = ""
    missing: list[str] = field(default_factory=list[str])

    @property
    def rejected(self) -> int:
        """Rows that stayed out."""
        return self.read - self.accepted - self.unchanged - self.other

    def part(self) -> "Report":
        """An empty report for the next part of the same file."""
        return Report(self.kind, self.run_id, self.mapping)

    def count(self, currency: str, amount: int, disputed: int = 0) -> None:
        """Count a row that is in Relight now."""
        total = self.totals.setdefault(currency, Total())
        total.rows, total.amount, total.disputed = total.rows + 1, total.amount + amount, total.disputed + disputed

    def add(self, part: "Report") -> None:
        """Add what became of a part of the file; errors as far as they fit."""
        for name in ("read", "accepted", "unchanged", "other", "unmatched"):
            setattr(self, name, getattr(self, name) + getattr(part, name))
        room = ERRORS_MAX - len(self.errors)
        self.errors += part.errors[:room]
        self.errors_left_out += len(part.errors[room:])
        for currency, of_part in part.totals.items():
            total = self.totals.setdefault(currency, Total())
            total.rows += of_part.rows
            total.amount += of_part.amount
            total.disputed += of_part.disputed

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
            "missing": self.missing,
        }
