"""Restoring: when arrears no longer justify a block it is lifted, and the service is followed until it is back.

The same turn that could cut can restore: the level wanted is computed afresh from the facts each time. Only our own
blocks are lifted; a service that is blocked for safety, or by the customer, stays as it is.
"""

from datetime import datetime, timedelta

from relight.core.decision import StepDraft, SupplyDraft
from relight.core.draft import Draft
from relight.core.facts import BlockFacts, CaseFacts, ServiceFacts, StepFacts
from relight.core.guards import reason
from relight.core.law import Reason
from relight.core.levels import Level, is_lower, lowest
from relight.core.parts import CHANNELS, Ref, command, send
from relight.core.policy import Policy
from relight.core.standing import Standing, is_clear

RESTORE = "restore"  # the engine's own step: no policy needs to ask for it, and none can forget it
RELIEVING_HOLDS = frozenset({"plan", "debt_help", "medical"})
COMMAND, BUTTON, BACK = 0, 1, 2  # the parts of a restore
_TRY_AGAIN = timedelta(hours=1)


def any_touched(facts: CaseFacts) -> bool:
    """Whether a service was ever taken below full: most never are, and there is nothing to give back."""
    for service in facts.services:  # noqa: SIM110 - asked in every turn: a generator takes twice as long
        if service.blocks or service.generation:
            return True
    return False


def restore_where_due(draft: Draft, policy: Policy, facts: CaseFacts, at: Standing) -> None:
    """Lift our blocks where the policy's condition holds, or where the step behind them was voided."""
    lifted: list[tuple[ServiceFacts, tuple[BlockFacts, ...]]] = []
    why: list[Reason] = []
    for service in facts.services:
        if not service.blocks:
            continue
        ours = tuple([one for one in service.blocks if one.reason == "arrears" and one.case_id == facts.case_id])
        if not ours:
            continue
        taken = {step.number for step in facts.steps}
        because = may_give_back(policy, facts, at, service)
        gone = ours if because else tuple(block for block in ours if block.step_number not in taken)
        if gone:
            lifted.append((service, gone))
            why.append(because or reason("restore.step_voided"))
    if lifted:
        _lift(draft, facts, lifted, tuple(dict.fromkeys(why)))


def may_give_back(policy: Policy, facts: CaseFacts, at: Standing, service: ServiceFacts | None = None) -> Reason | None:
    """Why a service, or what the whole case is about, need not be cut any more; None where it may stay so."""
    if is_clear(facts, at, policy.restore_when, service):
        return reason("restore.cured", rule=policy.restore_when)
    relieving = sorted(
        [
            hold.reason
            for hold in facts.holds
            if hold.reason in RELIEVING_HOLDS
            and hold.claim_id is None
            and hold.service_id in (None, service.id if service else None)
        ]
    )
    return reason("restore.hold", holds=tuple(relieving)) if relieving else None


def _lift(
    draft: Draft,
    facts: CaseFacts,
    lifted: list[tuple[ServiceFacts, tuple[BlockFacts, ...]]],
    why: tuple[Reason, ...],
) -> None:
    event = draft.event("restore_decided", {"services": [service.id for service, _ in lifted]}, why, keep_facts=True)
    draft.steps += (StepDraft(event, RESTORE, (), None),)
    for service, gone in lifted:
        draft.lifted_blocks += tuple([block.id for block in gone])
        _void_unfinished(draft, facts, gone)
        _raise(draft, service, gone, Ref(event))


def _raise(draft: Draft, service: ServiceFacts, gone: tuple[BlockFacts, ...], ref: Ref) -> None:
    staying = [block for block in service.blocks if block not in gone]
    wanted = lowest([block.level for block in staying])
    if not is_lower(service.desired, wanted):
        draft.event("stays_blocked", {"service": service.id, "blocks": sorted({block.reason for block in staying})})
        draft.wake(draft.now)  # nothing was commanded, so no outcome will wake us to complete the step
        return
    if service.untouched or (service.observed is wanted and not service.in_flight and not service.gave_up):
        draft.cancelled_effects += service.unsent  # what was to cut it has not left, and never will
        draft.supplies += (SupplyDraft(service.id, wanted, service.generation + 1),)
        draft.wake(draft.now)
        return
    command(draft, service, wanted, COMMAND, ref)


