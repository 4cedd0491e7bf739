"""Properties of whole lives: whatever the policy, whatever happens, in whatever order (DESIGN § 2)."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from relight.core.decide import decide
from relight.core.leave import Exit, Leave
from relight.core.levels import Level
from relight.core.policy import Policy
from relight.core.restore import RESTORE
from tests.unit.core.laws_of_life import check_life
from tests.unit.core.lives import HAPPENINGS, Happening, answers, beginnings, happenings, live, make_policy, policies

profiles = st.sampled_from(["", "", "vip", "careful", "standing"])
thorough = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@thorough
@given(rules=policies, story=happenings, said=answers, profile=profiles, quiet_days=beginnings)
def test_every_turn_and_every_release_keeps_the_laws(
    rules: Policy, story: list[Happening], said: list[str], profile: str, quiet_days: int
) -> None:
    life = live(rules, story, said, profile=profile, quiet_days=quiet_days)

    for name in sorted(set(life.names())):
        event(name)
    check_life(life)


@thorough
@given(rules=policies, story=happenings, said=answers, quiet_days=beginnings)
def test_whoever_has_paid_gets_everything_back_at_any_hour_and_whatever_is_switched_off(
    rules: Policy, story: list[Happening], said: list[str], quiet_days: int
) -> None:
    life = live(rules, story, said, quiet_days=quiet_days)
    life.partner = dataclasses.replace(life.partner, stopped=True, money_complete_until=None)
    cut = [id_ for id_, (_, block) in life.blocks.items() if block.reason == "arrears"]
    event("was cut" if cut else "was never cut")

    HAPPENINGS["pay_all"](life, 0)
    life.wake()
    life.days(0.2)

    others = {service_id for service_id, block in life.blocks.values() if block.reason != "arrears"}
    assert [block for _, block in life.blocks.values() if block.reason == "arrears"] == []
    for service in life.facts().services:
        assert service.id in others or service.desired is Level.FULL
        assert service.id in others or service.observed is Level.FULL
    before = set(life.steps)
    life.days(40)
    assert {number for number, step in life.steps.items() if step.step != RESTORE} <= before
    assert life.case["state"] == "closed"


@settings(max_examples=40)
@given(rules=policies, story=happenings, said=answers)
def test_a_life_told_again_is_the_same_life(rules: Policy, story: list[Happening], said: list[str]) -> None:
    one, other = live(rules, story, said), live(rules, story, said)

    assert [(now, decision) for _, now, decision in one.turns] == [(now, decision) for _, now, decision in other.turns]
    assert [decide(rules, one.law, facts, now) for facts, now, _ in one.turns] == [d for _, _, d in other.turns]


DAY = 24
SEND = Leave(Exit.SEND)
NEWER_BILL = [Happening(25 * DAY, "bill", 0), Happening(30 * DAY, "nothing", 0)]
CUT_AND_PAID = [Happening(45 * DAY, "nothing", 0), Happening(DAY, "pay_all", 0)]
HELD = [Happening(0, "hold", 8), Happening(20 * DAY, "nothing", 0)]
STOPPED = [Happening(0, "switch", 1), Happening(20 * DAY, "nothing", 0)]
DISPUTED = [Happening(0, "dispute", 8), Happening(20 * DAY, "nothing", 0)]
NOTHING = [Happening(50 * DAY, "nothing", 0)]


def newest_of_the_case(claim_id: int, facts: Any) -> Any:
    """Progress as if it belonged to the case."""
    return facts.steps[-1] if facts.steps else None


def whole(claim: Any, countable: Any) -> int:
    """What is owed as if nothing were disputed."""
    return claim.principal + claim.costs


@pytest.mark.parametrize(
    ("faults", "story", "noticed"),
    [
        ({"advance.last_step": newest_of_the_case, "guards._told": lambda *_: ()}, NEWER_BILL, "without"),
        ({"decide.restore_where_due": lambda *_: None}, CUT_AND_PAID, "a block of ours stays"),
        ({"guards._pauses": lambda *_: ()}, HELD, "on a held case"),
        ({"guards._pauses": lambda *_: ()}, STOPPED, "while the switch is on"),
        ({"standing.owed": whole}, DISPUTED, "disputed, held or paid"),
        ({"advance._gap_ends": lambda *_: None}, NOTHING, "two notices in one go"),
        ({"draft.LOOK_AGAIN_MAX": timedelta(days=30)}, DISPUTED, "sleeps too long"),
        (
            {"parts.contact_moment": lambda policy, facts, now: now, "leave._contact": lambda *_: SEND},
            NOTHING,
            "a message",
        ),
        ({"leave.gives_back": lambda *_: False}, CUT_AND_PAID, "come to rest|a restore was"),
    ],
    ids=[
        "a_claim_inherits_steps",
        "forgets_to_restore",
        "ignores_holds",
        "ignores_the_switch",
        "ignores_disputes",
        "leaves_no_gap",
        "sleeps_too_long",
        "writes_at_any_hour",
        "holds_restores_up",
    ],
)
def test_the_laws_notice_a_planted_fault(
    monkeypatch: pytest.MonkeyPatch, faults: dict[str, Any], story: list[Happening], noticed: str
) -> None:
    rules = make_policy(True, "1 day", "best", False, True, "person", "zero")
    check_life(live(rules, story, []))
    for target, fault in faults.items():
        monkeypatch.setattr(f"relight.core.{target}", fault)

    with pytest.raises(AssertionError, match=noticed):
        check_life(live(rules, story, []))
