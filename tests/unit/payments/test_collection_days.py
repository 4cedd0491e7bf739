"""The days of a collection: never too early, never on a closed day, tried again when there is money."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from relight.core.calendars import calendar_for
from relight.core.spans import Span
from relight.flow.payments.mandates import days
from relight.flow.payments.mandates.rules import Retry, pay_day, schemes

COUNTRIES = {"avtalegiro": "NO", "betalingsservice": "DK", "sepa": "NL"}
CALENDARS = {name: calendar_for(country) for name, country in COUNTRIES.items()}
SCHEME = schemes()  # read here: the first look takes longer than a property may
DAYS = some.dates(date(2025, 1, 1), date(2030, 12, 31))
SCHEMES = some.sampled_from(sorted(COUNTRIES))


def counted(name: str, first: date, last: date) -> int:
    """Working days after the first up to the last, counted one by one."""
    calendar, scheme = CALENDARS[name], SCHEME[name]
    span = (first + timedelta(days=at) for at in range(1, (last - first).days + 1))
    return sum(calendar.is_working_day(day) and (day.month, day.day) not in scheme.closed for day in span)


@given(SCHEMES, DAYS, some.integers(-60, 90), some.integers(0, 60))
def test_a_collection_is_on_an_open_day_late_enough_for_bill_file_and_notice(
    name: str, today: date, due_in: int, told: int
) -> None:
    calendar, scheme = CALENDARS[name], SCHEME[name]
    due, announced = today + timedelta(days=due_in), today - timedelta(days=told)

    day = days.collect_on(calendar, scheme, today=today, not_before=due, announced=announced)

    assert calendar.is_working_day(day)
    assert (day.month, day.day) not in scheme.closed
    assert day >= due
    assert counted(name, today, day) >= scheme.send_before.count
    assert days.last_to_send(calendar, scheme, day) >= today
    assert scheme.notice is None or (day - announced).days >= scheme.notice.count


@given(SCHEMES, DAYS)
def test_no_day_is_lost_between_the_last_file_and_its_collection(name: str, collect: date) -> None:
    calendar, scheme = CALENDARS[name], SCHEME[name]
    collect = days.opened(calendar, scheme, collect)

    last = days.last_to_send(calendar, scheme, collect)

    reached = collect.replace(day=1) if scheme.monthly else collect
    assert counted(name, last, reached) == scheme.send_before.count
    assert counted(name, last + timedelta(days=1), reached) < scheme.send_before.count
    assert days.last_to_recall(calendar, scheme, collect) >= last


@given(SCHEMES, DAYS)
def test_a_file_is_written_on_an_open_day_with_another_one_to_spare(name: str, collect: date) -> None:
    calendar, scheme = CALENDARS[name], SCHEME[name]
    collect = days.opened(calendar, scheme, collect)

    written, last = days.file_day(calendar, scheme, collect), days.last_file_day(calendar, scheme, collect)

    assert days.is_open(calendar, scheme, written)
    assert days.is_open(calendar, scheme, last)
    assert last <= days.last_to_send(calendar, scheme, collect)
    assert counted(name, written, last) == scheme.spare.count


@given(SCHEMES, DAYS, some.integers(1, 31))
def test_the_next_pay_day_is_after_the_failure_open_and_within_two_months(name: str, failed: date, wages: int) -> None:
    calendar, scheme = CALENDARS[name], SCHEME[name]

    day = days.retry_on(calendar, scheme, Retry(None, 1), failed=failed, pay_day=wages)

    assert failed < day <= failed + timedelta(days=62)
    assert days.is_open(calendar, scheme, day)


@pytest.mark.parametrize(
    ("failed", "wages", "again"),
    [
        ("2026-03-25", 12, "2026-04-13"),  # the 12th is a Sunday
        ("2026-03-30", 31, "2026-03-31"),
        ("2026-03-31", 31, "2026-04-30"),
        ("2026-04-24", 25, "2026-04-28"),  # a Saturday, a Sunday, and the King's birthday
    ],
)
def test_pay_days_that_people_can_check(failed: str, wages: int, again: str) -> None:
    scheme, country = (schemes()["sepa"], "NL") if wages == 25 else (schemes()["avtalegiro"], "NO")

    day = days.retry_on(calendar_for(country), scheme, Retry(None, 1), failed=date.fromisoformat(failed), pay_day=wages)

    assert day == date.fromisoformat(again)


def test_sepa_rests_on_the_first_of_may_where_the_country_does_not() -> None:
    calendar, scheme = calendar_for("NL"), schemes()["sepa"]

    day = days.after(calendar, scheme, date(2026, 4, 30), Span.parse("1 working day"))

    assert calendar.is_working_day(date(2026, 5, 1))
    assert day == date(2026, 5, 4)


def test_every_country_has_its_own_pay_day_and_every_reason_an_answer() -> None:
    assert [pay_day(country) for country in ("NO", "DK", "SE", "NL")] == [12, 31, 25, 25]
    assert schemes()["sepa"].answer("AM04").retry == Retry(None, 2)
    assert schemes()["sepa"].answer("MD01").ends_mandate
    assert schemes()["sepa"].answer("nobody knows").asks
