"""When a case that has nothing to do looks again: when something changes by itself, and not before."""

import dataclasses
from datetime import timedelta

import pytest

from relight.core.decide import decide
from relight.core.law import NoLaw
from relight.core.parts import contact_moment, spread_moment
from relight.core.standing import has_opened, standing
from tests.unit.core.cases import OSLO, at, case, claim, hold, payment, policy

SEVEN_DAYS = 7


def test_a_disputed_bill_lets_its_case_sleep_until_the_dispute_ends() -> None:
    facts = case(state="watching", claims=(claim(due=0),), holds=(hold("dispute", claim_id=1, ends=34),))

    decision = decide(policy(), NoLaw(), facts, at(30))

    assert decision.wakes_at == at(34, 0)


def test_an_old_bill_too_small_to_follow_up_does_not_keep_its_case_awake() -> None:
    facts = case(state="watching", claims=(claim(principal=500, due=0),))

    decision = decide(policy(), NoLaw(), facts, at(30))

    assert decision.wakes_at == at(30 + SEVEN_DAYS)


def test_money_that_was_ordered_and_never_came_does_not_keep_its_case_awake() -> None:
    facts = case(state="watching", claims=(claim(due=40),), payments=(payment(state="ordered", received=10),))

    in_time, long_after = decide(policy(), NoLaw(), facts, at(11)), decide(policy(), NoLaw(), facts, at(30))

    assert in_time.wakes_at == at(16, 0)
    assert long_after.wakes_at == at(30 + SEVEN_DAYS)


def test_a_week_is_seven_times_24_hours_also_where_the_clocks_change() -> None:
    facts = case(state="watching", claims=(claim(principal=500, due=0),))
    before_summer_time = at(25).astimezone(OSLO)

    decision = decide(policy(), NoLaw(), facts, before_summer_time)

    assert decision.wakes_at is not None
    assert decision.wakes_at - at(25) == timedelta(days=SEVEN_DAYS)


def test_a_bill_that_is_not_old_enough_yet_wakes_its_case_on_the_day_it_is() -> None:
    facts = case(state="watching", claims=(claim(1, due=0, disputed=79900), claim(2, due=33)))

    decision = decide(policy(), NoLaw(), facts, at(30))

    assert decision.wakes_at is not None
    assert has_opened(policy(), facts, standing(facts, decision.wakes_at))
    assert not has_opened(policy(), facts, standing(facts, decision.wakes_at - timedelta(minutes=1)))


def test_messages_that_wait_for_the_morning_leave_at_the_same_minute_whatever_row_the_case_got() -> None:
    facts = case(claims=(claim(due=0),))
    same = dataclasses.replace(facts, case_id=facts.case_id + 1)
    night = at(30, 3)

    assert contact_moment(policy(), facts, night) == contact_moment(policy(), same, night)


def test_messages_that_wait_for_the_morning_do_not_all_leave_at_once() -> None:
    night = at(30, 3)
    moments = {contact_moment(policy(), case(claims=(claim(number, due=0),)), night) for number in range(40)}

    assert len(moments) > 20
    assert all(at(30, 9) <= moment < at(30, 10) for moment in moments)


@pytest.mark.parametrize(
    ("approved", "first", "last"),
    [
        ((30, 3), (30, 9), (30, 10)),  # at night: the next day's first hour
        ((30, 11), (30, 11), (30, 12)),  # in the hours: an hour from then on
    ],
)
def test_what_many_get_at_one_moment_is_spread_over_an_hour(
    approved: tuple[int, int], first: tuple[int, int], last: tuple[int, int]
) -> None:
    moments = {spread_moment(policy(), case(account_id=number, claims=()), at(*approved)) for number in range(40)}

    assert len(moments) > 20
    assert all(at(*first) <= moment < at(*last) for moment in moments)


def test_what_is_spread_over_the_end_of_the_hours_goes_on_in_the_next_ones_first_hour() -> None:
    late = at(42, 19) + timedelta(minutes=50)
    moments = {spread_moment(policy(), case(account_id=number, claims=()), late) for number in range(60)}

    tonight = [moment for moment in moments if moment < at(42, 20)]
    assert tonight
    assert len(moments) > 30
    assert all(at(43, 9) <= moment < at(43, 10) for moment in moments - {*tonight})
