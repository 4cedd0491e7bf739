"""Late interest counted another way: one day after the other, each with its own rate, principal and share of a year."""

from calendar import isleap
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

Rates = Sequence[tuple[date, Decimal | None]]


def a_day_is(count: str, day: date) -> Fraction:
    """A day's share of a year."""
    if count == "actual/actual":
        return Fraction(1, 366 if isleap(day.year) else 365)
    if count == "30/360":
        if day.day == 31:
            return Fraction(0)
        last_of_february = 29 if isleap(day.year) else 28
        return Fraction(31 - last_of_february if (day.month, day.day) == (3, 1) else 1, 360)
    return Fraction(1, int(count.removeprefix("actual/")))


def counted(
    principal: int, due: date, paid: Mapping[date, int], rates: Rates, until: date, *, count: str = "actual/actual"
) -> tuple[Fraction, date | None]:
    """The interest until a day, exactly, and the first day that had no rate. `paid` is by value date."""
    total, day = Fraction(0), due
    while day < until:
        day += timedelta(days=1)
        owed = principal - sum(amount for when, amount in paid.items() if when < day)
        percent = next((rate for start, rate in reversed(rates) if start <= day), None)
        if owed and percent is None:
            return total, day
        if owed and percent is not None:
            total += owed * Fraction(percent) / 100 * a_day_is(count, day)
    return total, None