def _void_unfinished(draft: Draft, facts: CaseFacts, gone: tuple[BlockFacts, ...]) -> None:
    numbers = {block.step_number for block in gone}
    for step in facts.steps:
        if step.number in numbers and step.completed_at is None and step.id not in draft.voided_steps:
            draft.voided_steps += (step.id,)


def follow_restore(draft: Draft, policy: Policy, facts: CaseFacts, step: StepFacts, now: datetime) -> None:
    """Go on with a restore: ask for the button, tell that it is back, and end when the customer has been told."""
    commands = [effect for effect in step.effects if effect.part == COMMAND and effect.kind == "supply"]
    if any(effect.state in ("pending", "in_flight") for effect in commands):
        return
    services = {service.id: service for service in facts.services}
    pairs = [(effect, services[effect.service_id]) for effect in commands if effect.service_id in services]
    mine = [service for _, service in pairs]
    if not any(effect.generation == service.generation and not service.untouched for effect, service in pairs):
        draft.completed_steps += ((step.id, now),)  # nothing was commanded, or a later command took over
        return
    told = {effect.part for effect in step.effects if effect.kind == "message"}
    if any(service.observed is Level.READY for service in mine) and BUTTON not in told:
        _tell(draft, policy, step, "press_button", BUTTON)
    if all(service.observed is service.desired for service in mine):
        _end(draft, policy, facts, step, told, now)


def _end(draft: Draft, policy: Policy, facts: CaseFacts, step: StepFacts, told: set[int], now: datetime) -> None:
    """All services are back: tell the customer, and when the message has left, the restore is complete."""
    if BACK not in told and facts.reach:
        _tell(draft, policy, step, "restored", BACK)
        return
    messages = [effect for effect in step.effects if effect.part == BACK]
    if not any(effect.state in ("pending", "in_flight") for effect in messages):
        draft.completed_steps += ((step.id, now),)
        services = sorted({effect.service_id for effect in step.effects if effect.service_id is not None})
        draft.event("restored", {"step": step.number, "services": services})


def _tell(draft: Draft, policy: Policy, step: StepFacts, template: str, part: int) -> None:
    channels = tuple(channel for channel in CHANNELS if channel in draft.facts.reach)[:1]
    event = draft.event(template + "_told", {"step": step.number})
    send(draft, policy, template, channels, part, Ref(event, step.number), params={}, urgent_at=draft.now)


def reassert(draft: Draft, facts: CaseFacts, now: datetime) -> None:
    """A service that should be given back and is not, with no command on its way: command it again (I4)."""
    for service in facts.services:
        if service.untouched or service.generation == 0 or not service.controllable or service.command_open:
            continue
        if any(supply.service_id == service.id for supply in draft.supplies):
            continue
        is_back = service.observed in (service.desired, Level.READY)
        observed_lower = service.observed is None or is_lower(service.observed, service.desired)
        if is_back or not observed_lower:
            continue
        if service.gave_up and is_lower(service.desired, Level.FULL):
            continue  # a cut that did not come about is a person's to look at, or was stopped by a guard
        wait = _TRY_AGAIN if service.gave_up else timedelta(0)
        event = draft.event("command_repeated", {"service": service.id, "level": service.desired.value})
        step = next((step.number for step in reversed(facts.steps) if step.step == RESTORE), None)
        command(draft, service, service.desired, COMMAND, Ref(event, step if step is not None else 0), now + wait)


def restoring(draft: Draft, facts: CaseFacts) -> bool:
    """Whether a restore is under way when this turn is over."""
    for step in draft.steps:
        if step.step == RESTORE:
            return True
    if not facts.steps:
        return False
    under_way = [step.id for step in facts.steps if step.completed_at is None and step.step == RESTORE]
    if not under_way:
        return False
    completed = {step_id for step_id, _ in draft.completed_steps}
    return any(id_ not in completed for id_ in under_way)
