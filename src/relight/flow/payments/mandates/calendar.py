"""When a scheme's files are written, where they go, and what was said of them. The caller owns the transaction."""

from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from relight.flow.cases.errors import UnableToFind
from relight.flow.cases.people import Person
from relight.flow.database import Tx, statements
from relight.flow.payments.mandates import days
from relight.flow.payments.mandates.noting import UnableToCollect
from relight.flow.payments.mandates.planning import place_of
from relight.flow.payments.mandates.rules import schemes

SQL = statements(__package__, "calendar.sql")
_COMING_MAX = 400


class Setting(NamedTuple):
    """A scheme's calendar. `receipt_days`: within how many working days somebody says that a file came; 0: nobody
    does. `planned_on`: the last day on which bills were planned."""

    scheme: str
    folder: str
    from_hour: int
    receipt_days: int
    is_on: bool
    planned_on: date | None


class Coming(NamedTuple):
    """What will be drawn on a day and has not been ordered. `send_by` is the last day for its file; `told` counts those
    whose customers our message has reached; `write_on` is the day on which the workers write the file."""

    scheme: str
    collect_date: date
    send_by: date
    write_on: date
    currency: str
    collections: int
    amount: int
    told: int


def keep(tx: Tx, *, scheme: str, folder: Path, from_hour: int, receipt_days: int, by: Person, now: datetime) -> None:
    """Let the workers write a scheme's files into a folder. Raises `UnableToCollect`, and `UnableToAct`."""
    by.must("collect")
    if not folder.is_dir():
        raise UnableToCollect(f"{folder} is no folder. Make it first, where the workers can write.")
    given = {"scheme": scheme, "folder": str(folder.resolve()), "hour": from_hour, "receipt_days": receipt_days}
    tx.run(SQL.keep, {**given, "partner": tx.partner_id, "now": now, "actor": by.name})


def turn_off(tx: Tx, *, scheme: str, by: Person, now: datetime) -> None:
    """Write nothing more by itself. Raises `UnableToFind`."""
    by.must("collect")
    if not tx.run(SQL.turn_off, {"scheme": scheme, "now": now, "actor": by.name}):
        raise UnableToFind(f"Nothing is written by itself for {scheme}.")


def settings(tx: Tx) -> list[Setting]:
    """The calendars of the partner."""
    return [Setting(*row) for row in tx.rows(SQL.calendars)]


def coming(tx: Tx, now: datetime, *, scheme: str = "") -> list[Coming]:
    """What will be ordered, by day: the earliest first."""
    place = place_of(tx, now)
    found: list[Coming] = []
    for name, day, currency, count, amount, told in tx.rows(SQL.coming, {"scheme": scheme, "limit": _COMING_MAX}):
        rule = schemes()[name]
        by, on = days.last_file_day(place.calendar, rule, day), days.file_day(place.calendar, rule, day)
        found.append(Coming(name, day, by, on, currency, count, amount, told))
    return found


def hear(tx: Tx, *, message: str, accepted: bool, told: str, actor: str, now: datetime) -> bool:
    """Note what the other side says of a whole file; whether that is new. Raises `UnableToFind`."""
    if not tx.value(SQL.is_ours, {"message": message}):
        raise UnableToFind(f"No file was written under {message!r}.")
    given = {"message": message, "outcome": "accepted" if accepted else "refused", "told": told, "actor": actor}
    new = bool(tx.run(SQL.heard, {**given, "now": now}))
    tx.run(SQL.done, {"dedups": [f"unheard-{message}"], "now": now})
    return new
