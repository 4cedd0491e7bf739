"""Late interest agrees with a count of each single day, whatever the rates, leap years and part payments."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.core.interest.accrual import Bearing, Change, late_interest, still_to_book
from relight.core.interest.day_count import days_in_year, share_of_year
from relight.core.rules.rates import DayCountName, Entry, InterestTable, Series
from tests.unit.core.interest.day_by_day import a_day_is, counted

COUNTS: list[DayCountName] = ["actual/actual", "actual/365", "actual/360", "30/360"]
days = st.dates(date(2019, 1, 1), date(2033, 12, 31))
percents = st.one_of(st.none(), st.decimals(0, 30, places=2))


@st.composite
def lives(draw: st.DrawFn) -> tuple[int, date, dict[date, int], date]:
    """A principal, its due date, what was paid of it when, and the day until which is counted."""
    principal = draw(st.integers(1, 10**9))
    due = draw(days)
    until = due + timedelta(days=draw(st.integers(0, 900)))
    paid: dict[date, int] = {}
    left = principal
    for after in sorted(draw(st.lists(st.integers(-30, 900), max_size=5, unique=True))):
        amount = draw(st.integers(1, left)) if left else 0
        if amount:
            paid[due + timedelta(days=after)] = amount
            left -= amount
    return principal, due, paid, until


@st.composite
def rate_lists(draw: st.DrawFn) -> list[tuple[date, Decimal | None]]:
    """Rates from some day before all claims on, changed on any day of the year."""
    starts = sorted(draw(st.lists(days, max_size=12, unique=True)))
    return [(start, draw(percents)) for start in [date(2015, 1, 1), *starts]]


def table_of(rates: list[tuple[date, Decimal | None]], count: DayCountName) -> InterestTable:
    entries = tuple(Entry(start, percent, "verified") for start, percent in rates)
    return InterestTable("late_interest", "an act § 1", count, Series(entries, "until_changed", date(2040, 12, 31)))


@given(lives(), rate_lists(), st.sampled_from(COUNTS))
def test_interest_is_what_each_day_adds_up_to(
    life: tuple[int, date, dict[date, int], date], rates: list[tuple[date, Decimal | None]], count: DayCountName
) -> None:
    principal, due, paid, until = life
    claim = Bearing(principal, due, tuple(Change(day, -amount) for day, amount in paid.items()))

    interest = late_interest(claim, table_of(rates, count), until=until)

    exact, stopped = counted(principal, due, paid, rates, until, count=count)
    assert interest.exact == exact
    assert interest.amount == exact.numerator // exact.denominator
    assert (interest.stopped.day if interest.stopped else None) == stopped


@given(lives(), rate_lists(), st.sampled_from(COUNTS), st.lists(st.integers(0, 900), max_size=6))
def test_booking_often_comes_to_the_same_as_booking_once(
    life: tuple[int, date, dict[date, int], date],
    rates: list[tuple[date, Decimal | None]],
    count: DayCountName,
    stops: list[int],
) -> None:
    principal, due, paid, until = life
    claim = Bearing(principal, due, tuple(Change(day, -amount) for day, amount in paid.items()))
    table, booked = table_of(rates, count), 0

    for day in sorted(due + timedelta(days=stop) for stop in stops):
        booked += still_to_book(late_interest(claim, table, until=min(day, until)), booked=booked)
    booked += still_to_book(late_interest(claim, table, until=until), booked=booked)

    assert booked == late_interest(claim, table, until=until).amount


@given(lives(), rate_lists(), st.sampled_from(COUNTS))
def test_slices_follow_one_another_and_never_say_the_same_twice(
    life: tuple[int, date, dict[date, int], date], rates: list[tuple[date, Decimal | None]], count: DayCountName
) -> None:
    principal, due, paid, until = life
    claim = Bearing(principal, due, tuple(Change(day, -amount) for day, amount in paid.items()))

    slices = late_interest(claim, table_of(rates, count), until=until).slices

    assert all(due < one.first <= one.last <= until for one in slices)
    for before, after in pairwise(slices):
        assert before.last < after.first
        adjoin = before.last + timedelta(days=1) == after.first
        assert not adjoin or (before.principal, before.percent) != (after.principal, after.percent)


@pytest.mark.parametrize("count", COUNTS)
@given(first=days, middle=days, last=days)
def test_days_counted_in_two_parts_are_as_many(count: DayCountName, first: date, middle: date, last: date) -> None:
    begin, between, end = sorted((first, middle, last))

    whole = share_of_year(count, begin, end)

    assert whole == share_of_year(count, begin, between) + share_of_year(count, between, end)


@pytest.mark.parametrize("count", COUNTS)
@given(day=days)
def test_one_day_is_what_the_independent_count_says(count: DayCountName, day: date) -> None:
    assert share_of_year(count, day - timedelta(days=1), day) == a_day_is(count, day)


@pytest.mark.parametrize(
    ("count", "share"),
    [
        ("actual/actual", Fraction(1)),
        ("actual/365", Fraction(366, 365)),
        ("actual/360", Fraction(366, 360)),
        ("30/360", Fraction(1)),
    ],
)
def test_a_leap_year_is_a_year_or_a_day_more(count: DayCountName, share: Fraction) -> None:
    assert share_of_year(count, date(2027, 12, 31), date(2028, 12, 31)) == share
    assert (days_in_year(2027), days_in_year(2028), days_in_year(2100)) == (365, 366, 365)


def test_days_do_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="lies before"):
        share_of_year("actual/365", date(2026, 1, 2), date(2026, 1, 1))
