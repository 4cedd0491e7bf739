"""Work for people: tasks, approvals, and the figures of the front page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relight.flow.database import statements
from relight.flow.watch import alarms as watch
from relight.flow.watch.alarms import Alarm
from relight.web.console.desk import Desk
from relight.web.console.queries import from_json, row, rows
from relight.web.console.queries.kept import Kept

SQL = statements(__package__, "work.sql")
TASKS_SIZE = 50
APPROVALS_MAX = 200


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task of the list; `message` is what the customer wrote, where the task is to read it."""

    id: int
    code: str
    params: dict[str, Any]
    urgent: bool
    created_at: datetime
    due_at: datetime
    case_id: int | None
    account: str | None
    currency: str | None
    message: str | None
    customer: str


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """How many tasks are open, by what they are and by when."""

    codes: tuple[tuple[str, int], ...]
    all: int
    late: int
    week: int
    urgent: int


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """A step that waits for a yes."""

    id: int
    case_id: int
    case_version: int
    account: str
    customer: str
    step: str
    needs: int
    requested_at: datetime
    requested_by: str
    decided_by: tuple[str, ...]
    arrears: int
    currency: str
    profile: str
    claims: int
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The front page's figures; times in seconds, None where nothing was restored."""

    active: int
    arrears: int
    watching: int
    held: int
    levels: dict[str, int]
    not_back: int
    steps: tuple[tuple[str, int], ...]
    restored: int
    p50_seconds: float | None
    p95_seconds: float | None


_OVERVIEWS = Kept[Overview]()


def tasks(desk: Desk, *, code: str, due: str, page: int) -> tuple[tuple[TaskRow, ...], TaskCounts]:
    """One page of open tasks, and the counts beside the choices."""
    params = {"now": desk.now, "code": code, "due": due, "size": TASKS_SIZE, "offset": (page - 1) * TASKS_SIZE}
    found = tuple(_task_row(one) for one in rows(SQL.tasks, params))
    told = rows(SQL.task_counts, params)
    sums = [sum(one[column] for one in told) for column in (1, 2, 3, 4)]
    return found, TaskCounts(tuple((one[0], one[1]) for one in told), *sums)


def task(task_id: int) -> TaskRow | None:
    """One task."""
    found = row(SQL.task, {"task": task_id})
    return _task_row(found) if found else None


def approvals(*, step: str = "", ids: list[int] | None = None) -> tuple[ApprovalRow, ...]:
    """What waits for a yes, the oldest first, at most two hundred."""
    found = rows(SQL.approvals, {"step": step, "ids": ids, "size": APPROVALS_MAX})
    return tuple(_approval_row(one) for one in found)


def approval_steps() -> tuple[tuple[str, int], ...]:
    """How many wait for each step."""
    return tuple((one[0], one[1]) for one in rows(SQL.approval_steps))


def overview(desk: Desk) -> Overview:
    """The figures of the front page; kept for a while where they are slow."""
    return _OVERVIEWS.get(desk.at.partner_id, lambda: _overview(desk))


def _overview(desk: Desk) -> Overview:
    found = row(SQL.overview, {"now": desk.now})
    back = row(SQL.restored, {"now": desk.now})
    assert found is not None
    assert back is not None
    active, arrears, watching, held, levels, not_back, steps = found
    restored, percentiles = back
    p50, p95 = percentiles or (None, None)
    by_step = tuple(sorted((from_json(steps) or {}).items(), key=lambda one: (-one[1], one[0])))
    return Overview(
        active, int(arrears), watching, held, from_json(levels) or {}, not_back, by_step, restored, p50, p95
    )


def alarms(desk: Desk) -> tuple[Alarm, ...]:
    """What is late or wrong at this partner, what cannot wait first; and at the installation that serves it."""
    own = watch.answer(rows(watch.SQL.alarms, watch.question(desk.at.partner_id, desk.now)))
    return own + watch.of_installation(rows(watch.SQL.log_slot), desk.now)


def _task_row(found: tuple[Any, ...]) -> TaskRow:
    told = list(found)
    told[2], told[10] = from_json(told[2]) or {}, told[10] or ""
    return TaskRow(*told)


def _approval_row(found: tuple[Any, ...]) -> ApprovalRow:
    told = list(found)
    told[4] = told[4] or told[3]
    told[9], told[13], told[14] = tuple(told[9]), told[13] or 0, tuple(told[14])
    return ApprovalRow(*told)
