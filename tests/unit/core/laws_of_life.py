"""What must hold in every turn and at every release of every life (DESIGN § 2), said once more without `decide`'s code.

Each check raises AssertionError with the turn in its message; they read facts and decisions, and nothing else.
"""

import json
from dataclasses import asdict
from datetime import date, datetime, timedelta

from relight.core.decision import Decision
from relight.core.facts import CaseFacts, ClaimFacts, StepFacts
from relight.core.facts_record import as_json
from relight.core.leave import UNCOUNTED_TEMPLATES, Exit
from relight.core.levels import Level, is_lower
from relight.core.policy import Policy
from relight.core.restore import RESTORE
from tests.unit.core.cases import CASE, OSLO
from tests.unit.core.history import History, Released

NOTICES = {"disconnect_notice"}
CUTTING = {"limit", "cut"}


def check_life(life: History) -> None:
    """Every turn and every release of a life."""
    for facts, now, decision in life.turns:
        _wakes(now, decision)
        _one_step(life.policy, facts, now, decision)
        _proofs(life.policy, facts, now, decision)
        _pauses(facts, now, decision)
        _blocks(life.policy, facts, now, decision)
        _restores(facts, now, decision)
        _is_plain(facts, decision)
    for released in life.released:
        _leaves(life, released)
    _keys(life)


def local(moment: datetime) -> date:
    """The day in Oslo."""
    return moment.astimezone(OSLO).date()


def countable(claim: ClaimFacts, facts: CaseFacts) -> int:
    """What of a claim may be followed up: what is owed, neither disputed nor held."""
    held = any(hold.claim_id == claim.id and hold.amount is None for hold in facts.holds)
    principal = 0 if held else max(0, claim.principal - claim.disputed)
    return principal + claim.costs if principal or not claim.principal else 0


def overdue(facts: CaseFacts, now: datetime) -> list[ClaimFacts]:
    """Claims whose due date has passed, and of which something may be followed up."""
    return [claim for claim in facts.claims if claim.due_date < local(now) and countable(claim, facts) > 0]


def steps_of(claim_id: int, facts: CaseFacts) -> list[StepFacts]:
    """The steps that name a claim, in order."""
    return [step for step in facts.steps if any(covered.claim_id == claim_id for covered in step.claims)]


def _wakes(now: datetime, decision: Decision) -> None:
    if decision.state != "closed":
        assert decision.wakes_at is not None, "an open case sleeps for ever"
        assert now < decision.wakes_at <= now + timedelta(days=7), f"sleeps too long: {decision.wakes_at}"


def _one_step(policy: Policy, facts: CaseFacts, now: datetime, decision: Decision) -> None:
    taken = [step for step in decision.steps if step.step != RESTORE]
    assert len(taken) <= 1, f"two steps in one turn: {taken}"
    before = [step for step in facts.steps if step.step != RESTORE]
    if taken and before and taken[0].step not in CUTTING | {"agency"}:
        days = (local(now) - local(before[-1].decided_at)).days
        assert days > 3, f"{taken[0].step} came {days} days after {before[-1].step}: two notices in one go"


def _proofs(policy: Policy, facts: CaseFacts, now: datetime, decision: Decision) -> None:
    """A step rests on claims of which each has come to it by itself."""
    skipped = policy.profile(facts.profile).skip
    first = next((step.name for step in policy.steps if step.name not in skipped), "")
    by_id = {claim.id: claim for claim in facts.claims}
    for step in decision.steps:
        if step.step == RESTORE:
            continue
        assert step.step not in skipped, f"{step.step} is left out for {facts.profile}"
        assert step.claims, f"{step.step} rests on nothing"
        for id_, principal, _ in step.claims:
            assert countable(by_id[id_], facts) > 0, f"claim {id_} is disputed, held or paid"
            assert principal <= by_id[id_].principal
            assert by_id[id_].due_date < local(now)
            standing = [one for one in steps_of(id_, facts) if one.id not in decision.voided_steps]
            _has_come_to(step.step, first, standing, now)


def _has_come_to(step: str, first: str, before: list[StepFacts], now: datetime) -> None:
    assert step == first or before, f"a claim without any step is in {step}"
    for earlier in before[-1:]:
        assert earlier.completed_at is not None, f"{step} came before {earlier.step} was complete"
        assert earlier.completed_at <= now
        assert earlier.pay_by_date is None or earlier.pay_by_date < local(now), f"{step} came within the term"
    if step in CUTTING | {"fee", "agency"}:
        told = [one for one in before if one.step == "notice" and one.completed_at is not None]
        assert told, f"{step} without a complete notice"


