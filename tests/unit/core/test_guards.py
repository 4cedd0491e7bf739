"""The guards: what must hold whenever a step is taken, whatever the policy says."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest

from relight.core.facts import CaseFacts, ClaimFacts, EffectFacts, StepFacts
from relight.core.guards import PROTECTING_FLAGS, Check, check_step, combine, reason
from relight.core.law import Answer, NoLaw, Ruling
from relight.core.policy import Policy, Step
from relight.core.spans import Span
from relight.core.standing import standing
from tests.unit.core.cases import (
    NET,
    PHONE,
    SHORT_ROAD,
    at,
    case,
    claim,
    hold,
    noticed,
    partner,
    payment,
    policy,
    service,
    step,
)

A_MONDAY = 42


def asked(facts: CaseFacts, step: str = "cut", *, now: datetime | None = None, rules: Policy | None = None) -> Check:
    moment, rules = now or at(A_MONDAY), rules or policy()
    facts = facts if facts.steps else dataclasses.replace(facts, steps=noticed(1, 2))
    stands = standing(facts, moment)
    return check_step(rules, NoLaw(), facts, stands, rules.step(step), stands.overdue, moment)


def codes(check: Check) -> list[str]:
    return [why.code for why in check.reasons]


def test_nothing_stands_against_a_cut_of_an_ordinary_unpaid_service() -> None:
    assert asked(case()).allows


@pytest.mark.parametrize("step", ["notice", "cut"])
@pytest.mark.parametrize(
    ("facts", "answer", "code"),
    [
        ({"partner": partner(stopped=True)}, Answer.DEFER, "guard.stopped"),
        ({"partner": partner(money_complete_until=at(A_MONDAY - 3))}, Answer.DEFER, "guard.money_stale"),
        ({"partner": partner(money_complete_until=None)}, Answer.DEFER, "guard.money_stale"),
        ({"holds": (hold("plan"),)}, Answer.DENY, "guard.hold"),
        ({"payments": (payment(state="ordered", received=A_MONDAY - 1),)}, Answer.DEFER, "guard.payment_in_transit"),
        ({"payments": (payment(state="authorised", received=A_MONDAY),)}, Answer.DEFER, "guard.payment_in_transit"),
        ({"claims": ()}, Answer.DENY, "guard.nothing_owed"),
    ],
)
def test_neither_a_warning_nor_a_cut_goes_out(facts: dict[str, Any], step: str, answer: Answer, code: str) -> None:
    check = asked(case(**facts), step)

    assert check.answer is answer
    assert code in codes(check)


def test_fresh_money_data_is_not_stale_at_its_last_hour() -> None:
    complete = at(A_MONDAY) - timedelta(hours=48)

    assert asked(case(partner=partner(money_complete_until=complete))).allows
    assert not asked(case(partner=partner(money_complete_until=complete - timedelta(seconds=1)))).allows


def test_a_payment_in_transit_waits_for_its_settle_days_and_not_longer() -> None:
    # Ordered on Thursday: Friday, Monday and Tuesday are for the banks; on Wednesday it would have been here.
    facts = case(payments=(payment(state="ordered", received=A_MONDAY + 3),))

    told = asked(facts, now=at(A_MONDAY + 7))
    gone = asked(facts, now=at(A_MONDAY + 9))

    assert told.until == at(A_MONDAY + 9, 0)
    assert gone.allows


def test_a_payment_in_transit_gets_a_banking_day_even_where_the_policy_gives_it_none() -> None:
    # Ordered on Friday: the banks work again on Monday.
    facts = case(payments=(payment(state="ordered", received=A_MONDAY + 4),))
    hasty = dataclasses.replace(policy(SHORT_ROAD), settle=Span.parse("0 days"))

    told = asked(facts, now=at(A_MONDAY + 7), rules=hasty)

    assert told.until == at(A_MONDAY + 8, 0)


@pytest.mark.parametrize("flag", sorted(PROTECTING_FLAGS))
def test_a_protected_customer_is_never_cut_whatever_the_policy_says(flag: str) -> None:
    check = asked(case(flags={flag: "yes"}), rules=policy(SHORT_ROAD))

    assert check.answer is Answer.DENY
    assert codes(check) == ["guard.protected"]


def test_a_protected_customer_is_still_told() -> None:
    assert asked(case(flags={"life_support": "yes"}), "notice").allows


def test_an_unknown_flag_that_the_policy_asks_for_blocks() -> None:
    unknown, never_asked = asked(case(flags={"life_support": "unknown"}), "limit"), asked(case(flags={}), "limit")

    assert unknown.answer is Answer.DENY
    assert never_asked.answer is Answer.DENY
    assert dict(unknown.reasons[0].params)["truth"] == "unknown"


def test_a_collective_contract_is_never_cut() -> None:
    check = asked(case(debtor="collective"))

    assert (check.answer, codes(check)) == (Answer.DENY, ["guard.collective_contract"])


def test_a_hold_on_the_service_keeps_it_on_and_lets_notices_go() -> None:
    facts = case(holds=(hold("medical", service_id=NET),))

    assert codes(asked(facts)) == ["guard.hold"]
    assert asked(facts, "notice").allows


def test_a_cut_without_a_service_to_cut_is_refused() -> None:
    check = asked(case(services=(service(PHONE),)))

    assert (check.answer, codes(check)) == (Answer.DENY, ["guard.nothing_to_cut"])


def test_a_cut_that_the_restore_rule_would_undo_at_once_is_refused() -> None:
    check = asked(case(claims=(claim(1),)), rules=policy(restore="latest_claim"))

    assert (check.answer, codes(check)) == (Answer.DENY, ["guard.nothing_to_cut"])


@pytest.mark.parametrize("behind", ["nothing", "the_other_bill", "what_bounced", "what_is_not_complete"])
def test_a_bill_of_which_no_notice_arrived_is_no_reason_for_a_cut(behind: str) -> None:
    arrived = noticed(1)
    bounced = tuple(
        dataclasses.replace(one, effects=tuple(dataclasses.replace(sent, failed=True) for sent in one.effects))
        for one in noticed_by_sms()
    )
    steps = {
        "nothing": (step("friendly", 1, 2, of=(2,)),),
        "the_other_bill": noticed(2),
        "what_bounced": bounced,
        "what_is_not_complete": tuple(dataclasses.replace(one, completed_at=None) for one in arrived),
    }[behind]

    check = asked(case(steps=steps))

    assert codes(check) == ["guard.unnoticed"]
    assert asked(case(steps=arrived)).allows
    assert asked(case(steps=noticed_by_sms())).allows
    assert asked(case(steps=steps), "notice").allows


def noticed_by_sms() -> tuple[StepFacts, ...]:
    """The steps that tell, with the messages that left."""
    sms = EffectFacts(1, 0, "message", "sms", "done", at(2), "disconnect_notice", at(2))
    return tuple(dataclasses.replace(one, effects=(sms,)) for one in noticed(1))


def test_outside_its_window_a_cut_waits_for_the_window() -> None:
    friday = at(A_MONDAY + 4)

    check = asked(case(), now=friday)

    assert (check.answer, check.until) == (Answer.DEFER, at(A_MONDAY + 7, 9))


def test_a_window_is_shut_on_the_partners_closing_days() -> None:
    closed = partner(closed_dates=frozenset({at(A_MONDAY).date()}))

    assert asked(case(partner=closed)).until == at(A_MONDAY + 1, 9)


def test_a_condition_on_the_sum_counts_only_these_claims() -> None:
    facts = case(claims=(claim(1, 20000), claim(2, 900000, due=60)))

    check = asked(facts, "limit")

    assert check.answer is Answer.DENY
    assert codes(check) == ["condition.arrears"]


class OneRule:
    """A law that rules one thing."""

    hash = "one"

    def __init__(self, ruling: Ruling):
        self.ruling = ruling

    def rule(
        self, policy: Policy, step: Step, claims: tuple[ClaimFacts, ...], facts: CaseFacts, now: datetime
    ) -> tuple[Ruling, ...]:
        return (self.ruling,)


def test_the_law_is_asked_and_its_section_is_told() -> None:
    rules, facts = policy(), case(steps=noticed())
    stands = standing(facts, at(A_MONDAY))
    law = OneRule(Ruling(Answer.DENY, reason("law.no_month", law="ekomloven § 4-11"), at(60)))

    check = check_step(rules, law, facts, stands, rules.step("cut"), stands.overdue, at(A_MONDAY))

    assert (check.answer, check.until, check.reasons[0].law) == (Answer.DENY, at(60), "ekomloven § 4-11")


def test_a_denial_beats_a_deferral_and_is_told_first() -> None:
    told = combine([Ruling(Answer.DEFER, reason("late"), at(9)), Ruling(Answer.DENY, reason("never"), at(5))])

    assert (told.answer, told.until) == (Answer.DENY, at(5))
    assert codes(told) == ["never", "late"]


def test_of_two_deferrals_the_later_counts_and_both_are_told() -> None:
    told = combine([Ruling(Answer.DEFER, reason("a"), at(9)), Ruling(Answer.DEFER, reason("b"), at(5))])

    assert (told.answer, told.until, codes(told)) == (Answer.DEFER, at(9), ["a", "b"])


def test_without_rulings_everything_is_allowed() -> None:
    assert combine([]).allows


def test_the_guards_do_not_touch_what_they_are_given() -> None:
    facts = case(holds=(hold("plan"),))
    before = repr(facts)

    asked(facts)

    assert repr(facts) == before
    assert dataclasses.replace(facts) == facts
