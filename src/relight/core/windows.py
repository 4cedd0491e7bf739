"""Windows: the local weekdays and hours in which a message may leave or a cut may happen."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from relight.core.calendars import Calendar

WEEKDAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SEARCH_DAYS_MAX = 400
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_KEPT_MAX = 4096


class NeverOpen(ValueError):
    """The window does not open once in more than a year: its weekdays or the closing days leave nothing."""


# When a window opens and closes on a local day, in UTC; "by hand": the clock jumps on that day, so look closely.
Hours = tuple[datetime, datetime] | Literal["shut", "by hand"]
HoursKey = tuple[date, ZoneInfo, str]  # the day, where, and the calendar's hash


@dataclass(frozen=True, slots=True)
class Window:
    """Local wall-clock hours on some weekdays. Half-open: 9 to 14 lets 13:59:59 through, and 14:00 not.

    `weekdays` are numbers as `date.weekday` gives them (0 is Monday); the hours are minutes after local midnight.
    """

    weekdays: frozenset[int]
    opens_minute: int
    closes_minute: int
    on_holidays: bool = False
    before_holidays: bool = True  # whether the day before a holiday counts as open
    kept_hours: dict[HoursKey, Hours] = field(
        default_factory=dict[HoursKey, Hours], init=False, repr=False, compare=False
    )  # of the days that were asked for, since everybody is asked on the same days

    def opens_on(self, day: date, calendar: Calendar, closed_dates: Collection[date] = ()) -> bool:
        """Whether the window opens at all on a local day."""
        if day.weekday() not in self.weekdays or day in closed_dates:
            return False
        if not self.on_holidays and calendar.is_holiday(day):
            return False
        return self.before_holidays or not calendar.is_holiday(day + _DAY)


def is_open(
    moment: datetime, window: Window, tz: ZoneInfo, calendar: Calendar, closed_dates: Collection[date] = ()
) -> bool:
    """Whether the wall clock in `tz` shows a time within the window."""
    local = _aware(moment).astimezone(tz)
    minute = local.hour * 60 + local.minute
    return window.opens_minute <= minute < window.closes_minute and window.opens_on(
        local.date(), calendar, closed_dates
    )


def next_in_window(
    moment: datetime, window: Window, tz: ZoneInfo, calendar: Calendar, closed_dates: Collection[date] = ()
) -> datetime:
    """The earliest moment, `moment` itself included, at which the window is open, in UTC; raises `NeverOpen`.

    Exact where the clock jumps: a window that opens in the hour that spring skips opens when the clock has jumped,
    and in the hour that autumn repeats it is open both times.
    """
    if moment.tzinfo is not UTC:
        moment = _aware(moment).astimezone(UTC)
    day = local_date(moment, tz)
    for _ in range(SEARCH_DAYS_MAX):
        if day not in closed_dates:
            found = _first_open(moment, day, window, tz, calendar)
            if found is not None:
                return found
        day += _DAY
    raise NeverOpen(f"the window does not open within {SEARCH_DAYS_MAX} days of {moment:%Y-%m-%d}")


def _first_open(moment: datetime, day: date, window: Window, tz: ZoneInfo, calendar: Calendar) -> datetime | None:
    """The first moment of a local day, from `moment` on, at which the window is open; None when there is none."""
    kept, key = window.kept_hours, (day, tz, calendar.hash)
    hours = kept.get(key)
    if hours is None:
        if len(kept) >= _KEPT_MAX:
            kept.clear()
        hours = kept[key] = _hours(window, day, tz, calendar)
    if hours == "shut":
        return None
    if hours == "by hand":
        starts = [start for start in (moment, *_possible_starts(day, window.opens_minute, tz)) if start >= moment]
        return next((s for s in starts if local_date(s, tz) == day and is_open(s, window, tz, calendar)), None)
    opens, closes = hours
    if moment >= closes:
        return None
    return moment if moment > opens else opens


def _hours(window: Window, day: date, tz: ZoneInfo, calendar: Calendar) -> Hours:
    if not window.opens_on(day, calendar):
        return "shut"
    begins, ends = local_midnight(day, tz), local_midnight(day + _DAY, tz)
    # A day may begin at one, where the clock jumps at midnight, or not be there at all, where it jumps a whole day.
    begins_at_midnight = begins.astimezone(tz).replace(tzinfo=None) == datetime.combine(day, time())
    if not begins_at_midnight or _offset(begins, tz) != _offset(ends, tz):
        return "by hand"
    return begins + window.opens_minute * _MINUTE, begins + window.closes_minute * _MINUTE


@lru_cache(maxsize=4096)
def local_midnight(day: date, tz: ZoneInfo) -> datetime:
    """The first moment of a local day, in UTC, also where the clock jumps at midnight."""
    return _at_minute(day, 0, tz)[0]


def local_date(moment: datetime, tz: ZoneInfo) -> date:
    """The local day of a moment."""
    return _utc_date(moment, tz) if moment.tzinfo is UTC else _aware(moment).astimezone(tz).date()


@lru_cache(maxsize=4096)
def _utc_date(moment: datetime, tz: ZoneInfo) -> date:
    """Kept, since one decision asks several times; only for UTC, where equal moments are the same moment."""
    return moment.astimezone(tz).date()


@lru_cache(maxsize=4096)
def _possible_starts(day: date, opens_minute: int, tz: ZoneInfo) -> tuple[datetime, ...]:
    """When a window may open on a day, in order: at its hour, and when the clock has jumped."""
    return tuple(sorted({*_at_minute(day, opens_minute, tz), *_jumps(day, tz)}))


def _at_minute(day: date, minute: int, tz: ZoneInfo) -> list[datetime]:
    """The moments at which the wall clock reaches a minute: two when it is repeated; when it is skipped, the jump."""
    wall = datetime.combine(day, time(minute // 60, minute % 60))
    moments = sorted({wall.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (0, 1)})
    shown = [moment for moment in moments if moment.astimezone(tz).replace(tzinfo=None) == wall]
    return shown or [_jump_between(moments[0], moments[-1], tz)]


def _jumps(day: date, tz: ZoneInfo) -> list[datetime]:
    noons = [datetime.combine(day + shift * _DAY, time(12), tzinfo=tz).astimezone(UTC) for shift in (-1, 0, 1)]
    jumps = [_jump_between(*pair, tz) for pair in pairwise(noons) if _offset(pair[0], tz) != _offset(pair[1], tz)]
    return [jump for jump in jumps if local_date(jump, tz) == day]


def _jump_between(before: datetime, after: datetime, tz: ZoneInfo) -> datetime:
    """The first minute with the offset of `after`. Zones jump on whole minutes, and at most once in a day."""
    offset = _offset(after, tz)
    while after - before > _MINUTE:
        middle = before + (after - before) // _MINUTE // 2 * _MINUTE
        before, after = (before, middle) if _offset(middle, tz) == offset else (middle, after)
    return after


def _offset(moment: datetime, tz: ZoneInfo) -> timedelta | None:
    return moment.astimezone(tz).utcoffset()


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone is no moment; use aware datetimes")
    return moment
