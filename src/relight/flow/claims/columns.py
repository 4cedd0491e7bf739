"""What a mapping says: which column is which field, and how a file writes dates and numbers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

FLAG = "flag:"
HOLE = re.compile(r"\{([^}]*)\}")
FIELDS = {
    "invoices": frozenset(
        (
            "number", "account", "amount", "due_date", "issued_date", "sent_date", "reference", "currency", "creditor",
            "service_kind", "service", "disputed", "status", "credits", "line_amount", "line_text", "line_kind",
            "line_vat", "line_disputed", "line_service", "line_counts_for_cut", "customer", "name", "customer_kind",
            "org_number", "language", "debtor", "profile", "mobile", "email", "postal", "premises", "premises_kind",
            "street", "postcode", "city", "municipality", "access_point", "meter_serial", "meter_address", "product",
            "driver", "driver_address", "full_profile",
        )
    ),
    "payments": frozenset(
        ("ref", "amount", "value_date", "currency", "state", "account", "reference", "payer", "direction")
    ),
    "cases": frozenset(("account", "step", "completed_date", "pay_by_date", "claims", "proof")),
}  # fmt: skip
REQUIRED = {
    "invoices": ("number", "account", "amount", "due_date"),
    "payments": ("ref", "amount", "value_date"),
    "cases": ("account", "step", "completed_date", "claims", "proof"),
}
# What may stand for a required field: an invoice's amount is what its lines come to.
_INSTEAD = {("invoices", "amount"): "line_amount"}
# What a mapping may leave out altogether: then a row is called after what it says.
LEFT_OUT = frozenset({("payments", "ref")})


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a field is: the first of `names` that the header has, or a text like "{number}-{day}" of several."""

    names: tuple[str, ...]
    template: str = ""

    def are_in(self, header: frozenset[str]) -> bool:
        """Whether a header (folded) has what this field needs."""
        if self.template:
            return all(fold(hole) in header for hole in HOLE.findall(self.template))
        return any(fold(name) in header for name in self.names)

    def __str__(self) -> str:
        return self.template or " or ".join(self.names)


@dataclass(frozen=True, slots=True)
class FileMapping:
    """How to read one kind of file.

    `words` turn a file's own words into ours; a row in which a field of `other_when_empty` is empty counts as other.
    """

    name: str
    kind: str
    recognise: tuple[str, ...]
    columns: Mapping[str, Columns]
    dates: tuple[str, ...] = ("YYYY-MM-DD",)
    decimal: str = "."
    grouping: str = ""
    delimiter: str = ""
    encoding: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    other_when_empty: tuple[str, ...] = ()

    def fits(self, header: Iterable[str]) -> bool:
        """Whether the header has every column that this mapping is recognised by, and all that a row needs."""
        names = frozenset(map(fold, header))
        return {fold(name) for name in self.recognise} <= names and not self.missing(names)

    def missing(self, header: frozenset[str]) -> list[str]:
        """The columns that no row can do without and that a header (folded) does not have."""
        return [
            str(self.columns[name])
            for name in REQUIRED[self.kind]
            if not self._has(name, header) and ((self.kind, name) not in LEFT_OUT or name in self.columns)
        ]

    def _has(self, name: str, header: frozenset[str]) -> bool:
        for candidate in (name, _INSTEAD.get((self.kind, name), name)):
            columns = self.columns.get(candidate)
            if candidate in self.defaults or (columns and columns.are_in(header)):
                return True
        return False


def fold(name: str) -> str:
    """A column's name without what people vary: case and spaces around."""
    return name.strip().casefold()
