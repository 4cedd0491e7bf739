"""The list of cases: searched, filtered, sorted, paged; its filters live in the address and are remembered."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.urls import reverse

from relight.web.console.access import signed_in
from relight.web.console.context import voice_of
from relight.web.console.filters import LEVELS, NO_STEP, PLAIN, STATES, Filters
from relight.web.console.queries import cases as query
from relight.web.console.respond import go_to, live
from relight.web.console.visit import Seated
from relight.web.console.voice import Voice

_REMEMBERED = "console_filters"


@dataclass(frozen=True, slots=True)
class Choice:
    """A chip or an option: what it is called, how many cases it would show, and the address that chooses it."""

    value: str
    name: str
    count: int
    query: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A column that sorts: `direction` is "ascending", "descending" or "" for the ones not sorted by."""

    name: str
    label: str
    query: str
    direction: str
    numeric: bool


@signed_in
def cases(request: Seated) -> HttpResponse:
    """A bare address goes on to the filters used last; an empty one (`?q=`) starts afresh."""
    key = f"{_REMEMBERED}_{request.desk.at.partner_id}"
    if not request.GET and request.session.get(key):
        return go_to(request, f"{reverse('console:cases')}?{request.session[key]}")
    filters = Filters.of(request.GET.dict())
    _remember(request, key, filters)
    page = query.page(request.desk, filters)
    pages = max(1, -(-page.counts.total // query.SIZE))
    current = min(filters.page, pages)
    context = {
        "filters": filters,
        "page": page,
        **_choices(voice_of(request), filters, page.counts),
        "columns": _columns(voice_of(request), filters),
        "current": current,
        "pages": pages,
        "previous": filters.query(page=current - 1) if current > 1 else "",
        "next": filters.query(page=current + 1) if current < pages else "",
        "here": filters.query(page=current),
    }
    return live(request, "console/cases.html", "console/_cases.html", (page, filters), context)


def _remember(request: Seated, key: str, filters: Filters) -> None:
    kept = filters.query() if filters.query() != PLAIN else ""
    if request.session.get(key, "") != kept:
        request.session[key] = kept


def _choices(voice: Voice, filters: Filters, counts: query.Counts) -> dict[str, list[Choice]]:
    states = [
        Choice(
            state, voice.name("state", state), counts.states[state], filters.query(state=state), state == filters.state
        )
        for state in STATES
    ]
    toggles = [_toggle(voice, "held", counts.held, filters), _toggle(voice, "tasks", counts.tasks, filters)]
    levels = [_option(voice, "level", level, counts.levels.get(level, 0), filters) for level in LEVELS]
    steps = [_option(voice, "step", step, count, filters) for step, count in _by_count(counts.steps, filters.step)]
    waits = [_option(voice, "waits", code, count, filters) for code, count in _by_count(counts.waits, filters.waits)]
    return {"states": states, "toggles": toggles, "levels": levels, "steps": steps, "waits": waits}


def _toggle(voice: Voice, field: str, count: int, filters: Filters) -> Choice:
    chosen = bool(getattr(filters, field))
    return Choice(field, voice.say(f"cases.{field}"), count, filters.query(**{field: "" if chosen else "1"}), chosen)


def _option(voice: Voice, group: str, value: str, count: int, filters: Filters) -> Choice:
    chosen = getattr(filters, group) == value
    name = voice.say("overview.no_step") if value == NO_STEP else voice.name(group, value)
    return Choice(value, name, count, filters.query(**{group: "" if chosen else value}), chosen)


def _by_count(counts: dict[str, int], chosen: str) -> list[tuple[str, int]]:
    """The most frequent first; what is chosen is there even when nothing matches it any more."""
    known = counts if not chosen or chosen in counts else {**counts, chosen: 0}
    return sorted(known.items(), key=lambda one: (-one[1], one[0]))


def _columns(voice: Voice, filters: Filters) -> dict[str, Column]:
    """The sortable columns; a click sorts by one, a second click the other way."""
    first = {"account": "account", "overdue": "-overdue", "next": "next", "opened": "-opened"}
    columns = {}
    for name, order in first.items():
        flipped = order.removeprefix("-") if order.startswith("-") else f"-{order}"
        sorted_by = filters.sort.removeprefix("-") == name
        direction = ("descending" if filters.sort.startswith("-") else "ascending") if sorted_by else ""
        label = voice.say("cases.customer" if name == "account" else f"cases.{name}")
        query_string = filters.query(sort=flipped if filters.sort == order else order)
        columns[name] = Column(name, label, query_string, direction, name == "overdue")
    return columns
