"""OCR giro: payments with their KID, and AvtaleGiro's agreements and requests, which are shown and not booked.

Each assignment ends with how many payments and how much money it held. One that does not add up though every line can
be read was changed on the way: nothing of it is booked. Where a line is unreadable, the others are.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.fields import Problem
from relight.flow.claims.parse import AMOUNT_MAX
from relight.flow.claims.rows import PaymentRow
from relight.flow.payments.files.identity import Names
from relight.flow.payments.files.ocr_records import AVTALEGIRO, OCR_GIRO, Group, Lines, day_of, groups
from relight.flow.payments.files.series import Series
from relight.flow.payments.files.statements import Statement, end_of
from relight.flow.payments.rows import Booking, ReadPayment

_FIRST = re.compile(
    r"NY09(?P<type>\d\d)30(?P<number>\d{7})(?P<day>\d{6})(?P<settlement>\d{10})(?P<sign>[-0])(?P<amount>\d{17})"
    r"(?P<kid> *\d*-? *)0{6}",
    re.ASCII,
)
_SECOND = re.compile(
    r"NY09\d\d31\d{7}(?P<form>\d{10})(?P<archive>\d{9}).{7}(?P<bank_day>\d{6})(?P<payer>\d{11})0{22}", re.ASCII
)
_ASSIGNMENT = re.compile(r"NY(09|21)(?P<kind>\d\d)20.{9}(?P<number>\d{7})(?P<account>\d{11})0{45}", re.ASCII)
_TRANSMISSION = re.compile(r"NY000010(?P<sender>\d{8})(?P<number>\d{7})(?P<receiver>\d{8})0{49}", re.ASCII)
_END = re.compile(r"NY\d{4}8[89](?P<count>\d{8})(?P<records>\d{8})(?P<rest>\d{56})", re.ASCII)
_SAMPLE_GROUPS = 50
_RETURNS = ("18", "20")  # reversals, with a KID or with a text


@dataclass(slots=True)
class _Tally:
    """What was met, to be held against what the file's own sums say."""

    count: int = 0
    unreadable: int = 0
    amount: int = 0  # signed minor units
    gross: int = 0

    def differs(self, count: int, amount: int) -> bool:
        """Whether it contradicts a stated count and sum; with unreadable lines only too much is a contradiction."""
        if self.unreadable:
            return self.count > count or min(abs(self.amount), self.gross) > amount
        return self.count != count or amount not in (self.amount, self.gross)


@dataclass(slots=True)
class _Place:
    """Where in the file we are."""

    transmission: int | None = None
    service: str = ""
    account: str = ""
    statement: Statement | None = None
    index: int = -1
    tally: _Tally = field(default_factory=_Tally)
    whole: _Tally = field(default_factory=_Tally)
    has_ended: bool = True


class OcrFile:
    """One file; `read` it once. Raises `UnableToImport` when it is no OCR file at all."""

    def __init__(self, path: Path, zone: ZoneInfo):
        self.path, self.zone = path, zone
        self.series = Series()
        with path.open("rb") as file:
            if not any(lines.texts for lines in islice(groups(file), _SAMPLE_GROUPS)):
                raise UnableToImport(f"{path.name} is not an OCR file: its first line must begin with NY000010.")
        self._refused = self._sums()
        self._names = Names()

    def read(self) -> Iterator[ReadPayment]:
        """Payments, returns and what is neither, in the order of the file."""
        place = _Place()
        with self.path.open("rb") as file:
            for lines in groups(file):
                yield from self._take(lines, place)
        if not place.has_ended:
            yield self._broken(place, lines.line, "The file ends before its last line (NY000089). Fetch it again.")

    def _sums(self) -> dict[int, str]:
        """Assignments that do not add up, by their place in the file."""
        refused: dict[int, str] = {}
        place = _Place()
        with self.path.open("rb") as file:
            for lines in groups(file):
                if lines.kind is Group.TRANSACTION:
                    self._count(lines, place)
                elif lines.kind is Group.ASSIGNMENT:
                    self._open(lines, place)
                elif lines.kind is Group.ASSIGNMENT_END and (reason := _contradiction(lines, place.tally, place)):
                    refused[place.index] = reason
        return refused

    def _count(self, lines: Lines, place: _Place) -> None:
        try:
            found = _Transaction.of(lines) if place.service == OCR_GIRO else None
        except ValueError:
            place.tally.unreadable += 1
            place.whole.unreadable += 1
            return
        for tally in (place.tally, place.whole):
            tally.count += 1
            tally.unreadable += bool(lines.broken)
            tally.amount += (-found.amount if found.is_return else found.amount) if found else 0
            tally.gross += found.amount if found else 0

    def _open(self, lines: Lines, place: _Place) -> bool:
        """Begin an assignment; False when its line cannot be read."""
        place.index += 1
        place.tally = _Tally()
        found = _ASSIGNMENT.fullmatch(lines.texts[0])
        place.service, place.account = (lines.texts[0][2:4], found["account"]) if found else ("", "")
        place.statement = None
        if found and place.service == OCR_GIRO:
            number = int(found["number"])
            place.statement = Statement(
                f"OCR {place.account}", lines.line, place.transmission, other_number=number, currency="NOK"
            )
        return found is not None

    def _take(self, lines: Lines, place: _Place) -> Iterator[ReadPayment]:
        match lines.kind:
            case Group.TRANSMISSION:
                yield from self._begin(lines, place)
            case Group.ASSIGNMENT:
                if not self._open(lines, place):
                    yield self._broken(place, lines.line, "The assignment's first line cannot be read. Fetch it again.")
            case Group.TRANSACTION:
                self._count(lines, place)
                yield self._transaction(lines, place)
            case Group.ASSIGNMENT_END:
                yield from self._end(lines, place)
            case Group.TRANSMISSION_END:
                place.has_ended = True
                if reason := _contradiction(lines, place.whole, place):
                    yield self._broken(place, lines.line, reason)

    def _begin(self, lines: Lines, place: _Place) -> Iterator[ReadPayment]:
        found = _TRANSMISSION.fullmatch(lines.texts[0])
        place.transmission = int(found["number"]) if found else None
        place.has_ended, place.whole = False, _Tally()
        if not found:
            yield self._broken(place, lines.line, "The transmission's first line cannot be read. Fetch the file again.")

    def _end(self, lines: Lines, place: _Place) -> Iterator[ReadPayment]:
        found = _END.fullmatch(lines.texts[0])
        if place.statement is not None:
            try:
                day = day_of(found["rest"][17:23]) if found else None
            except ValueError:
                day = found = None
            place.statement.until = end_of(day, self.zone) if day else None
            self.series.add(place.statement, place.index)
        if not found:
            yield self._broken(place, lines.line, "The assignment's last line cannot be read. Fetch the file again.")
        place.statement, place.service, place.account = None, "", ""

    def _transaction(self, lines: Lines, place: _Place) -> ReadPayment:
        if place.service == AVTALEGIRO and not lines.broken:
            return ReadPayment(lines.line, None, is_other=True, statement=place.index)
        if place.service != OCR_GIRO:
            reason = "This line stands in no assignment that can be read. Fetch the file again."
            return self._broken(place, lines.line, reason)
        if refused := self._refused.get(place.index):
            return self._broken(place, lines.line, f"{refused} So none of its payments is booked.")
        try:
            found = _Transaction.of(lines)
        except ValueError as wrong:
            return self._broken(place, lines.broken[0][0] if lines.broken else lines.line, str(wrong))
        if lines.broken:
            return self._broken(place, *lines.broken[0])
        return ReadPayment(lines.line, *found.row(place.account, self._names), statement=place.index)

    def _broken(self, place: _Place, line: int, reason: str) -> ReadPayment:
        if place.statement is not None:
            place.statement.rejected += 1
        else:
            self.series.is_whole = False
        return ReadPayment(line, None, (Problem(line, "line", reason),), statement=place.index)


