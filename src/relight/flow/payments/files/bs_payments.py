"""Betalingsservice's data delivery 0602, section 0211: what became of collections. Lines of 128 signs, read one by one.

Of payment slips (section 0215) nothing is said here: their money comes with the bank. The layout is `bs_delivery`'s.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.fields import Problem

_OUTCOMES = {"0236": "collected", "0237": "refused", "0238": "refused", "0239": "returned"}
_REASONS = {"0238": "cancelled_by_customer", "0239": "returned"}
_DELIVERY, _SECTION = "0602", "0211"
_LINE_MAX = 200


class Told(NamedTuple):
    """What became of one collection. `ref` is what its order carried, `day` when it was paid, or was due."""

    line: int
    ref: str
    outcome: str
    reason: str
    amount: int
    day: date


def read_payments(path: Path) -> Iterator[Told | Problem]:
    """What a delivery says, line by line; a line that cannot be read is told of and stops no other.

    Raises `UnableToImport` for what is no such delivery, or not whole: it is told at the end, when all was read.
    """
    place = _Place()
    for number, line in lines_of(path, _DELIVERY):
        yield from place.take(number, line)
    if not place.is_whole:
        raise UnableToImport(f"{path.name} is not whole: its last line is missing or counts otherwise. Fetch it again.")


def lines_of(path: Path, delivery: str) -> Iterator[tuple[int, str]]:
    """The lines of a delivery of a kind, with their numbers. Raises `UnableToImport` for what is no such delivery."""
    try:
        with path.open(encoding="iso-8859-1", newline="\n") as file:
            for number, raw in enumerate(iter(lambda: file.readline(_LINE_MAX + 1), ""), start=1):
                line = raw.rstrip("\r\n")
                if number == 1 and (line[:5] != "BS002" or line[16:20] != delivery):
                    raise UnableToImport(f"{path.name} is no data delivery {delivery} of Betalingsservice.")
                if len(line) > _LINE_MAX - 2:
                    raise UnableToImport(f"{path.name} has a line that is too long. Fetch it again.")
                if line:
                    yield number, line
    except OSError as refused:
        raise UnableToImport(f"{path} cannot be opened: {refused.strerror}. Check the name and its rights.") from None


@dataclass(slots=True)
class _Place:
    """Where in the delivery we are: the section, and how many payments were in it."""

    section: str = ""
    payments: int = 0
    is_whole: bool = False

    def take(self, number: int, line: str) -> Iterator[Told | Problem]:
        """Follow a line; what it tells."""
        match line[:5]:
            case "BS012":
                self.section = line[13:17]
            case "BS042":
                self.payments += 1
                if self.section == _SECTION:
                    yield _told(number, line)
            case "BS992":
                self.is_whole = line[31:42] == f"{self.payments:011}"
            case _:
                pass


def _told(number: int, line: str) -> Told | Problem:
    code, ref = line[13:17], line[69:99].strip()
    if code not in _OUTCOMES:
        return Problem(number, "code", f"There is no transaction code {code!r} in this section.")
    try:
        day = _day(line[103:109]) or _day(line[49:55])
        amount = int(line[56:69])
    except ValueError:
        day, amount = None, 0
    if day is None:
        return Problem(number, "date", "It names no day, or no sum.")
    return Told(number, ref, _OUTCOMES[code], _REASONS.get(code, ""), amount, day)


def _day(text: str) -> date | None:
    """ddmmyy; None where it is all zeros. Raises ValueError."""
    if not text.strip("0 "):
        return None
    return date(2000 + int(text[4:6]), int(text[2:4]), int(text[:2]))
