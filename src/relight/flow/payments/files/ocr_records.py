"""OCR giro and AvtaleGiro as groups of lines: 80 characters each, "NY", service, kind and record type.

Source: Nets' system specification for OCR giro, and the record shapes of the open reader `netsgiro`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import IO

from relight.flow.claims.cells import UNREADABLE

LINE_CHARACTERS = 80
_READ_MAX = 4_096
_LINES_MAX = 200  # of one transaction; AvtaleGiro allows 84 of specification
_SHAPE = re.compile(r"NY[0-9]{6}")

OCR_GIRO, AVTALEGIRO = "09", "21"
_CONTINUES = ("31", "32", "49")


class Group(Enum):
    """What some lines are together."""

    TRANSMISSION = "transmission"
    ASSIGNMENT = "assignment"
    TRANSACTION = "transaction"
    ASSIGNMENT_END = "assignment end"
    TRANSMISSION_END = "transmission end"


_SINGLE = {
    "10": Group.TRANSMISSION, "20": Group.ASSIGNMENT, "88": Group.ASSIGNMENT_END, "89": Group.TRANSMISSION_END,
}  # fmt: skip


@dataclass(slots=True)
class Lines:
    """Lines that belong together. `line` is the first one's place; `broken` are (line, reason) of unreadable ones."""

    kind: Group
    line: int
    texts: list[str] = field(default_factory=list[str])
    broken: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    @property
    def number(self) -> str:
        """The transaction's number, as it stands in its lines."""
        return self.texts[0][8:15] if self.texts else ""


def groups(file: IO[bytes]) -> Iterator[Lines]:
    """The file's lines, those of one transaction together; an unreadable line joins the transaction that it hurt."""
    open_: Lines | None = None
    for line, text, reason in _lines(file):
        single = _SINGLE.get(text[6:8]) if not reason else None
        if open_ is not None and (single or not _joins(open_, text, reason)):
            yield open_
            open_ = None
        if single:
            yield Lines(single, line, [text])
            continue
        open_ = open_ or Lines(Group.TRANSACTION, line)
        if reason:
            open_.broken.append((line, reason))
        else:
            open_.texts.append(text)
    if open_ is not None:
        yield open_


def _joins(open_: Lines, text: str, reason: str) -> bool:
    """Whether a line belongs to the transaction that is being read."""
    if len(open_.texts) + len(open_.broken) >= _LINES_MAX:
        return False
    if reason:
        return len(open_.texts) == 1 and open_.texts[0][6:8] == "30"
    if text[6:8] not in _CONTINUES:
        return False
    return not open_.texts or open_.number == text[8:15]


def _lines(file: IO[bytes]) -> Iterator[tuple[int, str, str]]:
    """Each line with its place, and why it cannot be read (else empty)."""
    at = 0
    while raw := file.readline(_READ_MAX):
        at += 1
        while len(raw) == _READ_MAX and not raw.endswith(b"\n"):
            more = file.readline(_READ_MAX)
            raw = raw if more.endswith(b"\n") or not more else raw[:1] * _READ_MAX
            if more.endswith(b"\n") or not more:
                break
        text = UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", raw.decode("latin-1").rstrip("\r\n\x1a"))
        if text.strip():
            yield at, text, _what_is_wrong(text)


def _what_is_wrong(text: str) -> str:
    if len(text.rstrip()) > LINE_CHARACTERS or len(text) < LINE_CHARACTERS:
        return f"The line has {len(text)} characters and must have {LINE_CHARACTERS}. Fetch the file again."
    if not _SHAPE.match(text):
        return "The line does not begin with NY and six digits. Fetch the file again."
    return ""


def day_of(digits: str) -> date | None:
    """A day written DDMMYY; None for zeros. Raises ValueError with a sentence when there is no such day."""
    if digits == "000000":
        return None
    try:
        day, month, year = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
        return date(year + (1900 if year >= 70 else 2000), month, day)
    except ValueError:
        raise ValueError(f"There is no such day as {digits}. Fetch the file again.") from None
