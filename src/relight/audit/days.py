"""Days: which ones count in a country, and where the spans that policies and laws write end. Shared with nobody."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Days:
    """A country's closed days: dates of every year ("12-25"), days before or after Easter Sunday, the first weekday of
    its name on or after a date (("mon", "05-25")), dates that give way to a Sunday by a day, single days; and whether a
    fixed date at a weekend is made up for on the next weekday.

    A country that the audit has no data for has none: terms come out shorter, so less is found, never too much.
    """

    fixed: frozenset[str] = frozenset()
    from_easter: frozenset[int] = frozenset()
    weekdays: frozenset[tuple[str, str]] = frozenset()
    before_sunday: frozenset[str] = frozenset()
    once: frozenset[date] = frozenset()
    made_up: bool = False

    def is_closed(self, day: date) -> bool:
        """Whether the day is a holiday, or one on which the banks are closed; weekends aside."""
        return day in _closed(self, day.year)

    def end_of(self, start: date, span: str) -> date:
        """The last day of a span ("4 weeks", "1 month", "3 working days") that begins after `start`."""
        count, unit = _parts(span)
        if unit in ("day", "week"):
            return start + count * (7 if unit == "week" else 1) * _DAY
        if unit == "month":
            return _months_later(start, count)
        last_weekday = 5 if unit == "werktag" else 4
        day = start
        while count:
            day += _DAY
            count -= day.weekday() <= last_weekday and not self.is_closed(day)
        return day


@dataclass(frozen=True)
class Hours:
    """A window as policies write it: local weekdays and half-open hours."""

    weekdays: frozenset[str]
    opens: int  # minutes after local midnight
    closes: int
    holidays: bool
    before_holidays: bool

    def lets(self, moment: datetime, zone: ZoneInfo, days: Days, closed: Iterable[date]) -> bool:
        """Whether the wall clock at this moment is within."""
        local = moment.astimezone(zone)
        day, minute = local.date(), local.hour * 60 + local.minute
        if WEEKDAYS[day.weekday()] not in self.weekdays or day in closed or not self.opens <= minute < self.closes:
            return False
        return (self.holidays or not days.is_closed(day)) and (self.before_holidays or not days.is_closed(day + _DAY))

    def __str__(self) -> str:
        names = " ".join(name for name in WEEKDAYS if name in self.weekdays)
        return f"{names} {self.opens // 60:02}:{self.opens % 60:02}-{self.closes // 60:02}:{self.closes % 60:02}"


@cache
def _closed(days: Days, year: int) -> frozenset[date]:
    """All closed days of a year."""
    fixed = sorted(date.fromisoformat(f"{year}-{text}") for text in days.fixed)
    found = {easter(year) + offset * _DAY for offset in days.from_easter}
    found |= {_on_or_after(date.fromisoformat(f"{year}-{text}"), WEEKDAYS.index(name)) for name, text in days.weekdays}
    for text in days.before_sunday:
        day = date.fromisoformat(f"{year}-{text}")
        found.add(day - _DAY if day.weekday() == 6 else day)
    found |= {day for day in days.once if day.year == year}
    taken = found | set(fixed)
    for day in fixed:
        if days.made_up and day.weekday() > 4:
            ahead = (day + count * _DAY for count in range(1, 9))
            taken.add(next(one for one in ahead if one not in taken and one.weekday() < 5))
    return frozenset(taken)


def _on_or_after(day: date, weekday: int) -> date:
    return day + (weekday - day.weekday()) % 7 * _DAY


@cache
def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Butcher's rule)."""
    golden, (century, rest) = year % 19, divmod(year, 100)
    leaps, skipped = divmod(century, 4)
    moon = (19 * golden + century - leaps - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * skipped + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def longest(span: str) -> float:
    """About how many days a span takes at most, to tell which of two is the longer."""
    count, unit = _parts(span)
    return count * _LONGEST[unit] + (_HOLIDAYS if unit in ("working day", "werktag") else 0)


_LONGEST = {"day": 1.0, "week": 7.0, "month": 31.0, "working day": 1.4, "werktag": 7 / 6}
_HOLIDAYS = 6  # around Christmas or Easter


def _parts(span: str) -> tuple[int, str]:
    """A count and a unit: day, week, month, working day or werktag. Raises ValueError for what is no span."""
    count, _, name = " ".join(span.lower().split()).partition(" ")
    unit = _UNITS.get(name)
    if not count.isdecimal() or unit is None:
        raise ValueError(f"{span!r} is not a span of time")
    return int(count), unit


_UNITS = {
    **dict.fromkeys(("day", "days"), "day"),
    **dict.fromkeys(("week", "weeks"), "week"),
    **dict.fromkeys(("month", "months"), "month"),
    **dict.fromkeys(("working day", "working days", "virkedag", "virkedager", "hverdag", "hverdage"), "working day"),
    **dict.fromkeys(("werktag", "werktage"), "werktag"),
}


def _months_later(start: date, months: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    for day in (start.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day, start.day))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
