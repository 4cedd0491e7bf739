"""Another system's log as a file: its rows as entries, what could not be read, and what was not recognised."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

from relight.cli.log_words import LogMapping
from relight.core.money import NotAnAmount, parse_amount
from relight.core.second_opinion.log import Entry, acts_in_law, charges
from relight.flow.claims.cells import Row
from relight.flow.claims.columns import fold
from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.parse import NotAValue, date_of, text_of
from relight.flow.claims.tables import open_table

REQUIRED = ("case", "step", "date")
COLUMNS = (
    *REQUIRED,
    "sum",
    "service",
    "due_date",
    "amount",
    "debtor",
    "channel",
    "received_date",
    "pay_by_date",
    "what",
)
YEAR_MIN, YEAR_MAX = 2001, 2058  # a year within the calendars, so that terms end within them, too
_MONEY_SIGNS = re.compile(r"(?:kr\.?|€|£|NOK|DKK|SEK|EUR|GBP)", re.IGNORECASE)
_ONE_MARK_THREE_DIGITS = re.compile(r"[+-]?[0-9]{1,3}[.,][0-9]{3}")


class Unreadable(NamedTuple):
    """A row that was left out: its line, the field, and why."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a row is where the file does not say."""

    currency: str
    service: str = ""
    debtor: str = "consumer"


@dataclass(slots=True)
class LogFile:
    """All that a file holds. `unmapped`: steps that nobody knows, how often; `doubtful`: such lines, by case;
    `columns`: which of its columns was read as which of ours."""

    rows: int = 0
    columns: dict[str, str] = field(default_factory=dict[str, str])
    entries: list[Entry] = field(default_factory=list[Entry])
    unreadable: list[Unreadable] = field(default_factory=list[Unreadable])
    unmapped: Counter[str] = field(default_factory=Counter[str])
    doubtful: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


class _Refused(Exception):
    """A cell that cannot be read."""

    def __init__(self, field_: str, reason: str):
        super().__init__(reason)
        self.field, self.reason = field_, reason


def read_log(path: Path, mapping: LogMapping, defaults: Defaults) -> LogFile:
    """Read a log. Raises `UnableToImport` when there is no reading it at all."""
    found = LogFile()
    with open_table(path) as table:
        places = _places(table.header, mapping)
        found.columns = {column: table.header[at] for column, at in places.items()}
        if "service" not in places and not defaults.service:
            raise UnableToImport(f"{path.name} has no column service. Add it, or say --service for all rows.")
        for row in table.rows:
            found.rows += 1
            _take(row, places, mapping, defaults, found)
    return found


def _places(header: list[str], mapping: LogMapping) -> dict[str, int]:
    found = {column: _places_of(column, header, mapping) for column in COLUMNS}
    wanted = dict.fromkeys((*REQUIRED, *mapping.columns))
    missing = [mapping.columns.get(column, column) for column in wanted if not found[column]]
    if missing:
        shown = ", ".join(name[:40] for name in header[:12] if name.isprintable())
        raise UnableToImport(
            f"The log has no column {', '.join(missing)}; it has {shown}. Rename them, or say which they "
            "are under `columns:` in --mapping FILE."
        )
    for column, places in found.items():
        if len(places) > 1:
            both = " and ".join(header[at][:40] for at in places[:2])
            raise UnableToImport(
                f"Two columns could be {column}: {both}. Rename the one that is not meant, or say which it is under "
                "`columns:` in --mapping FILE."
            )
    return {column: places[0] for column, places in found.items() if places}


def _places_of(column: str, header: list[str], mapping: LogMapping) -> list[int]:
    """Where a column is: as the mapping says, else by our own name, else by one in another language."""
    own = mapping.columns.get(column, column)
    found = [at for at, name in enumerate(header) if fold(name) == fold(own)]
    if found or column in mapping.columns:
        return found
    theirs = {fold(name) for name in mapping.columns.values()}
    return [at for at, name in enumerate(header)
            if mapping.words.column_of(name) == column and fold(name) not in theirs]  # fmt: skip


