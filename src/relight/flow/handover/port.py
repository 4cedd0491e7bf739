"""The driver's side of hand-overs: send a package to an agency, and read what it says back.

A driver carries packages as they are and decides nothing. Each has a key of its own that never changes: an agency that
gets one twice keeps the first. What agencies say has one form (`read_status`), whatever way it comes.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from math import isfinite
from typing import Any, Protocol

from relight.core.moments import moment_of
from relight.flow.effects.port import Attempt, Outcome, Repeat

STATUSES = (
    "accepted", "refused", "paid", "payment_returned", "plan", "uncollectable", "legal_step", "recall_confirmed",
    "recall_refused",
)  # fmt: skip
_MONEY = frozenset({"paid", "payment_returned"})
TEXT_MAX = 500
AMOUNT_MAX = 10**13
DEPTH_MAX = 20
LETTER_BYTES_MAX = 20_000_000
_UNKEPT = re.compile("[\x00\ud800-\udfff]")


class StatusRefused(ValueError):
    """What came is no genuine or no readable word of the agency; the text says what is wrong. Nothing was kept."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file of a package, such as a letter as it was posted."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Package:
    """What goes to an agency. `what`: place (claims to collect), tell (a payment was made to us), recall (collect no
    more). `ref` is the case number that the agency answers with; `body` is JSON-ready, amounts in minor units."""

    what: str
    ref: str
    body: Mapping[str, Any]
    documents: Sequence[Document] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """One thing that an agency says of one case. `id` is its own for this message; `amount` and `fee` are minor units.

    `payment` is the agency's own id of a payment, `day` its value date; `direct`: it was made to the creditor.
    """

    id: str
    ref: str
    status: str
    said_at: datetime
    body: Mapping[str, Any]
    amount: int = 0
    currency: str = ""
    payment: str = ""
    day: date | None = None
    fee: int = 0
    direct: bool = False
    agency_case: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A file that an agency left: its name, and its text."""

    name: str
    content: bytes


class HandoverDriver(Protocol):
    """One agency's way in and out. Asynchronous towards it; what it left is read in the worker's own time."""

    name: str
    repeat: Repeat

    async def send(self, package: Package, attempt: Attempt) -> Outcome:
        """Hand a package over; DONE once the agency (or the folder that it reads) has it."""
        ...

    def letters(self) -> Sequence[Letter]:
        """Files that the agency left and nobody has read yet, oldest first, as many as may be held at once; empty where
        it uses webhooks."""
        ...

    def put_away(self, letter: Letter, errors: Sequence[str]) -> None:
        """A file has been read: keep it out of the way, beside what was wrong with it."""
        ...

    def webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Status]:
        """Verify a webhook and read it; raises `StatusRefused`, also where the driver has none."""
        ...

    async def aclose(self) -> None:
        """Give up what is held open."""
        ...


def read_status(told: object) -> Status:
    """What one JSON object says. Raises `StatusRefused` naming the field, and what to write there: also where it is a
    field that we do not ask for, since all of it is kept word for word."""
    if not isinstance(told, Mapping):
        raise StatusRefused("a status is a JSON object")
    _refuse_unkept(told)
    status = _text(told, "status")
    if status not in STATUSES:
        raise StatusRefused(f"status: {status!r} is none of {', '.join(STATUSES)}")
    money = status in _MONEY
    return Status(
        id=_text(told, "id"),
        ref=_text(told, "case"),
        status=status,
        said_at=_moment(told, "at"),
        body=dict(told),
        amount=_amount(told, "amount", least=1) if money else 0,
        currency=_text(told, "currency") if money else "",
        payment=_text(told, "payment") if money else "",
        day=_day(told, "date") if money else None,
        fee=_amount(told, "fee", least=0) if "fee" in told else 0,
        direct=told.get("direct") is True,
        agency_case=_text(told, "agency_case", needed=False),
        reason=_text(told, "reason", needed=status in ("refused", "recall_refused")),
    )


def statuses_in(letter: Letter) -> list[tuple[int, object]]:
    """The objects of a letter with the lines that they begin on: one a line, or one JSON array. A line that is no JSON
    is told as the text that it is. Raises `StatusRefused` for a letter that is too long to be read at once."""
    if len(letter.content) > LETTER_BYTES_MAX:
        raise StatusRefused(f"a file of at most {LETTER_BYTES_MAX:,} bytes; send it in parts. Nothing of it was read")
    text = letter.content.decode("utf-8-sig", errors="replace")
    if text.lstrip().startswith("["):
        told = _parsed(text)
        return list(enumerate(told, start=1)) if isinstance(told, list) else [(1, told)]
    lines = StringIO(text, newline=None)  # which knows of no other ends of lines: some may stand in a text
    return [(line, _parsed(one.rstrip("\n"))) for line, one in enumerate(lines, start=1) if one.strip()]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text[:200]


def _refuse_unkept(told: object, place: str = "", depth: int = 0) -> None:
    """JSON can say what no database keeps: NUL, half of a character, a number that is none, a tree without end."""
    if depth > DEPTH_MAX:
        raise StatusRefused(f"{place}: more than {DEPTH_MAX} lists and objects within one another")
    if isinstance(told, str) and _UNKEPT.search(told):
        raise StatusRefused(f"{place}: a character that cannot be kept (NUL, or half of one)")
    if isinstance(told, float) and not isfinite(told):
        raise StatusRefused(f"{place}: not a number that can be kept")
    if isinstance(told, Mapping):
        for name, value in told.items():
            _refuse_unkept(name, _within(place, name), depth + 1)
            _refuse_unkept(value, _within(place, name), depth + 1)
    if isinstance(told, list):
        for number, value in enumerate(told):
            _refuse_unkept(value, _within(place, str(number)), depth + 1)


def _within(place: str, name: str) -> str:
    """Where a value stands, in characters that can be shown."""
    shown = name[:30] if name.isprintable() else ascii(name[:30])
    return f"{place}.{shown}" if place else shown


def _text(told: Mapping[str, Any], name: str, *, needed: bool = True) -> str:
    value = told.get(name, "")
    if not isinstance(value, str) or len(value) > TEXT_MAX or "\x00" in value:
        raise StatusRefused(f"{name}: a text of at most {TEXT_MAX} characters")
    if needed and not value.strip():
        raise StatusRefused(f"{name}: missing")
    return value.strip()


def _amount(told: Mapping[str, Any], name: str, *, least: int) -> int:
    value = told.get(name)
    if type(value) is not int or not least <= value <= AMOUNT_MAX:
        raise StatusRefused(f"{name}: a whole number of minor units, at least {least}")
    return value


def _moment(told: Mapping[str, Any], name: str) -> datetime:
    try:
        return moment_of(_text(told, name))
    except ValueError as wrong:
        raise StatusRefused(f"{name}: a moment with its offset, such as 2026-03-02T09:00:00+01:00") from wrong


def _day(told: Mapping[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(_text(told, name))
    except ValueError as wrong:
        raise StatusRefused(f"{name}: a day such as 2026-03-02") from wrong
