"""AvtaleGiro's agreements as Nets tells them: the full list, or what has changed. Streamed; pure but for the file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.fields import Problem
from relight.flow.payments.files.ocr_records import Group, groups

_AGREEMENT = re.compile(r"NY219470(?P<number>\d{7})(?P<kind>[012])(?P<kid> *\d+-? *)(?P<notify>[JN])0{38}", re.ASCII)
_ASSIGNMENT = re.compile(r"NY212420\d{9}\d{7}(?P<account>\d{11})0{45}", re.ASCII)
_END = re.compile(r"NY212488(?P<count>\d{8})\d{8}0{56}", re.ASCII)


class Agreement(NamedTuple):
    """One agreement. `is_gone`: the customer has ended it; `bank_notifies`: the bank tells them of each payment."""

    line: int
    kid: str
    bank_notifies: bool
    is_gone: bool


class Agreements(NamedTuple):
    """The agreements with one account of a creditor. `is_all`: those that are not among them are over. Betalingsservice
    names a creditor by its number and debtor group, and no account."""

    account: str
    agreements: list[Agreement]
    problems: list[Problem]
    is_all: bool
    creditor_number: str = ""
    group_number: str = ""


def read_agreements(path: Path) -> Iterator[Agreements]:
    """The assignments of a file in turn. Raises `UnableToImport` for a file that is none, or has none."""
    found, read = None, 0
    try:
        with path.open("rb") as file:
            for lines in groups(file):
                text = lines.texts[0] if lines.texts else ""
                if lines.kind is Group.ASSIGNMENT and (start := _ASSIGNMENT.fullmatch(text)):
                    found = _Assignment(start["account"])
                elif found is not None and lines.kind is Group.TRANSACTION:
                    found.take(lines.line, text)
                elif found is not None and lines.kind is Group.ASSIGNMENT_END:
                    yield found.whole(lines.line, text)
                    found, read = None, read + 1
    except OSError as refused:
        raise UnableToImport(f"{path} cannot be opened: {refused.strerror}. Check the name and its rights.") from None
    if found is not None:
        yield found.whole(0, "")
    elif not read:
        raise UnableToImport(f"{path.name} holds no AvtaleGiro agreements (assignments of type 24).")


class _Assignment:
    def __init__(self, account: str):
        self.account = account
        self.agreements: list[Agreement] = []
        self.problems: list[Problem] = []
        self.kinds: set[str] = set()

    def take(self, line: int, text: str) -> None:
        found = _AGREEMENT.fullmatch(text)
        if not found:
            self.problems.append(Problem(line, "line", "The agreement cannot be read. Fetch the file again."))
            return
        self.kinds.add(found["kind"])
        is_gone = found["kind"] == "2"
        self.agreements.append(Agreement(line, found["kid"].strip(), found["notify"] == "J", is_gone))

    def whole(self, line: int, text: str) -> Agreements:
        """All of it. What does not add up is no full list: nobody's agreement ends for a line that was lost."""
        end = _END.fullmatch(text)
        count = len(self.agreements) + len(self.problems)
        if not end or int(end["count"]) != count:
            told = f"says {int(end['count'])} agreements and holds {count}" if end else "ends too early"
            self.problems.append(Problem(line, "line", f"The assignment {told}. Fetch the file again."))
        is_all = not self.problems and self.kinds == {"0"}
        return Agreements(self.account, self.agreements, self.problems, is_all)
