"""The list of cases: one page of rows, and how many cases each filter would show."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relight.flow.database import statements
from relight.web.console.desk import Desk
from relight.web.console.filters import Filters
from relight.web.console.queries import from_json, row, rows
from relight.web.console.queries.kept import Kept
from relight.web.console.search import Search

SQL = statements(__package__, "cases.sql")
SIZE = 50
_HITS_MAX = 5000


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """A service of a case's account: what it is to be and what was seen last ('' when nobody looked)."""

    kind: str
    desired: str
    observed: str


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A line of the list; `arrears` in minor units of `currency`."""

    id: int
    account: str
    customer: str
    state: str
    arrears: int
    currency: str
    step: str
    next_step: str
    next_at: datetime | None
    waits_for: tuple[str, ...]
    opened_at: datetime
    profile: str
    held: bool
    tasks: int
    services: tuple[ServiceLevel, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cases the filters show, and how many each other choice would show."""

    total: int
    states: dict[str, int]
    held: int
    tasks: int
    levels: dict[str, int]
    steps: dict[str, int]
    waits: dict[str, int]


@dataclass(frozen=True, slots=True)
class CasePage:
    """One page of the list. `limited_search` tells that a search met more accounts than are looked at."""

    rows: tuple[CaseRow, ...]
    counts: Counts
    limited_search: bool


_COUNTS = Kept[Counts]()


def page(desk: Desk, filters: Filters) -> CasePage:
    """Two statements, or three with a search; the counts are kept for a while where they are slow."""
    accounts = _accounts(desk, filters)
    params = {**filters.as_params(), "now": desk.now, "accounts": accounts, "size": SIZE}
    found_by = None if accounts is None else tuple(accounts)
    asked = (desk.at.partner_id, found_by, *({**filters.as_params(), "sort": ""}.items()))
    counts = _COUNTS.get(asked, lambda: _counts(params))
    last = max(0, (counts.total - 1) // SIZE)
    offset = min(filters.page - 1, last) * SIZE
    found = tuple(_case_row(one) for one in rows(SQL.page, {**params, "offset": offset}))
    return CasePage(found, counts, accounts is not None and len(accounts) >= _HITS_MAX)


def _accounts(desk: Desk, filters: Filters) -> list[int] | None:
    if not filters.q:
        return None
    search = Search.of(filters.q, desk.at.country)
    return [one[0] for one in rows(SQL.found, {**search.as_params(), "limit": _HITS_MAX})]


def _case_row(found: tuple[Any, ...]) -> CaseRow:
    *head, held, tasks, kinds, desired, observed = found
    services = tuple(ServiceLevel(*one) for one in zip(kinds or (), desired or (), observed or (), strict=True))
    head[2], head[9] = head[2] or head[1], tuple(head[9].split())
    head += [held, tasks, services]
    return CaseRow(*head)


def _counts(params: dict[str, Any]) -> Counts:
    found = row(SQL.counts, params)
    assert found is not None
    total, states, held, tasks, levels, steps, waits = found
    by_code: dict[str, int] = {}
    for codes, count in (from_json(waits) or {}).items():
        for code in codes.split():
            by_code[code] = by_code.get(code, 0) + count
    return Counts(total, from_json(states), held, tasks, from_json(levels), from_json(steps) or {}, by_code)
