"""Calendars: which days count, as frozen and hashed data, and the dates that legal spans lead to.

Dates come from the `holidays` package, laid over with the days in `packs/calendars/regions.json` on which banks are
closed though no law calls them holidays. Germany without a Land closes on every Land's holidays, which makes terms
longer and never shorter; Great Britain without a nation is England.
"""

import hashlib
import json
from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib import metadata, resources
from typing import TypedDict

import holidays

from relight.core.spans import Span, Unit

FIRST_YEAR, LAST_YEAR = 2000, 2060
SEARCH_FROM_YEAR = 2020  # longest spans are for terms yet to run: weddings and funerals of the past do not count
_SATURDAY, _SUNDAY = 5, 6
_DAY = timedelta(days=1)
_EVERY_MONTH = 28  # days that every month has
_IN_DAYS, _IN_WEEKS, _IN_MONTHS = Unit.DAYS, Unit.WEEKS, Unit.MONTHS  # a member of an enumeration is slow to name


class OutsideCalendar(ValueError):
    """The date lies outside the years that the calendar knows, so its working days cannot be counted."""


class UnknownCalendar(KeyError):
    """There is no calendar for that country or part of it."""


class _Region(TypedDict):
    code: str
    subdivisions: list[str]
    categories: list[str]
    closed: list[str]
    day_after: list[str]


@dataclass(frozen=True, slots=True)
class Calendar:
    """One region's days. `hash` is of the days alone, so that a new library with the same days changes nothing."""

    region: str
    version: str
    hash: str
    first: date
    last: date
    closed: frozenset[date]

    def is_holiday(self, day: date) -> bool:
        """Whether the day is a public holiday or the banks are closed, weekends aside; raises `OutsideCalendar`."""
        if not self.first <= day <= self.last:
            raise OutsideCalendar(f"{day} is outside {self.first} to {self.last}, the days of calendar {self.region}")
        return day in self.closed

    def is_working_day(self, day: date) -> bool:
        """Monday to Friday and no holiday (hverdag, virkedag); raises `OutsideCalendar`."""
        return day.weekday() < _SATURDAY and not self.is_holiday(day)

    def is_werktag(self, day: date) -> bool:
        """Monday to Saturday and no holiday (BUrlG § 3 (2), BGB § 193); raises `OutsideCalendar`."""
        return day.weekday() < _SUNDAY and not self.is_holiday(day)

    def add(self, start: date, span: Span) -> date:
        """The day on which the whole span has elapsed, `start` not counted. A month ends on the same day of the month,
        or on the last one it has. Only spans of working days raise `OutsideCalendar`."""
        unit = span.unit
        if unit is _IN_DAYS:
            return start + span.count * _DAY
        if unit is _IN_WEEKS:
            return start + span.count * 7 * _DAY
        if unit is _IN_MONTHS:
            return _add_months(start, span.count)
        return self._add_counted(start, span)

    def longest_days(self, span: Span) -> int:
        """The most calendar days that the span can take, wherever it starts in the calendar's years from 2020."""
        return _longest_days(self, span)

    def _add_counted(self, start: date, span: Span) -> date:
        self.is_holiday(start)  # refuses a start outside the calendar
        if span.count == 0:
            return start
        days = _counted_days(self, span.unit)
        index = bisect_right(days, start.toordinal()) + span.count - 1
        if index >= len(days):
            raise OutsideCalendar(f"{span} after {start} ends after {self.last}, the last day of {self.region}")
        return date.fromordinal(days[index])


def due_date(calendar: Calendar, base: date, span: Span) -> date:
    """The first day on which something due `span` after `base` may be done: a term is exclusive, so the whole span
    passes and the act comes at the start of the day after (law README, semantics 2)."""
    return calendar.add(base, span) + _DAY


@lru_cache(maxsize=64)
def calendar_for(region: str) -> Calendar:
    """The calendar of a country ("NO") or a part of one ("DE-BY", "GB-SCT", ISO 3166-2); raises `UnknownCalendar`."""
    country, _, part = region.partition("-")
    rules = _regions().get(country)
    if rules is None:
        raise UnknownCalendar(f"no calendar for {region!r}; there are {', '.join(_regions())}")
    closed = frozenset(_closed_days(rules, [part] if part else rules["subdivisions"]))
    return Calendar(
        region=region,
        version=f"holidays {metadata.version('holidays')}, {FIRST_YEAR}-{LAST_YEAR}",
        hash=_hash(region, closed),
        first=date(FIRST_YEAR, 1, 1),
        last=date(LAST_YEAR, 12, 31),
        closed=closed,
    )


@lru_cache(maxsize=1)
def _regions() -> dict[str, _Region]:
    text = resources.files("relight.core.packs").joinpath("calendars/regions.json").read_text("utf-8")
    return json.loads(text)


def _closed_days(rules: _Region, parts: list[str]) -> Iterator[date]:
    for part in _expand(rules["code"], parts):
        days = _published(rules, part)
        yield from days
        for name in rules["day_after"]:
            named = days.get_named(name)
            assert named, f"regions.json names {name!r}, which {rules['code']} does not have"
            yield from (day + _DAY for day in named)
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        yield from (date.fromisoformat(f"{year}-{month_day}") for month_day in rules["closed"])


def _expand(code: str, parts: list[str]) -> list[str | None]:
    known = holidays.list_supported_countries()[code]
    if parts == ["all"]:
        return list(known)
    for part in parts:
        if part not in known:
            raise UnknownCalendar(f"no calendar for {code}-{part}; there are {', '.join(known)}")
    return list(parts) or [None]


def _published(rules: _Region, part: str | None) -> holidays.HolidayBase:
    return holidays.country_holidays(
        rules["code"],
        subdiv=part,
        years=range(FIRST_YEAR, LAST_YEAR + 1),
        categories=tuple(rules["categories"]),
        expand=False,
        language="en_US",  # names are looked up above; without it they follow the host's language
    )


def _hash(region: str, closed: frozenset[date]) -> str:
    content = {"region": region, "weekend": [_SATURDAY, _SUNDAY], "closed": sorted(day.isoformat() for day in closed)}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _add_months(start: date, months: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = start.day if start.day <= _EVERY_MONTH else min(start.day, monthrange(year, month + 1)[1])
    return date(year, month + 1, day)


@lru_cache(maxsize=64)
def _counted_days(calendar: Calendar, unit: Unit) -> tuple[int, ...]:
    counts = calendar.is_werktag if unit is Unit.WERKTAGE else calendar.is_working_day
    ordinals = range(calendar.first.toordinal(), calendar.last.toordinal() + 1)
    return tuple(ordinal for ordinal in ordinals if counts(date.fromordinal(ordinal)))


@lru_cache(maxsize=512)
def _longest_days(calendar: Calendar, span: Span) -> int:
    longest, start = 0, date(SEARCH_FROM_YEAR, 1, 1)
    # A start in the last year would run out of calendar for long spans and has nothing that earlier years lack.
    while start.year < LAST_YEAR - span.count // 200:
        longest = max(longest, (calendar.add(start, span) - start).days)
        start += _DAY
    return longest
