"""Legal units are counted on each country's own days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.core.calendars import OutsideCalendar, UnknownCalendar, calendar_for, due_date
from relight.core.spans import Span, Unit, WrongSpan

COUNTRIES = ["NO", "DK", "NL", "SE", "DE", "GB", "BE"]
DAYS = st.dates(date(2001, 1, 1), date(2050, 12, 31))
SPANS = st.builds(Span, st.integers(0, 60), st.sampled_from(Unit))
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("region", "span", "days"),
    [
        ("DK", "3 hverdage", 12),
        ("DK", "15 hverdage", 28),
        ("DE", "8 werktage", 14),
        ("DE-BY", "8 werktage", 14),
        ("DE-HH", "8 werktage", 13),
        ("GB", "7 working days", 14),
        ("NO", "1 month", 31),
        ("NO", "4 weeks", 28),
        ("NO", "3 days", 3),
    ],
)
def test_knows_the_longest_that_a_legal_term_can_take(region: str, span: str, days: int) -> None:
    assert calendar_for(region).longest_days(Span.parse(span)) == days


@pytest.mark.parametrize(
    ("country", "day", "why"),
    [
        ("NO", date(2026, 12, 24), "banks are closed"),
        ("NO", date(2026, 12, 31), "banks are closed"),
        ("NO", date(2026, 5, 17), "the national day"),
        ("DK", date(2026, 5, 15), "banks are closed on the Friday after Ascension"),
        ("DK", date(2026, 6, 5), "the constitution's day"),
        ("NL", date(2026, 5, 5), "the Algemene termijnenwet counts it every year"),
        ("SE", date(2026, 6, 19), "Midsummer's Eve"),
        ("GB", date(2026, 4, 6), "Easter Monday in England"),
        ("DE", date(2026, 1, 6), "a holiday in some Länder"),
        ("DE-BY", date(2026, 1, 6), "a holiday in Bavaria"),
    ],
)
def test_knows_the_days_that_do_not_count(country: str, day: date, why: str) -> None:
    assert calendar_for(country).is_holiday(day), why


def test_great_prayer_day_counts_again_since_2024() -> None:
    calendar = calendar_for("DK")

    assert calendar.is_holiday(date(2023, 5, 5))
    assert calendar.is_working_day(date(2024, 4, 26))


def test_saturday_is_a_werktag_and_no_working_day() -> None:
    saturday = date(2026, 10, 24)
    calendar = calendar_for("DE-HH")

    assert calendar.is_werktag(saturday)
    assert not calendar.is_working_day(saturday)
    assert not calendar.is_werktag(saturday + DAY)


@pytest.mark.parametrize(
    ("base", "span", "due"),
    [
        (date(2026, 3, 10), "3 days", date(2026, 3, 14)),
        (date(2026, 3, 10), "4 weeks", date(2026, 4, 8)),
        (date(2026, 1, 31), "1 month", date(2026, 3, 1)),
        (date(2028, 1, 31), "1 month", date(2028, 3, 1)),
        (date(2026, 12, 15), "1 month", date(2027, 1, 16)),
        (date(2026, 3, 31), "3 working days", date(2026, 4, 9)),
        (date(2026, 3, 10), "0 days", date(2026, 3, 11)),
    ],
)
def test_falls_due_the_day_after_the_whole_term(base: date, span: str, due: date) -> None:
    assert due_date(calendar_for("NO"), base, Span.parse(span)) == due


def test_a_month_is_clipped_to_the_months_end() -> None:
    assert calendar_for("NO").add(date(2026, 1, 31), Span.parse("1 month")) == date(2026, 2, 28)


@given(st.sampled_from(COUNTRIES), DAYS, st.integers(1, 60))
def test_exactly_that_many_working_days_have_passed(country: str, start: date, count: int) -> None:
    calendar = calendar_for(country)

    end = calendar.add(start, Span(count, Unit.WORKING_DAYS))

    passed = [start + n * DAY for n in range(1, (end - start).days + 1)]
    assert sum(calendar.is_working_day(day) for day in passed) == count
    assert calendar.is_working_day(end)


@given(st.sampled_from(COUNTRIES), DAYS, DAYS, SPANS)
def test_a_later_start_never_ends_earlier(country: str, one: date, other: date, span: Span) -> None:
    calendar = calendar_for(country)
    earlier, later = sorted([one, other])

    assert calendar.add(earlier, span) <= calendar.add(later, span)


@given(st.sampled_from(COUNTRIES), st.dates(date(2020, 1, 1), date(2055, 12, 31)), SPANS)
def test_no_term_is_longer_than_the_longest(country: str, start: date, span: Span) -> None:
    calendar = calendar_for(country)

    assert (calendar.add(start, span) - start).days <= calendar.longest_days(span)


@given(st.sampled_from(COUNTRIES), DAYS, st.integers(0, 60))
def test_werktage_never_last_longer_than_working_days(country: str, start: date, count: int) -> None:
    calendar = calendar_for(country)

    assert calendar.add(start, Span(count, Unit.WERKTAGE)) <= calendar.add(start, Span(count, Unit.WORKING_DAYS))


def test_refuses_to_guess_beyond_its_years() -> None:
    calendar = calendar_for("NO")

    with pytest.raises(OutsideCalendar, match="1999-12-31 is outside"):
        calendar.is_working_day(date(1999, 12, 31))
    with pytest.raises(OutsideCalendar, match="ends after 2060-12-31"):
        calendar.add(date(2060, 12, 30), Span.parse("5 working days"))


@pytest.mark.parametrize("region", ["XX", "DE-XX", "NO-XX"])
def test_refuses_regions_it_does_not_know(region: str) -> None:
    with pytest.raises(UnknownCalendar, match="no calendar for"):
        calendar_for(region)


@pytest.mark.parametrize(
    ("country", "digest"),
    [
        ("NO", "22adf5322742f85d"),
        ("DK", "d08078b6d4a75e17"),
        ("NL", "ca0af40173cb8339"),
        ("SE", "d511e57aa58a125e"),
        ("DE", "41576693d7a40145"),
        ("GB", "ef9b29930d0d2678"),
        ("BE", "17b9be25011f7398"),
    ],
)
def test_the_days_have_not_changed_behind_our_back(country: str, digest: str) -> None:
    assert calendar_for(country).hash.startswith(digest), "`holidays` has other days now: look at them, then move on"


@given(st.integers(0, 999), st.sampled_from(Unit))
def test_spans_are_read_as_they_are_written(count: int, unit: Unit) -> None:
    span = Span(count, unit)

    assert Span.parse(str(span)) == span


@pytest.mark.parametrize(
    "text", ["", "3", "days", "three days", "-1 days", "1.5 days", "3 days ago", "1000 days", "٣ days"]
)
def test_refuses_what_is_no_span(text: str) -> None:
    with pytest.raises(WrongSpan):
        Span.parse(text)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("5 virkedager", Unit.WORKING_DAYS), ("3 hverdage", Unit.WORKING_DAYS), ("8 Werktage", Unit.WERKTAGE)],
)
def test_reads_the_units_of_the_laws_own_languages(text: str, unit: Unit) -> None:
    assert Span.parse(text).unit is unit
