"""Betalingsservice's data delivery 0603: agreements in force (section 0210), and those made or ended (0212).

Lines of 128 signs; the layout is `bs_delivery`'s. Streamed by sections; pure but for the file.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.fields import Problem
from relight.flow.payments.files.agreements import Agreement, Agreements
from relight.flow.payments.files.bs_payments import lines_of

_DELIVERY, _ALL, _CHANGES = "0603", "0210", "0212"
_STANDS, _MADE, _ENDED = "0230", "0231", frozenset({"0232", "0233", "0234"})


def read_bs_agreements(path: Path) -> Iterator[Agreements]:
    """The sections of a delivery in turn; `kid` is the customer's number, without zeros in front. Raises
    `UnableToImport` for what is no such delivery, and for one that is not whole: nobody's agreement ends for it."""
    sections: list[_Section] = []
    counted, is_whole = 0, False
    for number, line in lines_of(path, _DELIVERY):
        kind = line[:5]
        if kind == "BS012":
            sections.append(_Section(line[13:17], line[5:13], line[20:25]))
        elif kind == "BS042":
            counted += 1
            if sections and sections[-1].code in (_ALL, _CHANGES):
                sections[-1].take(number, line)
        elif kind == "BS992":
            is_whole = line[31:42] == f"{counted:011}"
    if not is_whole:
        raise UnableToImport(f"{path.name} is not whole: its last line is missing or counts otherwise. Fetch it again.")
    yield from (one.whole() for one in sections if one.code in (_ALL, _CHANGES))


@dataclass(slots=True)
class _Section:
    """A section of one creditor and debtor group."""

    code: str
    creditor: str
    group: str
    agreements: list[Agreement] = field(default_factory=list[Agreement])
    problems: list[Problem] = field(default_factory=list[Problem])

    def take(self, number: int, line: str) -> None:
        code, customer = line[13:17], line[25:40].strip().lstrip("0")
        if code not in (_STANDS, _MADE, *_ENDED) or not customer:
            self.problems.append(Problem(number, "line", "The agreement cannot be read. Fetch the file again."))
            return
        self.agreements.append(Agreement(number, customer, bank_notifies=True, is_gone=code in _ENDED))

    def whole(self) -> Agreements:
        is_all = self.code == _ALL and not self.problems
        return Agreements("", self.agreements, self.problems, is_all, self.creditor, self.group)
