"""Plans, part by part: sums that add up, days that keep to the month, laws' months, and pauses that do not count."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from relight.core.calendars import calendar_for
from relight.core.plans.facts import PaidFacts, PauseFacts
from relight.core.plans.paid import what_is_left
from relight.core.plans.pauses import later
from relight.core.plans.schedule import parts, schedule
from relight.core.plans.terms import Months, PlanTerms, months_offered
from relight.core.rules.plans import instalment_months
from relight.core.rules.reader import packaged_pack

OSLO = ZoneInfo("Europe/Oslo")
CALENDAR = calendar_for("NO")
DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
SUMS = st.integers(1, 10_000_000)


@given(total=SUMS, count=st.integers(1, 60))
def test_parts_add_up_to_the_last_ore_and_none_is_empty(total: int, count: int) -> None:
    count = min(count, total)

    found = parts(total, count)

    assert len(found) == count
    assert sum(found) == total
    assert min(found) > 0
    assert found[-1] == min(found)


@given(total=SUMS, months=st.integers(1, 36), agreed=DAYS)
def test_each_part_has_its_own_month_and_the_days_of_grace_come_after_it(total: int, months: int, agreed: date) -> None:
    months = min(months, total)

    found = schedule(CALENDAR, PlanTerms(), total=total, months=months, agreed=agreed)

    assert found[0].due_date == agreed + timedelta(days=14)
    assert len({(one.due_date.year, one.due_date.month) for one in found}) == months
    assert all(one.due_date.day <= found[0].due_date.day for one in found)
    assert all(one.remind_date < one.due_date < one.late_date for one in found)


@given(owed=SUMS, low=st.integers(1, 24), more=st.integers(0, 36), least=st.integers(0, 500_000))
def test_nobody_is_offered_less_than_the_german_law_asks(owed: int, low: int, more: int, least: int) -> None:
    law = instalment_months(packaged_pack("de"), owed)
    assert law is not None

    shortest, longest = months_offered(PlanTerms(least=least), owed, stated=(low, low + more), law=law)

    assert shortest >= min(law[0], owed)
    assert longest >= min(law[1], owed)
    assert shortest <= longest


def test_a_debt_above_three_hundred_euro_gets_twelve_months_whatever_the_policy_says() -> None:
    law = instalment_months(packaged_pack("de"), 30_001)

    assert months_offered(PlanTerms(), 30_001, stated=(2, 6), law=law) == (12, 24)


def test_months_go_by_what_is_owed_and_no_part_is_below_the_least() -> None:
    terms = PlanTerms(months=(Months(30_000, 2, 6), Months(None, 2, 12)), least=10_000)

    assert months_offered(terms, 30_000) == (2, 3)
    assert months_offered(terms, 240_000) == (2, 12)
    assert months_offered(terms, 9_000) == (1, 1)


@given(
    total=st.integers(12, 1_000_000),
    months=st.integers(1, 12),
    paid=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 300_000)), max_size=6),
)
def test_what_is_paid_is_taken_off_once(total: int, months: int, paid: list[tuple[int, int]]) -> None:
    begins = date(2026, 1, 31)
    plan = schedule(CALENDAR, PlanTerms(), total=total, months=months, agreed=begins)
    came = [PaidFacts(begins + timedelta(days=day), amount) for day, amount in sorted(paid)]

    left = what_is_left(plan, came)

    assert sum(one.amount for one in left) == max(0, total - sum(amount for _, amount in paid))
    assert all(0 <= one.amount <= one.part.amount for one in left)


def test_more_than_is_due_shortens_a_plan_from_its_end() -> None:
    plan = schedule(CALENDAR, PlanTerms(), total=120_000, months=4, agreed=date(2026, 1, 1))

    left = what_is_left(plan, [PaidFacts(date(2026, 1, 10), 50_000), PaidFacts(date(2026, 2, 10), 30_000)])

    assert [one.amount for one in left] == [0, 0, 30_000, 10_000]


def pause(begins: date, ends: date, claim: int | None = None) -> PauseFacts:
    at = [datetime.combine(day, time(), OSLO).astimezone(UTC) for day in (begins, ends)]
    return PauseFacts(1, claim, at[0], at[1])


GAPS = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 60)), max_size=5)


@given(since=DAYS, wait=st.integers(1, 60), gaps=GAPS)
def test_as_many_days_are_waited_outside_of_pauses_as_without_them(
    since: date, wait: int, gaps: list[tuple[int, int]]
) -> None:
    due = since + timedelta(days=wait)
    pauses = [pause(since + timedelta(days=start), since + timedelta(days=start + length)) for start, length in gaps]
    paused = {since + timedelta(days=start + n) for start, length in gaps for n in range(length)}

    found = later(due, since, pauses, 7, OSLO)

    waited = [since + timedelta(days=n) for n in range((found - since).days)]
    assert found >= due
    assert sum(day not in paused for day in waited) == wait


def test_a_pause_after_the_wait_changes_nothing_and_another_claims_pause_neither() -> None:
    since, due = date(2026, 3, 1), date(2026, 3, 15)

    assert later(due, since, [pause(date(2026, 3, 15), date(2026, 4, 1))], 7, OSLO) == due
    assert later(due, since, [pause(date(2026, 3, 5), date(2026, 3, 10), claim=8)], 7, OSLO) == due
    assert later(due, since, [pause(date(2026, 3, 5), date(2026, 3, 10), claim=7)], 7, OSLO) == date(2026, 3, 20)
