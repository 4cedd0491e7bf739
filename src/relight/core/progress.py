"""Progress: steps that were taken and are not complete yet, part by part; and those whose notice never arrived."""

from dataclasses import replace
from datetime import datetime

from relight.core.actions import MessageAction
from relight.core.draft import Draft
from relight.core.facts import CaseFacts, ClaimFacts, EffectFacts, StepFacts
from relight.core.guards import reason
from relight.core.parts import (
    SHADOW,
    Progress,
    Ref,
    channels_for,
    is_done,
    notice_params,
    part_progress,
    send,
    start_part,
    waits_for_supply,
)
from relight.core.policy import Policy, Step
from relight.core.restore import RESTORE, follow_restore
from relight.core.standing import Standing, last_step, told_is_paid

_FRIENDLY = "friendly_reminder"  # asks, and gives nobody a right to anything


def follow_steps(draft: Draft, policy: Policy, facts: CaseFacts, at: Standing, now: datetime) -> None:
    """Look at every step that was taken: go on, complete it, or withdraw it."""
    _withdraw_what_was_told(draft, facts, at)
    for taken in facts.steps:
        if taken.id in draft.voided_steps:
            continue
        if taken.completed_at is not None:
            for effect in taken.effects:
                if effect.failed or _was_on_paper(effect):
                    break
            else:
                continue  # what is complete stays so, unless a message comes back, or it only would have been sent
        if taken.step == RESTORE:
            if taken.completed_at is None:
                follow_restore(draft, policy, facts, taken, now)
        elif taken.step in policy.by_name:
            _follow(draft, policy, facts, at, policy.step(taken.step), taken)


def _withdraw_what_was_told(draft: Draft, facts: CaseFacts, at: Standing) -> None:
    """Who has paid all that a notice named, of a bill that has grown since, is told of the rest before anything
    else: the notice goes, and whatever rested on it."""
    anew = {
        covered.claim_id
        for step in facts.steps
        for covered in step.claims
        if covered.raised and told_is_paid(facts, at, covered.claim_id)
    }
    if anew:
        for taken in facts.steps:
            if taken.id not in draft.voided_steps and any(covered.claim_id in anew for covered in taken.claims):
                _withdraw(draft, taken, "raised")


def _was_on_paper(effect: EffectFacts) -> bool:
    """Whether the partner was in shadow when the effect was to leave, and is live by now: nobody ever heard of it."""
    return effect.state == "withheld" and effect.why == SHADOW


def _follow(draft: Draft, policy: Policy, facts: CaseFacts, at: Standing, step: Step, taken: StepFacts) -> None:
    if any(_was_on_paper(effect) and _is_essential(step, effect.part) for effect in taken.effects):
        _withdraw(draft, taken, SHADOW)
        return
    if taken.completed_at is not None:
        lost = _never_arrived(step, taken)
        if lost and _is_current(taken, facts, policy):
            _withdraw(draft, taken, "undeliverable")
        elif lost and _claims(taken, facts):
            _ask_for_a_way(draft, policy, step, taken, lost)
        return
    for effect in taken.effects:
        if effect.state == "withheld" and _is_essential(step, effect.part):
            _withdraw(draft, taken, effect.why or "withheld")
            return
    if step.cuts and _rests_on_withdrawn(draft, taken, facts):
        _withdraw(draft, taken, "undeliverable")
        return
    _go_on(draft, policy, facts, at, step, taken)


def _go_on(draft: Draft, policy: Policy, facts: CaseFacts, at: Standing, step: Step, taken: StepFacts) -> None:
    since = taken.decided_at
    supply_open = False
    for part, action in enumerate(step.do):
        if waits_for_supply(step, part) and isinstance(action, MessageAction):
            if supply_open:
                return
            if not any(effect.part == part for effect in taken.effects):
                ref = Ref(draft.event("part_started", {"step": step.name, "part": part}), taken.number)
                start_part(draft, policy, at, step, part, _claims(taken, facts), ref)
            continue  # telling that it happened holds nothing up
        progress, done_at = part_progress(step, part, taken)
        if progress is Progress.FAILED and isinstance(action, MessageAction):
            _next_channel(draft, policy, step, taken, part, action)
        supply_open = supply_open or progress is not Progress.DONE
        since = max(since, done_at)
    if not supply_open:
        draft.completed_steps += ((taken.id, since),)
        draft.event("step_completed", {"step": step.name, "number": taken.number, "at": since.isoformat()})
        draft.wake(draft.now)  # the following step may already be due


