"""The clock of the proof: the earliest days on which a path's steps can be taken, for every day it may begin on.

The counting is `decide`'s own (`waits`); what delays a step on the road (a window, a hold, an approval, a letter that
takes days) only makes it later, so no case is ever faster than this. All days of 28 years are tried as the first: the
weekdays come round, and months, leap years and every date of Easter are met with.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache

from relight.core.calendars import Calendar, due_date
from relight.core.policy import Policy
from relight.core.prove.paths import Path
from relight.core.waits import SETTLEMENT, earliest_day, longest_term, waited

FIRST_START = date(2026, 1, 1)
YEARS = 28
_DAY = timedelta(days=1)
DUE = -1  # the place on a path of the due date, before the first step


@lru_cache(maxsize=1)
def starts() -> tuple[date, ...]:
    """Every day on which something may begin."""
    return tuple(FIRST_START + timedelta(days=ahead) for ahead in range(366 * YEARS))


def days_between(policy: Policy, calendar: Calendar, path: Path, first: int, last: int, day: date) -> list[date]:
    """The earliest day of each step after `first` up to `last`, when `first` was taken on `day` and done at once."""
    return walk(policy, calendar, path, first, last)(day)


def walk(policy: Policy, calendar: Calendar, path: Path, first: int, last: int) -> Callable[[date], list[date]]:
    """`days_between` for many first days: what does not depend on the day is worked out once."""
    stretch = [
        (path.steps[place], longest_term(policy, calendar, path.steps[place - 1]) if place else None)
        for place in range(first + 1, last + 1)
    ]

    def days(base: date) -> list[date]:
        found: list[date] = []
        for step, term in stretch:
            pay_by = calendar.add(base, term) if term is not None else None
            base = earliest_day(calendar, policy, step, base, pay_by, path.delay)
            found.append(base)
        return found

    return days


def pay_by_of(policy: Policy, calendar: Calendar, path: Path, place: int, day: date) -> date | None:
    """The last day of the term that a step's notice gives when it is taken on `day`."""
    term = longest_term(policy, calendar, path.steps[place])
    return calendar.add(day, term) if term is not None else None


def first_breach(
    policy: Policy, calendar: Calendar, path: Path, first: int, last: int, lawful_from: Callable[[date], date]
) -> Iterator[tuple[date, list[date], date]]:
    """At most one start day on which the wait for `last` would be over before `lawful_from(start)`: the start, the days
    of the steps after it, and the first lawful day. The days for payments in transit before a cut do not count: they
    come after what the law gives the customer, and not in its place."""
    days_before, step = walk(policy, calendar, path, first, last - 1), path.steps[last]
    term = longest_term(policy, calendar, path.steps[last - 1]) if last else None
    for day in starts():
        days = days_before(day)
        base = days[-1] if days else day
        pay_by = calendar.add(base, term) if term is not None else None
        days.append(waited(calendar, step, base, pay_by, path.delay) + _DAY)
        lawful = lawful_from(day)
        if days[-1] < lawful:
            yield day, days, lawful
            return


def first_unsettled(
    policy: Policy, calendar: Calendar, path: Path, first: int, last: int, lawful_from: Callable[[date], date]
) -> Iterator[tuple[date, list[date], date]]:
    """At most one start day on which the cut `last` would come before a payment has arrived that was ordered on the
    last day before `lawful_from(start)`: as above."""
    days_to = walk(policy, calendar, path, first, last)
    for day in starts():
        days = days_to(day)
        arrived = due_date(calendar, lawful_from(day) - _DAY, SETTLEMENT)
        if days[-1] < arrived:
            yield day, days, arrived
            return
