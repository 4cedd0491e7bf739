"""What is said to come is what then comes, and what is said to stop it stops it: asked of the engine itself."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from relight.core.decide import decide
from relight.core.explain.ahead import Ahead, Case, look_ahead
from relight.core.explain.stops import Stop, stops
from relight.core.facts import ApprovalFacts, CaseFacts
from relight.core.levels import Level
from relight.core.policy import Policy
from relight.core.rules.lawbook import LawBook
from tests.unit.core.cases import (
    NET,
    at,
    case,
    claim,
    cut_service,
    hold,
    message,
    noticed,
    payment,
    policy,
    service,
    step,
)

HOLDS = policy(more="holds: {dispute: claim, plan: case, debt_help: case, medical: service}")
NO_LAW = LawBook(())  # the sample policy is nobody's, and no law knows it
MONDAY = 42


def looked(facts: CaseFacts, number: int, *, hour: int = 10, rules: Policy | None = None) -> tuple[Case, Ahead]:
    asked = Case(rules or policy(), NO_LAW, facts, at(number, hour))
    return asked, look_ahead(asked)


def stopping(facts: CaseFacts, number: int, *, rules: Policy | None = None) -> dict[str, Stop]:
    asked, ahead = looked(facts, number, rules=rules)
    return {stop.code: stop for stop in stops(asked, ahead)}


def limited(**changed: Any) -> CaseFacts:
    """A case that has come to its cut."""
    taken = (*noticed(), step("limit", 3, 24, effects=(message(part=1, decided=24),)))
    service = cut_service(level=Level.WALLED_GARDEN)
    return case(**{"steps": taken, "services": (service,), **changed})


@pytest.mark.parametrize("number", [3, 5, 10, 15])
def test_the_step_that_is_said_to_come_is_taken_at_that_moment_and_not_before(number: int) -> None:
    facts = case(steps=noticed()[:1]) if number < 10 else case(steps=noticed())
    _, ahead = looked(facts, number)
    assert ahead.step is not None
    assert ahead.at is not None

    before = decide(policy(), NO_LAW, facts, ahead.at - timedelta(seconds=1))
    then = decide(policy(), NO_LAW, facts, ahead.at)

    assert before.steps == ()
    assert [taken.step for taken in then.steps] == [ahead.step.name]


def test_a_window_puts_the_step_off_to_the_hour_at_which_it_opens() -> None:
    facts = limited()

    _, ahead = looked(facts, 25)

    assert ahead.step is not None
    assert ahead.step.name == "cut"
    assert ahead.at is not None
    local = ahead.at.astimezone(facts.partner.zone)
    assert (local.hour, local.weekday() <= 3) == (9, True)
    assert decide(policy(), NO_LAW, facts, ahead.at).approvals


def test_a_bill_that_is_not_due_yet_tells_when_the_first_word_would_come() -> None:
    facts = case(state="watching", claims=(claim(due=10),))

    _, ahead = looked(facts, 0)

    assert ahead.step is policy().first
    assert ahead.at == at(12, 0)


def test_a_step_under_way_comes_first_and_the_next_is_told_as_if_it_were_done_now() -> None:
    taken = (step("friendly", 1, 2, completed=False, effects=(message(state="pending"),)),)

    _, ahead = looked(case(steps=taken), 3)

    assert ahead.under_way == "friendly"
    assert ahead.step is not None
    assert ahead.step.name == "notice"
    assert ahead.at == at(8, 0)


def test_a_closed_case_has_nothing_ahead() -> None:
    asked, ahead = looked(case(state="closed", claims=()), 50)

    assert ahead.closed
    assert ahead.step is None
    assert stops(asked, ahead) == ()


def test_a_road_that_has_ended_has_nothing_ahead() -> None:
    taken = (*noticed(), step("limit", 3, 24), step("cut", 4, 30), step("agency", 5, 100))

    _, ahead = looked(case(steps=taken), 120)

    assert ahead.step is None
    assert not ahead.closed


def test_a_hold_that_runs_is_why_it_would_not_be_done() -> None:
    _, ahead = looked(case(steps=noticed(), holds=(hold("complaint"),)), 12)

    assert ahead.denied
    assert [why.code for why in ahead.reasons] == ["guard.hold"]


def test_a_hold_that_ends_in_time_is_no_reason() -> None:
    _, ahead = looked(case(steps=noticed(), holds=(hold("promise", ends=20),)), 12)

    assert not ahead.denied


def test_a_step_that_a_person_is_asked_about_waits_for_that() -> None:
    asked = ApprovalFacts(1, "cut", "requested", frozenset({1}), None)

    _, ahead = looked(limited(approvals=(asked,)), MONDAY)

    assert [why.code for why in ahead.reasons] == ["approval"]
    assert not ahead.denied


def test_data_that_is_not_fresh_is_why_a_due_step_waits_but_not_why_a_later_one_would() -> None:
    stale = dataclasses.replace(case().partner, money_complete_until=at(0))

    _, due = looked(case(steps=noticed(), partner=stale), 40)
    _, later = looked(case(steps=noticed(), partner=stale), 12)

    assert [why.code for why in due.reasons] == ["guard.money_stale"]
    assert later.reasons == ()


def test_paying_everything_stops_it() -> None:
    found = stopping(case(steps=noticed(), claims=(claim(costs=3500),)), 12)

    assert found["pay_all"].params == {"amount": 83400}


def test_the_least_payment_that_stops_it_is_exact_to_the_oere() -> None:
    facts = case(steps=noticed())

    found = stopping(facts, 12)["pay_part"].params["amount"]

    def then(paid: int) -> str:
        left = dataclasses.replace(facts, claims=(claim(principal=79900 - paid),))
        decided = decide(policy(), NO_LAW, left, at(MONDAY))
        return decided.steps[0].step if decided.steps else decided.waits_for

    assert found == 79900 - 30000 + 1
    assert then(found) == "condition.arrears"
    assert then(found - 1) == "limit"


def test_a_payment_that_has_to_stop_a_newer_bills_step_pays_the_older_bill_first() -> None:
    older, newer = claim(1, 40000, due=-90, costs=1000), claim(2, 79900)
    walked = [step(name, 3 + n, -40 + n) for n, name in enumerate(("limit", "cut", "agency"))]
    again = (dataclasses.replace(one, id=one.id + 9, number=one.number + 9) for one in noticed(2))
    facts = case(steps=(*noticed(first=-80), *walked, *again), claims=(older, newer))

    _, ahead = looked(facts, 12)
    found = stopping(facts, 12)["pay_part"].params["amount"]

    assert [one.id for one in ahead.claims] == [2]
    assert found == 41000 + 79900 - 30000 + 1


def test_a_payment_that_was_ordered_gets_the_policys_settlement_days() -> None:
    facts = case(steps=noticed())
    asked, ahead = looked(facts, 12)

    told = next(stop for stop in stops(asked, ahead) if stop.code == "on_its_way")

    assert ahead.at is not None
    ordered = dataclasses.replace(
        facts, payments=(dataclasses.replace(payment(state="ordered"), received_at=ahead.at),)
    )
    assert decide(policy(), NO_LAW, ordered, ahead.at).waits_for == "guard.payment_in_transit"
    assert told.params == {"wait": "3 working days"}


def test_each_hold_of_the_policy_stops_as_far_as_it_reaches() -> None:
    found = stopping(limited(), 25, rules=HOLDS)

    assert found["dispute"].params["holds"] == ["dispute"]
    assert found["hold"].params["holds"] == ["plan", "debt_help", "medical"]


def test_a_hold_on_the_service_is_not_said_to_stop_a_letter() -> None:
    found = stopping(case(), 0, rules=HOLDS)

    assert found["hold"].params["holds"] == ["plan", "debt_help"]


def test_a_policy_without_holds_promises_none() -> None:
    found = stopping(limited(), 25)

    assert "hold" not in found
    assert "dispute" not in found


def test_flags_stop_a_cut_and_not_a_letter() -> None:
    cut, letter = stopping(limited(), 25), stopping(case(), 0)

    assert {"danger_life", "life_support", "severe_cold"} <= set(cut["flag"].params["flags"])
    assert "flag" not in letter


def test_a_flag_that_is_known_already_is_not_told_as_one_that_would_help() -> None:
    known = {"life_support": "yes"}

    found = stopping(limited(flags=known), 25)

    assert "life_support" not in found.get("flag", Stop("flag", {"flags": []})).params["flags"]


def test_a_person_may_say_no_where_the_policy_asks_one() -> None:
    cut, limit = stopping(limited(), 25), stopping(case(steps=noticed()), 12)

    assert cut["approval"].params == {"needs": 1}
    assert "approval" not in limit


@pytest.mark.parametrize(("rule", "amount"), [("zero", 83400), ("past_due", 79900)])
def test_what_gives_the_service_back_follows_the_policys_rule(rule: str, amount: int) -> None:
    rules = policy(restore=rule)
    facts = limited(claims=(claim(costs=3500),))

    found = stopping(facts, 25, rules=rules)

    assert found["back"].params == {"amount": amount, "services": [NET]}


def test_only_the_newest_bill_may_be_left_where_the_policy_says_so() -> None:
    rules = policy(restore="latest_claim")
    facts = limited(claims=(claim(1, 79900), claim(2, 59900, due=20)))

    found = stopping(facts, 25, rules=rules)

    assert found["back"].params["amount"] == 79900


def test_a_service_that_nobody_took_is_not_promised_back() -> None:
    assert "back" not in stopping(case(steps=noticed(), services=(service(),)), 12)
