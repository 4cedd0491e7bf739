"""`decide`, by story: what one turn does for somebody who owes, pays, is held, or is cut and comes back."""

import dataclasses
from datetime import timedelta

import pytest

from relight.core.decide import decide
from relight.core.decision import Decision
from relight.core.facts import CaseFacts
from relight.core.law import NoLaw
from relight.core.levels import Level
from tests.unit.core.cases import (
    NET,
    PHONE,
    SHORT_ROAD,
    at,
    block,
    case,
    claim,
    command,
    cut_service,
    hold,
    message,
    noticed,
    partner,
    payment,
    policy,
    service,
    step,
)
from tests.unit.core.history import History

NIGHT = at(41, 3)  # a Sunday
DUE = at(35)  # a Monday, on which `limit` is due for what `noticed` covers


def decided(facts: CaseFacts, now: object = DUE, rules: str = "", **options: str) -> Decision:
    made = policy(rules, **options) if rules else policy(**options)
    return decide(made, NoLaw(), facts, now)  # type: ignore[arg-type]


def codes(decision: Decision) -> list[str]:
    return [event.code for event in decision.events]


def levels(decision: Decision) -> list[tuple[int | None, Level | None]]:
    return [(one.service_id, one.level) for one in decision.effects if one.kind == "supply"]


def cut_off(**changed: object) -> CaseFacts:
    """Somebody whose broadband is off for a bill."""
    steps = (*noticed(), step("cut", 3, 20, effects=(command(),)))
    return case(**{"steps": steps, "services": (cut_service(),), **changed})


def test_an_unpaid_bill_opens_a_case_and_asks_kindly_first() -> None:
    decision = decided(case(state="watching"), at(2))

    assert codes(decision) == ["opened", "step_taken"]
    assert [(one.template, one.channel) for one in decision.effects] == [("friendly_reminder", "sms")]
    assert decision.state == "active"


def test_the_due_day_has_passed_and_no_more_before_anything_happens() -> None:
    decision = decided(case(state="watching"), at(0, 23))

    assert (decision.state, codes(decision), decision.effects) == ("watching", [], ())


def test_what_is_due_is_limited_and_told_only_when_it_was_seen() -> None:
    decision = decided(case(steps=noticed()))

    assert [one.step for one in decision.steps] == ["limit"]
    assert levels(decision) == [(NET, Level.WALLED_GARDEN)]
    assert [one.kind for one in decision.effects] == ["supply"]


def test_a_claim_that_came_later_begins_at_the_beginning_while_the_older_one_goes_on() -> None:
    facts = case(claims=(claim(1), claim(2, due=30)), steps=noticed())

    decision = decided(facts)

    (taken,) = decision.steps
    assert taken.step == "limit"
    assert [id_ for id_, _, _ in taken.claims] == [1]


def test_when_all_that_was_noticed_is_paid_a_newer_bill_is_asked_for_and_nothing_is_cut() -> None:
    decision = decided(case(claims=(claim(2, due=30),), steps=noticed()))

    assert [one.step for one in decision.steps] == ["friendly"]
    assert levels(decision) == []


def test_two_notices_never_go_in_one_turn_however_late_the_turn_is() -> None:
    life = History(policy())
    life.services = {NET: service()}
    life.bill()
    life.now = at(200)
    life.wakes_at = at(200)

    first = life.turn()

    assert [one.step for one in first.steps] == ["friendly"]
    assert len(first.effects) == 1


