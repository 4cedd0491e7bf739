"""What waits for people, and which money sources are late: shown around every page."""

from dataclasses import dataclass
from datetime import datetime

from relight.flow.database import statements
from relight.web.console.desk import Desk
from relight.web.console.queries import from_json, row

SQL = statements(__package__, "shell.sql")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Counts for the menu; `stale` holds source names with the moment up to which they are complete (or None), and
    `resting` drivers with how often they failed in a row, and since when."""

    tasks: int
    urgent: int
    approvals: int
    stale: tuple[tuple[str, datetime | None], ...]
    resting: tuple[tuple[str, int, datetime], ...]


def waiting(desk: Desk) -> Waiting:
    """One round trip for the whole frame."""
    found = row(SQL.waiting, {"now": desk.now, "hours": desk.at.money_stale_after_hours})
    assert found is not None
    tasks, urgent, approvals, stale, rests = found
    late = tuple((name, datetime.fromisoformat(at) if at else None) for name, at in from_json(stale) or ())
    resting = tuple((name, count, datetime.fromisoformat(at)) for name, count, at in from_json(rests) or ())
    return Waiting(tasks, urgent, approvals, late, resting)