def _next_channel(draft: Draft, policy: Policy, step: Step, taken: StepFacts, part: int, action: MessageAction) -> None:
    tried = _tried(taken, part)
    channels = channels_for(action, draft.facts, tried)
    stuck = any(task.part == part for task in taken.tasks)
    if not channels and stuck:
        return
    event = draft.event("channel_failed", {"step": step.name, "tried": sorted(tried), "next": list(channels)})
    params = notice_params(policy, draft.facts, step, action)
    send(draft, policy, action.template, channels, part, Ref(event, taken.number), params=params)


def _withdraw(draft: Draft, taken: StepFacts, why: str) -> None:
    draft.voided_steps += (taken.id,)
    draft.event(
        "step_withdrawn",
        {"step": taken.step, "number": taken.number},
        (reason("withdrawn." + why),),
        keep_facts=True,
    )
    draft.wake(draft.now)


def _ask_for_a_way(draft: Draft, policy: Policy, step: Step, taken: StepFacts, lost: tuple[int, ...]) -> None:
    """A notice that reached nobody, and on which later steps were built: the law may refuse what follows for ever, so a
    person finds another way, once. Not where the same was told later, and arrived; a friendly word may be lost."""
    for part in lost:
        action = step.do[part]
        assert isinstance(action, MessageAction)
        asked = any(task.part == part for task in taken.tasks)
        if not asked and action.template != _FRIENDLY and not _was_told_later(taken, draft.facts, action.template):
            event = draft.event("channel_failed", {"step": step.name, "tried": sorted(_tried(taken, part)), "next": []})
            send(draft, policy, action.template, (), part, Ref(event, taken.number), params={})


def _was_told_later(taken: StepFacts, facts: CaseFacts, template: str) -> bool:
    covered = {claim.claim_id for claim in taken.claims}
    later = (step for step in facts.steps if step.number > taken.number and covered & {c.claim_id for c in step.claims})
    return any(
        effect.template == template and is_done(effect) and not effect.failed
        for step in later
        for effect in step.effects
    )


def _tried(taken: StepFacts, part: int) -> frozenset[str]:
    return frozenset(effect.channel for effect in taken.effects if effect.part == part)


def _is_essential(step: Step, part: int) -> bool:
    """Whether the step means nothing without this part: all but the messages that tell of a cut afterwards."""
    return part < len(step.do) and not (isinstance(step.do[part], MessageAction) and waits_for_supply(step, part))


def _never_arrived(step: Step, taken: StepFacts) -> tuple[int, ...]:
    """The parts of a completed step whose notice turned out to have reached nobody."""
    lost: list[int] = []
    for part, action in enumerate(step.do):
        if isinstance(action, MessageAction) and _is_essential(step, part):
            effects = [effect for effect in taken.effects if effect.part == part]
            reached = any(is_done(effect) and not effect.failed for effect in effects)
            if any(effect.failed for effect in effects) and not reached:  # others may have been given up before
                lost.append(part)
    return tuple(lost)


def _is_current(taken: StepFacts, facts: CaseFacts, policy: Policy) -> bool:
    """Whether it still is the last step of one of its claims, but for a cut that has not come about yet; what came
    later stands on its own proofs."""
    cutting = {step.name for step in policy.steps if step.cuts}
    done = tuple(step for step in facts.steps if step.completed_at is not None or step.step not in cutting)
    finished = replace(facts, steps=done)
    return any(last_step(covered.claim_id, finished) is taken for covered in taken.claims)


def _rests_on_withdrawn(draft: Draft, taken: StepFacts, facts: CaseFacts) -> bool:
    """Whether an earlier step of one of its claims has just been withdrawn."""
    covered = {claim.claim_id for claim in taken.claims}
    return any(
        step.id in draft.voided_steps and step.number < taken.number and covered & {c.claim_id for c in step.claims}
        for step in facts.steps
    )


def _claims(taken: StepFacts, facts: CaseFacts) -> tuple[ClaimFacts, ...]:
    covered = {claim.claim_id for claim in taken.claims}
    return tuple(claim for claim in facts.claims if claim.id in covered)