def _pauses(facts: CaseFacts, now: datetime, decision: Decision) -> None:
    taken = [step.step for step in decision.steps if step.step != RESTORE]
    held = any(hold.claim_id is None and hold.service_id is None for hold in facts.holds)
    assert not (taken and held), f"{taken} on a held case"
    assert not (taken and facts.partner.stopped), f"{taken} while the switch is on"
    assert not (taken and facts.partner.money_is_stale(now)), f"{taken} on stale money data"
    if "limit" in taken:
        assert facts.flags.get("life_support") == "no", "a flag that nobody knows does not block"
    if set(taken) & CUTTING:
        assert facts.flags.get("life_support") != "yes", "a protected customer is cut"


def _blocks(policy: Policy, facts: CaseFacts, now: datetime, decision: Decision) -> None:
    ours = {b.id for s in facts.services for b in s.blocks if b.reason == "arrears" and b.case_id == CASE}
    assert set(decision.lifted_blocks) <= ours, "somebody else's block was lifted"
    assert not decision.blocks or {step.step for step in decision.steps} & CUTTING, "a block without a step"
    if not overdue(facts, now):
        assert set(decision.lifted_blocks) == ours, "nothing is overdue, and a block of ours stays"
        assert not decision.blocks, "nothing is overdue, and a service is blocked"
    lowered = {one.service_id for one in decision.blocks}
    desired = {service.id: service.desired for service in facts.services}
    for supply in decision.supplies:
        assert supply.service_id in lowered or not is_lower(supply.desired, desired[supply.service_id])


def _restores(facts: CaseFacts, now: datetime, decision: Decision) -> None:
    gave_up = {service.id for service in facts.services if service.gave_up}
    for effect in decision.effects:
        if effect.level is Level.FULL:
            assert effect.lane == "urgent"
            assert effect.due_at <= now or effect.service_id in gave_up, "a restore is put off"


def _is_plain(facts: CaseFacts, decision: Decision) -> None:
    for event in decision.events:
        plain = asdict(event)["params"]
        assert json.loads(json.dumps(plain)) == json.loads(json.dumps(dict(event.params)))
        json.dumps([(why.code, dict(why.params), why.law) for why in event.reasons])
    json.dumps([dict(one.params) for one in (*decision.effects, *decision.tasks)])
    json.loads(as_json(facts))


def _leaves(life: History, released: Released) -> None:
    draft, facts, now = released.effect.draft, released.facts, released.now
    sent = released.leave.exit is Exit.SEND
    if draft.level is Level.FULL:
        assert sent or released.leave.exit is Exit.CANCEL, f"a restore was {released.leave}"
    elif draft.kind == "supply" and sent and released.effect.step_number in _cutting_numbers(life):
        service = next(one for one in facts.services if one.id == draft.service_id)
        owed = [claim for claim in overdue(facts, now) if any(s.service_id == service.id for s in claim.shares)]
        assert owed, "a service was cut for which nothing is overdue"
        assert not facts.partner.stopped
        assert not facts.partner.money_is_stale(now)
        assert not any(hold.claim_id is None and hold.service_id is None for hold in facts.holds)
        assert facts.flags.get("life_support") != "yes"
    if draft.kind == "message" and sent and draft.template not in UNCOUNTED_TEMPLATES:
        hour = now.astimezone(OSLO)
        assert hour.weekday() < 5, "a message at the weekend"
        assert 9 <= hour.hour < 20, "a message in quiet hours"
        assert not facts.partner.calendar.is_holiday(hour.date())
        assert len([one for one in facts.contacted_at if now - one < timedelta(days=7)]) < 5, "over the contact cap"


def _cutting_numbers(life: History) -> set[int]:
    return {step.number for step in (*life.steps.values(), *life.voided.values()) if step.step in CUTTING}


def _keys(life: History) -> None:
    """Keys are made of case, event number and the effect's place in its decision: no two alike."""
    keys = [
        (decision.version + 1 + effect.event, index)
        for _, _, decision in life.turns
        for index, effect in enumerate(decision.effects)
    ]
    assert len(set(keys)) == len(keys), "two effects with one key"