@dataclass(frozen=True, slots=True)
class _Transaction:
    first: re.Match[str]
    second: re.Match[str]
    text: str
    day: date
    amount: int

    @classmethod
    def of(cls, lines: Lines) -> "_Transaction":
        """Raises ValueError with a sentence."""
        types = [text[6:8] for text in lines.texts]
        if types[:2] != ["30", "31"] or types[2:] not in ([], ["32"]):
            raise ValueError(
                "A payment has one line of type 30, one of 31 and at most one of 32. Fetch the file again."
            )
        first, second = _FIRST.fullmatch(lines.texts[0]), _SECOND.fullmatch(lines.texts[1])
        if not first or not second or len({text[2:6] for text in lines.texts}) > 1:
            raise ValueError("The payment's fields are not where they must be. Fetch the file again.")
        day, amount = day_of(first["day"]), int(first["amount"])
        if day is None or not 0 < amount <= AMOUNT_MAX:
            raise ValueError("The payment has no day, or a sum that cannot be right. Ask the bank.")
        text = lines.texts[2][15:55].strip() if len(lines.texts) > 2 else ""
        return cls(first, second, text, day, amount)

    @property
    def is_return(self) -> bool:
        return self.first["type"] in _RETURNS or self.first["sign"] == "-"

    def row(self, account: str, names: Names) -> tuple[PaymentRow, tuple[Problem, ...], bool, Booking]:
        """The payment as all readers give it."""
        first, second, kid = self.first, self.second, self.first["kid"].strip()
        payer, archive = second["payer"].strip("0") and second["payer"], second["archive"]
        booking = Booking(account, archive if archive.strip("0") else "", "", payer, self.is_return)
        besides = (first["settlement"], second["form"], payer, kid, self.text)
        ref = names.name(booking, self.day, amount=self.amount, currency="NOK", besides=besides, place="")
        state = "returned" if self.is_return else "booked"
        return PaymentRow(ref, self.amount, "NOK", state, self.day, reference=kid or self.text), (), False, booking


def _contradiction(lines: Lines, tally: _Tally, place: _Place) -> str:
    """Why the sums on a last line are not those of the lines before; empty when they are."""
    found = _END.fullmatch(lines.texts[0])
    if not found or (lines.kind is Group.ASSIGNMENT_END and place.service != OCR_GIRO):
        return "" if found else "The last line cannot be read. Fetch the file again."
    count, amount = int(found["count"]), int(found["rest"][:17])
    if lines.kind is Group.TRANSMISSION_END and place.whole.gross == 0:
        return "" if place.whole.count == count else f"The file says {count} entries and holds {place.whole.count}."
    if not tally.differs(count, amount):
        return ""
    what = "assignment" if lines.kind is Group.ASSIGNMENT_END else "file"
    return (
        f"The {what} says {count} payments of {amount} øre and holds {tally.count} of {tally.amount}: it was changed "
        "on the way. Fetch the file again."
    )
