"""What a bank file says of itself: which statement of which account, its number, its balances, and up to when it tells.

A statement is what banks number: a camt statement, report or notification, an OCR assignment, an MT940 message.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(slots=True)
class Statement:
    """One statement. `chain` names those that follow one another: a kind of file and an account.

    `number` is None when the bank gives none; `part` counts the pages of one number, and `is_last` says that no page
    follows. `other_number` is a second count, of OCR giro's assignments. Balances are signed minor units, None when not
    told. `until` is the moment up to which it tells everything. `line` is where it begins in the file.
    """

    chain: str
    line: int
    number: int | None = None
    part: int = 1
    is_last: bool = True
    other_number: int | None = None
    currency: str = ""
    opening: int | None = None
    closing: int | None = None
    until: datetime | None = None
    rejected: int = 0

    @property
    def can_tell(self) -> bool:
        """Whether it can be told that another one follows it."""
        return self.number is not None or (self.opening is not None and self.closing is not None)

    @property
    def label(self) -> str:
        """How people call it: "statement 13/2 of camt.053 NO93…"."""
        number = "without a number" if self.number is None else str(self.number)
        page = "" if self.part == 1 and self.is_last else f"/{self.part}"
        return f"{number}{page} of {self.chain}"


@dataclass(slots=True)
class Sums:
    """What a first reading of a file found: what to refuse because it does not add up, and why.

    `refused` is by the statement's place in the file (from 0); `entries` holds a sign for each entry (see `camt`).
    """

    refused: dict[int, str] = field(default_factory=dict[int, str])
    entries: bytearray = field(default_factory=bytearray)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment after a day, in the partner's zone."""
    return datetime.combine(day + timedelta(days=1), time(), zone)