@pytest.mark.parametrize(
    ("changed", "waits_for"),
    [
        ({"holds": (hold("plan"),)}, "guard.hold"),
        ({"partner": partner(stopped=True)}, "guard.stopped"),
        ({"partner": partner(money_complete_until=at(30))}, "guard.money_stale"),
        ({"payments": (payment(state="ordered", received=35),)}, "guard.payment_in_transit"),
        ({"flags": {"life_support": "unknown"}}, "condition.flags"),
        ({"flags": {}}, "condition.flags"),
        ({"flags": {"life_support": "yes"}}, "condition.flags guard.protected"),
    ],
    ids=["plan", "switch", "stale", "in_transit", "unknown", "never_asked", "protected"],
)
def test_nothing_is_limited_and_the_case_says_what_it_waits_for(changed: dict[str, object], waits_for: str) -> None:
    decision = decided(case(**{"steps": noticed(), **changed}))

    assert (decision.steps, levels(decision)) == ((), [])
    assert decision.waits_for == waits_for
    assert decision.wakes_at is not None
    assert DUE < decision.wakes_at <= DUE + timedelta(days=7)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"partner": partner(stopped=True, money_complete_until=None)},
        {"holds": (hold("deceased"),)},
        {"debtor": "collective"},
    ],
    ids=["as_usual", "all_is_stopped_and_stale", "held", "collective"],
)
def test_who_has_paid_is_restored_at_three_on_a_sunday_whatever_else_is(changed: dict[str, object]) -> None:
    decision = decided(cut_off(claims=(), payments=(payment(),), **changed), NIGHT)

    (effect,) = [one for one in decision.effects if one.kind == "supply"]
    assert (effect.level, effect.lane, effect.due_at) == (Level.FULL, "urgent", NIGHT)
    assert decision.lifted_blocks == (1,)
    assert "payment_received" in [one.template for one in decision.effects]


def test_half_a_payment_restores_nothing_and_is_thanked_for() -> None:
    decision = decided(cut_off(claims=(claim(1, 40000),), payments=(payment(amount=39900),)), NIGHT)

    assert levels(decision) == []
    assert [one.template for one in decision.effects] == ["payment_received"]


def test_another_reasons_block_is_left_and_the_service_comes_up_to_it() -> None:
    both = cut_service(blocks=(block(1), block(2, reason="fraud", level=Level.LIMITED)))
    safety = cut_service(blocks=(block(1), block(2, reason="safety", level=Level.OFF)))

    to_limited = decided(cut_off(claims=(), services=(both,)), NIGHT)
    stays = decided(cut_off(claims=(), services=(safety,)), NIGHT)

    assert (to_limited.lifted_blocks, levels(to_limited)) == ((1,), [(NET, Level.LIMITED)])
    assert (stays.lifted_blocks, levels(stays)) == ((1,), [])
    assert "stays_blocked" in codes(stays)


def test_a_plan_gives_the_service_back_and_a_medical_hold_only_its_own() -> None:
    net, phone = cut_service(), cut_service(PHONE, blocks=(block(2),))
    facts = cut_off(claims=(claim(of=(NET, PHONE)),), services=(net, phone))

    plan = decided(dataclasses.replace(facts, holds=(hold("plan"),)))
    medical = decided(dataclasses.replace(facts, holds=(hold("medical", service_id=PHONE),)))

    assert levels(plan) == [(NET, Level.FULL), (PHONE, Level.FULL)]
    assert levels(medical) == [(PHONE, Level.FULL)]


def test_a_voided_cut_is_given_back_though_nothing_was_paid() -> None:
    decision = decided(cut_off(steps=noticed()), at(21))

    assert levels(decision) == [(NET, Level.FULL)]
    assert codes(decision)[0] == "restore_decided"


def test_a_cut_that_has_not_left_is_taken_back_without_a_command() -> None:
    pending = cut_service(observed=Level.FULL, unsent=(50,))
    facts = cut_off(claims=(), services=(pending,), steps=(*noticed(), step("cut", 3, 20, completed=False)))

    decision = decided(facts, at(21))

    assert (levels(decision), decision.cancelled_effects) == ([], (50,))
    assert [(one.desired, one.generation) for one in decision.supplies] == [(Level.FULL, 2)]


def test_an_unfinished_cut_of_two_services_is_taken_back_once() -> None:
    net = cut_service(observed=Level.FULL, unsent=(50,))
    phone = cut_service(PHONE, observed=Level.FULL, unsent=(51,), blocks=(block(2),))
    cut = step("cut", 3, 20, completed=False)

    decision = decided(cut_off(claims=(), services=(net, phone), steps=(*noticed(), cut)), at(21))

    assert decision.voided_steps == (3,)
    assert (decision.lifted_blocks, decision.cancelled_effects) == ((1, 2), (50, 51))


