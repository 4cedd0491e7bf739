"""Messages and cuts keep to the wall clock, also on the days on which it jumps."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from relight.core.calendars import calendar_for
from relight.core.windows import NeverOpen, Window, is_open, local_date, local_midnight, next_in_window

OSLO = ZoneInfo("Europe/Oslo")
ZONES = st.sampled_from(["Europe/Oslo", "Europe/London", "America/Sao_Paulo", "Australia/Lord_Howe"]).map(ZoneInfo)
NORWAY = calendar_for("NO")
OFFICE = Window(frozenset({0, 1, 2, 3}), 9 * 60, 14 * 60, before_holidays=False)
NIGHT = Window(frozenset(range(7)), 2 * 60 + 30, 3 * 60 + 30)
QUARTER = timedelta(minutes=15)
INSTANT = timedelta(microseconds=1)

# Around both changes of 2026 in Oslo, Easter, and a change at midnight (São Paulo, October 2017).
STARTS = st.sampled_from(
    [datetime(2026, 3, 24), datetime(2026, 4, 1), datetime(2026, 10, 22), datetime(2017, 10, 12), datetime(2026, 4, 3)]  # noqa: DTZ001
)
MOMENTS = st.builds(
    lambda start, quarters: start.replace(tzinfo=UTC) + quarters * QUARTER, STARTS, st.integers(0, 4 * 24 * 5)
)
WINDOWS = st.builds(
    lambda days, hours, on, before: Window(days, min(hours) * 15, max(hours) * 15, on, before),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.lists(st.integers(0, 96), min_size=2, max_size=2, unique=True),
    st.booleans(),
    st.booleans(),
)


def oslo(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=OSLO, fold=fold).astimezone(UTC)


@given(MOMENTS, WINDOWS, ZONES)
def test_finds_the_very_first_quarter_that_is_open(moment: datetime, window: Window, tz: ZoneInfo) -> None:
    scan = (moment + n * QUARTER for n in range(4 * 24 * 9))
    first = next((quarter for quarter in scan if is_open(quarter, window, tz, NORWAY)), None)
    assume(first is not None)

    assert next_in_window(moment, window, tz, NORWAY) == first


@given(MOMENTS, WINDOWS, ZONES, st.integers(0, 899_999_999))
def test_answers_are_open_and_never_in_the_past(
    moment: datetime, window: Window, tz: ZoneInfo, microseconds: int
) -> None:
    moment += timedelta(microseconds=microseconds)

    found = next_in_window(moment, window, tz, NORWAY)

    local = found.astimezone(tz)
    assert found >= moment
    assert found.tzinfo is UTC
    assert local.weekday() in window.weekdays
    assert window.opens_minute <= local.hour * 60 + local.minute < window.closes_minute


@given(st.dates(date(2005, 1, 1), date(2037, 12, 31)), ZONES)
def test_midnight_is_the_first_instant_of_the_day(day: date, tz: ZoneInfo) -> None:
    midnight = local_midnight(day, tz)

    assert local_date(midnight, tz) == day
    assert local_date(midnight - INSTANT, tz) == day - timedelta(days=1)


def test_a_day_that_begins_at_one_begins_at_one() -> None:
    midnight = local_midnight(date(2017, 10, 15), ZoneInfo("America/Sao_Paulo"))

    assert midnight.astimezone(ZoneInfo("America/Sao_Paulo")).hour == 1


def test_within_the_window_is_now() -> None:
    moment = oslo(2026, 10, 20, 13, 59, 59)

    assert next_in_window(moment, OFFICE, OSLO, NORWAY) == moment


def test_two_oclock_is_too_late_and_waits_for_the_morning() -> None:
    assert next_in_window(oslo(2026, 10, 20, 14), OFFICE, OSLO, NORWAY) == oslo(2026, 10, 21, 9)


def test_no_cut_before_the_weekend_nor_before_a_holiday() -> None:
    # Wednesday 1 April 2026 is the day before Maundy Thursday; Tuesday the 7th is the first day after Easter.
    assert next_in_window(oslo(2026, 3, 31, 14), OFFICE, OSLO, NORWAY) == oslo(2026, 4, 7, 9)


def test_keeps_the_partners_closing_days() -> None:
    closed = {date(2026, 10, 21)}

    assert next_in_window(oslo(2026, 10, 20, 14), OFFICE, OSLO, NORWAY, closed) == oslo(2026, 10, 22, 9)


def test_nine_oclock_is_nine_oclock_in_winter_and_in_summer() -> None:
    before = next_in_window(oslo(2026, 3, 26, 0), OFFICE, OSLO, NORWAY)
    after = next_in_window(oslo(2026, 3, 30, 0), OFFICE, OSLO, NORWAY)

    assert (before.hour, after.hour) == (8, 7)


def test_opens_when_the_clock_has_jumped_over_its_hour() -> None:
    assert next_in_window(oslo(2026, 3, 29, 0), NIGHT, OSLO, NORWAY) == oslo(2026, 3, 29, 3)


def test_is_open_both_times_in_the_hour_that_comes_twice() -> None:
    first, second = oslo(2026, 10, 25, 2, 45), oslo(2026, 10, 25, 2, 45, fold=1)
    between = oslo(2026, 10, 25, 2, 10, fold=1)

    assert is_open(first, NIGHT, OSLO, NORWAY)
    assert is_open(second, NIGHT, OSLO, NORWAY)
    assert next_in_window(between, NIGHT, OSLO, NORWAY) == oslo(2026, 10, 25, 2, 30, fold=1)


def test_says_so_when_it_never_opens() -> None:
    every_day = {date(2026, 1, 1) + timedelta(days=n) for n in range(500)}

    with pytest.raises(NeverOpen, match="does not open within"):
        next_in_window(oslo(2026, 1, 1), OFFICE, OSLO, NORWAY, every_day)


def test_refuses_a_moment_without_a_zone() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        next_in_window(datetime(2026, 1, 1), OFFICE, OSLO, NORWAY)  # noqa: DTZ001


def test_a_window_in_the_hour_that_a_day_lacks_at_its_beginning_opens_a_day_later() -> None:
    sao_paulo = ZoneInfo("America/Sao_Paulo")  # Sunday 15 October 2017 began at one o'clock
    first_quarter = Window(frozenset({6, 0}), 0, 15, on_holidays=True)

    found = next_in_window(datetime(2017, 10, 14, 12, tzinfo=UTC), first_quarter, sao_paulo, NORWAY)

    assert found.astimezone(sao_paulo) == datetime(2017, 10, 16, 0, 0, tzinfo=sao_paulo)


def test_hours_that_were_kept_are_told_like_those_that_are_found_anew() -> None:
    kept = Window(frozenset({0, 1, 2}), 9 * 60, 17 * 60)
    moments = [datetime(2026, 3, 27, tzinfo=UTC) + n * timedelta(minutes=97) for n in range(150)]

    first = [next_in_window(moment, kept, OSLO, NORWAY) for moment in moments]
    again = [next_in_window(moment, kept, OSLO, NORWAY) for moment in moments]
    anew = [next_in_window(moment, Window(frozenset({0, 1, 2}), 9 * 60, 17 * 60), OSLO, NORWAY) for moment in moments]

    assert first == again == anew
