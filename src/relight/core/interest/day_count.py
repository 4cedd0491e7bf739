"""What share of a year some days are, exactly, by the way of counting that a law pack names.

Days are counted after one date and up to another: from the due date to the day of payment, ten days later, are ten.
"""

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction

from relight.core.rules.rates import DayCountName

_LONGEST_MONTH = 30  # of a year of twelve equal months


def share_of_year(count: DayCountName, after: date, until: date) -> Fraction:
    """The share of a year of the days after `after`, `until` included. Raises ValueError when it lies before."""
    if until < after:
        raise ValueError(f"{until} lies before {after}")
    return _COUNTS[count](after, until)


def days_in_year(year: int) -> int:
    """365, or 366 in a leap year."""
    return (date(year + 1, 1, 1) - date(year, 1, 1)).days


def _actual_actual(after: date, until: date) -> Fraction:
    """Each day is a 365th, in a leap year a 366th."""
    total = Fraction(0)
    for year in range(after.year, until.year + 1):
        first, last = max(after, date(year - 1, 12, 31)), min(until, date(year, 12, 31))
        total += Fraction((last - first).days, days_in_year(year))
    return total


def _actual_over(days: int) -> Callable[[date, date], Fraction]:
    return lambda after, until: Fraction((until - after).days, days)


def _thirty_360(after: date, until: date) -> Fraction:
    """Twelve months of thirty days: the 31st is no day, and the first of March makes up for February."""
    return Fraction(_serial(until) - _serial(after), 360)


def _serial(day: date) -> int:
    return day.year * 360 + day.month * _LONGEST_MONTH + min(day.day, _LONGEST_MONTH)


_COUNTS: Mapping[DayCountName, Callable[[date, date], Fraction]] = {
    "actual/actual": _actual_actual,
    "actual/365": _actual_over(365),
    "actual/360": _actual_over(360),
    "30/360": _thirty_360,
}