def _take(row: Row, places: Mapping[str, int], mapping: LogMapping, defaults: Defaults, found: LogFile) -> None:
    cells = _Cells(row, places, mapping, defaults)
    try:
        if row.broken is not None:
            raise _Refused(_broken_field(row.broken.column, places), row.broken.reason)
        step = cells.must("step")
        named = mapping.words.acts_of(step)
        if named is None:
            found.unmapped[step] += 1
            found.doubtful[cells.must("case")].append(row.line)
        elif named:
            found.entries.append(_entry(row.line, step, named, cells))
    except _Refused as refused:
        found.unreadable.append(Unreadable(row.line, refused.field, refused.reason))
        case = cells.text("case") if row.broken is None and refused.field != "case" else ""
        if case:
            found.doubtful[case].append(row.line)


def _broken_field(column: int | None, places: Mapping[str, int]) -> str:
    return next((name for name, at in places.items() if at == column), "line")


def _entry(line: int, step: str, named: tuple[str, ...], cells: "_Cells") -> Entry:
    owed, charged = cells.amount("sum"), cells.amount("amount")
    acts = acts_in_law(named, charged=bool(charged))
    fee = charged if charged is not None else owed
    day = cells.day("date")
    if day is None:
        raise _Refused("date", "The cell is empty. Fill it in.")
    received = cells.day("received_date")
    if received is not None and received < day:
        raise _Refused("received_date", "It cannot have come before it was sent. Correct one of the two dates.")
    return Entry(
        line=line,
        case=cells.must("case"),
        step=step,
        day=day,
        acts=acts,
        service=cells.service(),
        debtor=cells.debtor(),
        what=cells.text("what"),
        owed=None if charges(acts) and charged is None else owed,
        fee=fee if charges(acts) else None,
        due=cells.day("due_date"),
        received=received,
        pay_by=cells.day("pay_by_date"),
        channels=cells.mapping.words.channels_of(cells.text("channel")),
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """One row's cells by our names of columns."""

    row: Row
    places: Mapping[str, int]
    mapping: LogMapping
    defaults: Defaults

    def text(self, column: str) -> str:
        """A cell's text; empty where there is none."""
        at = self.places.get(column)
        try:
            return "" if at is None else text_of(self.row.cells[at])
        except NotAValue as wrong:
            raise _Refused(column, str(wrong)) from None

    def must(self, column: str) -> str:
        """A cell's text, which must not be empty."""
        text = self.text(column)
        if not text:
            raise _Refused(column, "The cell is empty. Fill it in.")
        return text

    def day(self, column: str) -> date | None:
        """A cell's day."""
        if not self.text(column):
            return None
        try:
            found = date_of(self.row.cells[self.places[column]], self.mapping.dates)
        except NotAValue as wrong:
            raise _Refused(column, str(wrong)) from None
        if not YEAR_MIN <= found.year <= YEAR_MAX:
            raise _Refused(column, f"The year {found.year} is outside {YEAR_MIN} to {YEAR_MAX}. Correct the date.")
        return found

    def amount(self, column: str) -> int | None:
        """A cell's sum in minor units."""
        if not self.text(column):
            return None
        text = _MONEY_SIGNS.sub("", self.text(column)).strip()
        decimal = self.mapping.decimal or _decimal_sign(column, text)
        try:
            minor = parse_amount(
                text, self.defaults.currency, decimal=decimal, grouping=" ." if decimal == "," else " ,"
            )
        except NotAnAmount as wrong:
            raise _Refused(column, f"{wrong}.") from None
        if minor < 0:
            raise _Refused(column, f"{text[:40]} is below zero. Write what was owed or charged.")
        return minor

    def service(self) -> str:
        """The service that the row is about."""
        text = self.text("service")
        found = self.mapping.words.service_of(text) if text else self.defaults.service
        if not found:
            wrong = f"{text[:40]!r} is no service that is known" if text else "The cell is empty"
            raise _Refused(
                "service", f"{wrong}. Say what it is under `services:` in --mapping FILE, or with --service."
            )
        return found

    def debtor(self) -> str:
        """Consumer or business."""
        text = self.text("debtor")
        found = self.mapping.words.debtor_of(text) if text else self.defaults.debtor
        if found is None:
            raise _Refused("debtor", f"{text[:40]!r} is neither consumer nor business. Write one of the two.")
        return found


def _decimal_sign(column: str, text: str) -> str:
    """The last of comma and point; refused where it could as well stand between thousands."""
    if _ONE_MARK_THREE_DIGITS.fullmatch(text):
        raise _Refused(
            column, f'{text} could be thousands or decimals. Write `decimal: ","` (or ".") in --mapping FILE.'
        )
    return "," if text.rfind(",") > text.rfind(".") else "."
