"""What the audit works out for itself comes to what the engine works out: two readers, one meaning."""

from datetime import date, timedelta

import pytest

from relight.audit import messages
from relight.audit.days import Days, easter
from relight.audit.policies import minor, read
from relight.audit.rules import COMMON, days_of, rules_of
from relight.core.actions import MessageAction, SupplyAction
from relight.core.calendars import calendar_for
from relight.core.guards import PROTECTING_FLAGS
from relight.core.leave import AT_ONCE_TEMPLATES, UNCOUNTED_TEMPLATES
from relight.core.policy import Policy
from relight.core.policy_reader import packaged_names, packaged_text, read_policy
from relight.core.spans import Span
from relight.core.windows import WEEKDAY_NAMES

SPANS = ("1 day", "14 days", "4 weeks", "1 month", "2 months", "1 working day", "3 working days", "8 werktage")


def test_norways_closed_days_are_the_calendars() -> None:
    ours, theirs = days_of("NO"), calendar_for("NO")
    first = date(2020, 1, 1)
    weekdays = [day for ahead in range(40 * 365) if (day := first + timedelta(days=ahead)).weekday() < 5]

    assert [day for day in weekdays if ours.is_closed(day) != theirs.is_holiday(day)] == []


@pytest.mark.parametrize("span", SPANS)
def test_spans_end_on_the_same_day(span: str) -> None:
    ours, theirs = days_of("NO"), calendar_for("NO")
    starts = [date(2024, 1, 1) + timedelta(days=ahead) for ahead in range(4 * 366)]

    assert [day for day in starts if ours.end_of(day, span) != theirs.add(day, Span.parse(span))] == []


def test_easter_is_when_it_is() -> None:
    assert [easter(year) for year in (2000, 2024, 2025, 2026, 2038, 2049)] == [
        date(2000, 4, 23),
        date(2024, 3, 31),
        date(2025, 4, 20),
        date(2026, 4, 5),
        date(2038, 4, 25),
        date(2049, 4, 18),
    ]


@pytest.mark.parametrize("span", ["", "soon", "3", "3 fortnights", "-1 days", "1.5 days"])
def test_what_is_no_span_is_refused(span: str) -> None:
    with pytest.raises(ValueError, match="is not a span of time"):
        Days().end_of(date(2026, 1, 1), span)


@pytest.mark.parametrize("name", packaged_names())
def test_a_policy_says_the_same_to_both(name: str) -> None:
    text = packaged_text(name)
    ours, theirs = read(1, text), read_policy(text)

    assert isinstance(theirs, Policy)
    assert ours.contacts_max == theirs.contact.max_per_7_days
    assert {WEEKDAY_NAMES.index(day) for day in ours.contact.weekdays} == theirs.contact.window.weekdays
    assert (ours.contact.opens, ours.contact.closes) == (
        theirs.contact.window.opens_minute,
        theirs.contact.window.closes_minute,
    )
    assert Span.parse(ours.settle) == theirs.settle
    assert list(ours.steps) == [step.name for step in theirs.steps]
    for mine, step in zip(ours.steps.values(), theirs.steps, strict=True):
        assert Span.parse(mine.after) == step.after
        assert mine.approval == step.approval
        assert mine.levels == {action.level.value for action in step.do if isinstance(action, SupplyAction)}
        assert mine.templates == {action.template for action in step.do if isinstance(action, MessageAction)}
        assert (mine.window is None) == (step.window is None)


def test_a_policy_that_says_little_means_what_the_engine_takes_it_to_mean() -> None:
    text = (
        "policy: short\nfor: {country: NO, service: [broadband], debtor: consumer, actor: network}\n"
        "opens: {overdue: 1 day}\nsteps:\n  friendly: {after: 1 day, do: [{message: friendly_reminder}]}\n"
    )
    ours, theirs = read(1, text), read_policy(text)

    assert isinstance(theirs, Policy)
    assert ours.contacts_max == theirs.contact.max_per_7_days
    assert Span.parse(ours.settle) == theirs.settle
    assert (ours.contact.opens, ours.contact.closes) == (9 * 60, 20 * 60)


def test_what_was_written_down_a_second_time_is_the_same() -> None:
    assert COMMON.protecting_flags == PROTECTING_FLAGS
    assert set(COMMON.exempt_templates) == AT_ONCE_TEMPLATES
    assert {*COMMON.exempt_templates, *messages.UNCOUNTED} == UNCOUNTED_TEMPLATES


def test_amounts_never_become_floats() -> None:
    assert [minor(amount) for amount in ("300", "0.1", "37.50", "99.99")] == [30000, 10, 3750, 9999]


@pytest.mark.parametrize("country", ["NO", "DK", "NL", "SE", "DE", "GB"])
def test_every_rule_says_why_what_to_do_and_under_which_section(country: str) -> None:
    rules = rules_of(country)

    assert len({rule.id for rule in rules}) == len(rules)
    assert all(rule.law and rule.why and rule.todo.endswith(".") for rule in rules)


@pytest.mark.parametrize("country", ["NO", "DK", "NL", "SE", "DE", "GB"])
def test_the_audits_own_holidays_are_the_engines(country: str) -> None:
    days, calendar = days_of(country), calendar_for(country)
    all_days = (date(2024, 1, 1) + timedelta(days=ahead) for ahead in range(366 * 16))

    apart = [day for day in all_days if day.weekday() < 6 and days.is_closed(day) is not calendar.is_holiday(day)]

    assert apart == []


def test_a_country_without_rules_of_its_own_has_the_common_ones() -> None:
    assert rules_of("BE") == COMMON.rules
    assert not days_of("BE").is_closed(date(2026, 12, 25))
