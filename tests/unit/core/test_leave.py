"""Leaving: an effect that is due is asked once more, with facts read anew, whether it may go."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest

from relight.core.facts import CaseFacts, StepClaimFacts
from relight.core.law import NoLaw
from relight.core.leave import APOLOGY, AT_ONCE_TEMPLATES, Due, Exit, Leave, check_leave
from relight.core.levels import Level
from relight.core.policy import Policy
from tests.unit.core.cases import (
    NET,
    PHONE,
    ROAD,
    at,
    block,
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

MONDAY = 42
CUT = step("cut", 3, MONDAY, completed=False)
COMMAND = Due(1, "supply", "", 0, 3, NET, Level.OFF, 1)
NOTICE = Due(2, "message", "disconnect_notice", 0, 2, None, None, None)
STRAIGHT = ROAD[: ROAD.index("  limit:")] + ROAD[ROAD.index("  cut:") :]  # from the notice to the cut


def about_to_cut(**changed: Any) -> CaseFacts:
    """A case whose cut has been decided and not left."""
    pending = service(desired=Level.OFF, generation=1, unsent=(1,), blocks=(block(),))
    return case(**{"steps": (*noticed(), CUT), "services": (pending,), **changed})


def asked(facts: CaseFacts, due: Due = COMMAND, *, now: datetime | None = None, rules: Policy | None = None) -> Leave:
    return check_leave(rules or policy(STRAIGHT), NoLaw(), facts, due, now or at(MONDAY))


def test_a_cut_that_still_stands_leaves() -> None:
    assert asked(about_to_cut()).exit is Exit.SEND


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"claims": ()}, "guard.nothing_owed"),
        ({"claims": (claim(disputed=79900),)}, "guard.nothing_owed"),
        ({"claims": (claim(2, due=0),)}, "guard.nothing_owed"),
        ({"holds": (hold("plan"),)}, "guard.hold"),
        ({"holds": (hold("dispute", claim_id=1),)}, "guard.nothing_owed"),
        ({"flags": {"danger_life": "yes"}}, "guard.protected"),
        ({"debtor": "collective"}, "guard.collective_contract"),
        ({"steps": noticed()}, "step_voided"),
    ],
    ids=["paid", "disputed", "only_a_newer_bill", "plan", "claim_held", "protected", "collective", "voided"],
)
def test_a_cut_that_no_longer_stands_is_withheld(changed: dict[str, Any], why: str) -> None:
    leave = asked(about_to_cut(**changed))

    assert (leave.exit, leave.why) == (Exit.WITHHOLD, why)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"payments": (payment(state="ordered", received=MONDAY),)}, "guard.payment_in_transit"),
        ({"partner": partner(stopped=True)}, "guard.stopped"),
        ({"partner": partner(money_complete_until=at(MONDAY - 5))}, "guard.money_stale"),
    ],
)
def test_a_cut_that_has_to_wait_goes_later(changed: dict[str, Any], why: str) -> None:
    leave = asked(about_to_cut(**changed))

    assert (leave.exit, leave.why) == (Exit.LATER, why)
    assert leave.until is not None
    assert leave.until > at(MONDAY)


def test_a_cut_whose_hour_has_passed_waits_for_the_next_window() -> None:
    leave = asked(about_to_cut(), now=at(MONDAY, 14))

    assert (leave.exit, leave.until) == (Exit.LATER, at(MONDAY + 1, 9))


def test_a_hold_is_told_as_the_reason_even_when_the_switch_is_on_too() -> None:
    leave = asked(about_to_cut(holds=(hold("plan"),), partner=partner(stopped=True)))

    assert (leave.exit, leave.why) == (Exit.WITHHOLD, "guard.hold")


def test_a_command_that_a_newer_one_took_over_from_is_cancelled() -> None:
    newer = service(desired=Level.FULL, generation=2)

    assert asked(about_to_cut(services=(newer,))).exit is Exit.CANCEL
    assert asked(about_to_cut(services=())).exit is Exit.CANCEL


def test_of_two_services_the_one_that_was_paid_is_not_cut_for_the_other() -> None:
    both = dataclasses.replace(CUT, claims=(StepClaimFacts(1, 79900, 0), StepClaimFacts(2, 39900, 0)))
    net = service(NET, desired=Level.OFF, generation=1, unsent=(1,), blocks=(block(),))
    phone = service(PHONE, desired=Level.OFF, generation=1, unsent=(2,), blocks=(block(2),))
    paid_for_net = about_to_cut(
        claims=(claim(2, 39900, of=(PHONE,)),), services=(net, phone), steps=(*noticed(1, 2), both)
    )

    assert asked(paid_for_net).exit is Exit.WITHHOLD
    assert asked(paid_for_net, dataclasses.replace(COMMAND, service_id=PHONE)).exit is Exit.SEND


def test_a_command_to_lower_that_no_block_stands_behind_is_withheld() -> None:
    pending = service(desired=Level.OFF, generation=1, unsent=(1,))

    assert asked(about_to_cut(services=(pending,))).exit is Exit.WITHHOLD


@pytest.mark.parametrize("observed", [Level.OFF, Level.READY, Level.WALLED_GARDEN, None])
def test_a_restore_is_held_up_by_nothing(observed: Level | None) -> None:
    back = service(generation=2, observed=observed)
    facts = case(
        claims=(),
        services=(back,),
        steps=(step("restore", 5, MONDAY, of=(), completed=False),),
        holds=(hold("deceased"),),
        partner=partner(stopped=True, money_complete_until=None),
        contacted_at=(at(MONDAY),) * 9,
    )

    leave = asked(facts, Due(1, "supply", "", 0, 5, NET, Level.FULL, 2), now=at(MONDAY, 3))

    assert leave.exit is Exit.SEND


def test_a_restore_up_to_somebody_elses_block_leaves_although_nobody_knows_what_the_service_is() -> None:
    limited = service(
        desired=Level.LIMITED, generation=2, observed=None, blocks=(block(reason="fraud", level=Level.LIMITED),)
    )
    facts = case(claims=(), services=(limited,), steps=(step("restore", 5, MONDAY, of=(), completed=False),))

    assert asked(facts, Due(1, "supply", "", 0, 5, NET, Level.LIMITED, 2)).exit is Exit.SEND


def test_a_partner_in_shadow_sends_and_commands_nothing() -> None:
    facts = about_to_cut(partner=partner(shadow=True))

    for due in (COMMAND, NOTICE, dataclasses.replace(NOTICE, template="payment_received", step_number=None)):
        leave = asked(facts, due)
        assert (leave.exit, leave.why) == (Exit.WITHHOLD, "shadow")


def test_a_notice_leaves_in_the_day() -> None:
    assert asked(case(steps=noticed()), NOTICE).exit is Exit.SEND


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"claims": ()}, "guard.nothing_owed"),
        ({"holds": (hold("debt_help"),)}, "guard.hold"),
        ({"steps": ()}, "step_voided"),
    ],
)
def test_a_notice_that_no_longer_stands_is_withheld(changed: dict[str, Any], why: str) -> None:
    leave = asked(case(**{"steps": noticed(), **changed}), NOTICE)

    assert (leave.exit, leave.why) == (Exit.WITHHOLD, why)


def test_in_quiet_hours_a_notice_waits_for_the_morning() -> None:
    leave = asked(case(steps=noticed()), NOTICE, now=at(MONDAY, 20))

    assert (leave.exit, leave.why, leave.until) == (Exit.LATER, "quiet_hours", at(MONDAY + 1, 9))


@pytest.mark.parametrize("template", sorted(AT_ONCE_TEMPLATES))
def test_receipts_and_you_are_back_go_at_night_too(template: str) -> None:
    told = Due(2, "message", template, 0, None, None, None, None)
    busy = case(claims=(), contacted_at=(at(MONDAY),) * 9)

    assert asked(busy, told, now=at(MONDAY + 6, 3)).exit is Exit.SEND


def test_an_apology_waits_for_the_morning_but_not_for_the_cap() -> None:
    sorry = Due(2, "message", APOLOGY, 0, None, None, None, None)
    busy = case(claims=(), contacted_at=(at(MONDAY),) * 9)

    night, day = asked(busy, sorry, now=at(MONDAY, 23)), asked(busy, sorry, now=at(MONDAY + 1, 10))

    assert (night.exit, night.why, night.until) == (Exit.LATER, "quiet_hours", at(MONDAY + 1, 9))
    assert day.exit is Exit.SEND


def test_while_everything_is_stopped_nobody_is_told_of_a_cut_that_was_made() -> None:
    told = Due(2, "message", "disconnected", 1, 3, None, None, None)
    cut = case(steps=(*noticed(), CUT), services=(service(desired=Level.OFF, observed=Level.OFF, blocks=(block(),)),))

    stopped = asked(dataclasses.replace(cut, partner=partner(stopped=True)), told)

    assert (stopped.exit, stopped.why, stopped.until) == (Exit.LATER, "guard.stopped", at(MONDAY) + timedelta(hours=1))
    assert asked(cut, told).exit is Exit.SEND


def test_over_the_cap_a_message_waits_until_the_oldest_is_a_week_old() -> None:
    sent = tuple(at(MONDAY - days) for days in (6, 5, 4, 3, 2))

    leave = asked(case(steps=noticed(), contacted_at=sent), NOTICE)

    assert (leave.exit, leave.why, leave.until) == (Exit.LATER, "contact_cap", at(MONDAY - 6) + timedelta(days=7))
    assert asked(case(steps=noticed(), contacted_at=sent[1:]), NOTICE).exit is Exit.SEND


def test_a_message_that_tells_of_a_cut_is_not_sent_to_who_is_back() -> None:
    told = Due(2, "message", "disconnected", 1, 3, None, None, None)
    off = service(desired=Level.OFF, generation=1, observed=Level.OFF, blocks=(block(),))
    another_case = service(desired=Level.OFF, generation=1, observed=Level.OFF, blocks=(block(case=8),))

    assert asked(about_to_cut(services=(off,)), told).exit is Exit.SEND
    assert asked(about_to_cut(services=(service(generation=2),)), told).why == "already_restored"
    assert asked(about_to_cut(services=(another_case,)), told).why == "already_restored"


def test_a_message_that_tells_of_a_cut_is_not_sent_to_who_has_paid_and_is_about_to_be_back() -> None:
    told = Due(2, "message", "disconnected", 1, 3, None, None, None)
    off = service(desired=Level.OFF, generation=1, observed=Level.OFF, blocks=(block(),))

    leave = asked(about_to_cut(services=(off,), claims=()), told)

    assert (leave.exit, leave.why) == (Exit.WITHHOLD, "guard.nothing_owed")


def test_who_paid_the_bill_since_is_not_asked_for_the_fee_of_the_letter_that_has_not_left() -> None:
    reminder = Due(2, "message", "friendly", 0, 1, None, None, None)
    taken = dataclasses.replace(step("friendly", 1, MONDAY, completed=False), claims=(StepClaimFacts(1, 79900, 3500),))

    leave = asked(case(steps=(taken,), claims=(claim(principal=0, costs=3500),)), reminder)

    assert (leave.exit, leave.why) == (Exit.WITHHOLD, "guard.nothing_owed")


def test_a_letter_that_was_about_costs_alone_leaves() -> None:
    reminder = Due(2, "message", "friendly", 0, 1, None, None, None)
    taken = dataclasses.replace(step("friendly", 1, MONDAY, completed=False), claims=(StepClaimFacts(1, 0, 3500),))

    leave = asked(case(steps=(taken,), claims=(claim(principal=0, costs=3500),)), reminder)

    assert leave.exit is Exit.SEND