def test_a_cut_on_its_way_is_followed_by_the_restore_under_the_next_generation() -> None:
    flying = cut_service(observed=Level.FULL, in_flight=True)

    decision = decided(cut_off(claims=(), services=(flying,)), at(21))

    assert [(one.level, one.generation) for one in decision.effects if one.kind == "supply"] == [(Level.FULL, 2)]


def test_a_restore_that_did_not_come_about_is_commanded_again() -> None:
    dark = service(generation=2, desired_at=at(30), observed=Level.OFF)

    decision = decided(
        case(claims=(), services=(dark,), steps=(step("restore", 5, 30, of=(), completed=False),)), NIGHT
    )

    assert levels(decision) == [(NET, Level.FULL)]
    assert "command_repeated" in codes(decision)


def test_a_yes_is_asked_for_once_and_only_for_what_was_shown() -> None:
    steps = (*noticed(), step("limit", 3, 24, effects=(message(),)))
    walled = cut_service(level=Level.WALLED_GARDEN)
    now = at(44)  # a Wednesday after Easter

    asked = decided(case(steps=steps, services=(walled,)), now)

    assert (asked.steps, levels(asked), asked.waits_for) == ((), [], "approval")
    assert [(one.step, one.claims, one.needs) for one in asked.approvals] == [("cut", (1,), 1)]
    assert [one.code for one in asked.tasks] == ["approve"]


def test_a_case_closes_when_nothing_is_owed_and_everything_is_given_back() -> None:
    open_still = decided(cut_off(claims=()), NIGHT)
    done = decided(case(claims=(), steps=noticed()), NIGHT)

    assert open_still.state == "active"
    assert (done.state, codes(done)[-1]) == ("closed", "closed")


def test_money_beyond_what_is_owed_becomes_a_task_and_returned_money_is_told() -> None:
    over = decided(case(claims=(), credit=700, payments=(payment(),)), NIGHT)
    back = decided(case(payments=(payment(state="returned"),)), at(1))

    assert [(one.code, one.params) for one in over.tasks] == [("overpaid", {"amount": 700})]
    assert "payment_returned" in codes(back)
    assert back.noted_payments == (1,)


def test_a_partner_in_shadow_decides_all_the_same() -> None:
    live = decided(case(steps=noticed()))
    shadow = decided(case(steps=noticed(), partner=partner(shadow=True)))

    assert [one.step for one in shadow.steps] == [one.step for one in live.steps]


def test_a_rule_that_would_give_a_cut_back_at_once_never_cuts() -> None:
    life = History(policy(SHORT_ROAD, restore="latest_claim"))
    life.services = {NET: service()}
    life.bill()

    life.days(60)

    assert life.names() == ["notice"]
    assert life.commands() == []


def test_a_cut_that_is_refused_holds_up_no_notice_of_a_newer_bill() -> None:
    facts = case(claims=(claim(1), claim(2, due=30)), steps=noticed(1), flags={"life_support": "yes"})

    decision = decided(facts)

    assert codes(decision) == ["refused", "step_taken"]
    assert [(taken.step, [of for of, *_ in taken.claims]) for taken in decision.steps] == [("friendly", [2])]
    assert "condition.flags" in decision.waits_for


def test_what_is_refused_again_beside_a_newer_bill_is_no_news() -> None:
    facts = case(claims=(claim(1), claim(2, due=30)), steps=noticed(1), flags={"life_support": "yes"})

    again = decided(dataclasses.replace(facts, waits_for=decided(facts).waits_for))

    assert codes(again) == ["step_taken"]


def test_a_step_that_finds_the_service_low_already_goes_on_at_once_and_not_next_week() -> None:
    life = History(policy())
    life.services = {NET: service(NET)}
    life.bill(1, due=0)
    life.until_step("limit")
    life.bill(2, due=20)

    life.until(life.now + timedelta(days=30))

    limits = [(taken.decided_at, taken.completed_at) for taken in life.steps.values() if taken.step == "limit"]
    assert len(limits) == 2
    assert all(done is not None and done - decided < timedelta(hours=1) for decided, done in limits)
