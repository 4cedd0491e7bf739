"""Parts: the actions of a step, one after the other. What each one starts, and how far it has come.

A message that stands after a supply action is sent only when the service has been seen at its level; a message whose
channel fails goes out on the next one; one that reaches nobody becomes a task, and the step stays where it is.
"""

import hashlib
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any

from relight.core.actions import (
    Action,
    FeeAction,
    HandoverAction,
    MessageAction,
    PlanOfferAction,
    SupplyAction,
    TaskAction,
    task_code,
)
from relight.core.calendars import due_date
from relight.core.decision import BlockDraft, EffectDraft, FeeDraft, OfferDraft, Params, SupplyDraft, TaskDraft
from relight.core.draft import Draft
from relight.core.facts import CaseFacts, ClaimFacts, EffectFacts, ServiceFacts, StepFacts
from relight.core.levels import Level, is_lower, lowest
from relight.core.plans.terms import months_offered
from relight.core.policy import Policy, Step
from relight.core.records import record
from relight.core.spans import Span, Unit
from relight.core.standing import Standing, services_to_cut
from relight.core.waits import longest_term
from relight.core.windows import local_date, local_midnight, next_in_window

CHANNELS = ("sms", "email", "letter")
SHADOW = "shadow"  # why an effect is withheld while a partner only looks
SPREAD_SECONDS = 3600
_OPEN = ("pending", "in_flight")
_MANUAL_SPAN = Span(5, Unit.WORKING_DAYS)


class Progress(Enum):
    """How far a part has come."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"  # every channel tried so far could not deliver
    STUCK = "stuck"  # a person has a task


@record
class Ref:
    """Which step and event new effects belong to: a step taken in this turn, or an earlier one by its number."""

    event: int
    step_number: int | None = None

    @property
    def of_step(self) -> bool:
        """Whether the step is taken by this very event."""
        return self.step_number is None


def waits_for_supply(step: Step, part: int) -> bool:
    """Whether a supply action stands before this part."""
    return step.first_supply < part


def part_progress(step: Step, part: int, taken: StepFacts) -> tuple[Progress, datetime]:
    """How far a part of a step has come, and since when it has been done."""
    action = step.do[part]
    effects = tuple(effect for effect in taken.effects if effect.part == part)
    match action:
        case MessageAction(mode=mode):
            return _message_progress(effects, mode == "all", taken.decided_at)
        case SupplyAction():
            return _supply_progress(effects, taken.decided_at)
        case HandoverAction() if effects:
            return _supply_progress(effects, taken.decided_at)
        case FeeAction() | TaskAction():
            return Progress.DONE, taken.decided_at
        case PlanOfferAction() if all(task.part != part for task in taken.tasks):
            return Progress.DONE, taken.decided_at
        case _:
            done = [task.done_at for task in taken.tasks if task.part == part and task.state == "done"]
            return (Progress.DONE, done[0]) if done and done[0] else (Progress.STUCK, taken.decided_at)


def _message_progress(effects: tuple[EffectFacts, ...], wants_all: bool, since: datetime) -> tuple[Progress, datetime]:
    reached = [effect.finished_at or since for effect in effects if is_done(effect) and not effect.failed]
    if any(effect.state in _OPEN for effect in effects) and (wants_all or not reached):
        return Progress.OPEN, since
    if reached:
        return Progress.DONE, max(reached) if wants_all else min(reached)
    return Progress.FAILED, since


def is_done(effect: EffectFacts) -> bool:
    """Done, or it would have been were the partner not in shadow (`EffectFacts.state`)."""
    return effect.state == "done"


def _supply_progress(effects: tuple[EffectFacts, ...], since: datetime) -> tuple[Progress, datetime]:
    if any(effect.state in _OPEN for effect in effects):
        return Progress.OPEN, since
    if any(effect.state in ("given_up", "refused") for effect in effects):
        return Progress.STUCK, since
    return Progress.DONE, max((effect.finished_at or since for effect in effects), default=since)


def start_part(
    draft: Draft, policy: Policy, at: Standing, step: Step, part: int, claims: tuple[ClaimFacts, ...], ref: Ref
) -> None:
    """Start one action of a step."""
    action = step.do[part]
    match action:
        case MessageAction():
            params = notice_params(policy, draft.facts, step, action)
            send(draft, policy, action.template, channels_for(action, draft.facts), part, ref, params=params)
        case SupplyAction(level):
            for service in services_to_cut(claims, draft.facts, policy, at):
                _lower(draft, service, level, part, ref)
        case HandoverAction(to=name) if any(agency.name == name for agency in draft.facts.partner.agencies):
            draft.effects += (_hand_over(draft, name, part, ref),)
        case FeeAction(fee=fee, amount_minor=amount):
            if not draft.facts.partner.shadow:  # nobody owes a fee for a letter that only would have been sent
                draft.fees += (FeeDraft(ref.event, max(claims, key=lambda c: (c.due_date, c.id)).id, fee, amount),)
        case PlanOfferAction():
            draft.offers += (_offer(draft, policy, action, ref),)
        case _:
            _give_to_person(draft, action, part, ref)


def notice_params(policy: Policy, facts: CaseFacts, step: Step, action: MessageAction) -> Params:
    """What the words of a step's message need: its tone, the term that it gives, counted from the day it leaves, how
    long an offered plan runs, and the cost that a fourteen-day letter announces."""
    tone = policy.profile(facts.profile).tone or action.tone or "neutral"
    term = longest_term(policy, facts.partner.calendar, step)
    params: dict[str, Any] = {"tone": tone}
    if term is not None:
        params["term"] = str(term)
    offers = [offer for offer in step.do if isinstance(offer, PlanOfferAction)]
    if action.template == "plan_offer" and offers:
        params["months"] = _months(policy, offers[0], facts)
    if action.template == "fourteen_day_letter":  # it names the cost that a later step charges (BW 6:96 lid 6)
        params |= _collection_cost(policy)
    return params


def _offer(draft: Draft, policy: Policy, action: PlanOfferAction, ref: Ref) -> OfferDraft:
    partner = draft.facts.partner
    until = partner.calendar.add(local_date(draft.now, partner.zone), policy.plan(action.plan).valid)
    return OfferDraft(ref.event, action.plan, _months(policy, action, draft.facts), until)


def _months(policy: Policy, action: PlanOfferAction, facts: CaseFacts) -> tuple[int, int]:
    owed = sum([claim.principal + claim.costs for claim in facts.claims])
    return months_offered(policy.plan(action.plan), max(1, owed), stated=action.months)


def _collection_cost(policy: Policy) -> dict[str, int]:
    fees = (action for step in policy.steps for action in step.do if isinstance(action, FeeAction))
    costs = [fee.amount_minor for fee in fees if fee.fee == "collection_cost"]
    return {"collection_cost": max(costs)} if costs else {}


def channels_for(action: MessageAction, facts: CaseFacts, tried: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The channels to send on now: all that reach the customer, or the first that was not tried."""
    reachable = tuple([channel for channel in action.channels if channel in facts.reach and channel not in tried])
    if action.mode == "all" and not tried:
        return reachable
    if not reachable:  # rather another way than none
        reachable = tuple(channel for channel in CHANNELS if channel in facts.reach and channel not in tried)
    return reachable[:1]


def send(
    draft: Draft,
    policy: Policy,
    template: str,
    channels: tuple[str, ...],
    part: int,
    ref: Ref,
    *,
    params: Params,
    urgent_at: datetime | None = None,
) -> None:
    """Put a message in the outbox for each channel: an urgent one for its moment, which stops let through, and others
    for the contact hours. A task for a person when no channel is left for one that is not urgent."""
    if not channels and urgent_at is None:
        number = ref.step_number if ref.step_number is not None else "new"
        dedup = f"cannot_reach-{draft.facts.case_id}-{number}-{part}"
        draft.tasks += (_task(draft, "cannot_reach", dedup, part, ref, template=template),)
    due_at = contact_moment(policy, draft.facts, draft.now) if urgent_at is None else urgent_at
    lane, of, event = "bulk" if urgent_at is None else "urgent", ref.step_number, ref.event
    for channel in channels:
        draft.effects += (
            EffectDraft(event, "message", due_at, lane, part, of is None, of, channel, template, params=params),
        )


def contact_moment(policy: Policy, facts: CaseFacts, now: datetime) -> datetime:
    """When a message may leave: within the contact hours, spread over their first hour so that not all go at once."""
    opens = _opens(policy, facts, now)
    if opens <= now:
        return now
    # By the oldest bill, not by a row's id: the same history told anew leaves at the same minute.
    claims = facts.claims
    oldest = claims[0] if len(claims) == 1 else min(claims, key=lambda one: (one.due_date, one.number), default=None)
    return _opens(policy, facts, opens + _spread(oldest.number if oldest else ""))


def spread_moment(policy: Policy, facts: CaseFacts, now: datetime) -> datetime:
    """When a message may leave that many get at one moment: spread over an hour within the contact hours, also where
    they have opened already; over the next ones' first hour where they close meanwhile."""
    spread = _spread(f"account {facts.account_id}")  # who gets one may owe nothing any more
    moment = _opens(policy, facts, now) + spread
    opens = _opens(policy, facts, moment)
    return moment if opens == moment else _opens(policy, facts, opens + spread)


def _opens(policy: Policy, facts: CaseFacts, now: datetime) -> datetime:
    partner = facts.partner
    return next_in_window(now, policy.contact.window, partner.zone, partner.calendar, partner.closed_dates)


@lru_cache(maxsize=4096)
def _spread(whose: str) -> timedelta:
    """How far into the hour the messages about a bill go, or to an account; kept, since it is asked for with every
    step."""
    digest = hashlib.blake2b(whose.encode(), digest_size=4).digest()
    return timedelta(seconds=int.from_bytes(digest, "big") % SPREAD_SECONDS)


def command(
    draft: Draft, service: ServiceFacts, level: Level, part: int, ref: Ref, due_at: datetime | None = None
) -> None:
    """Want a service at a level from now on, and put the command in the outbox under a new generation."""
    generation = service.generation + 1
    draft.supplies += (SupplyDraft(service.id, level, generation),)
    draft.cancelled_effects += service.unsent
    effect = EffectDraft(
        ref.event,
        "supply",
        due_at or draft.now,
        lane="bulk" if is_lower(level, service.desired) else "urgent",
        part=part,
        of_step=ref.of_step,
        step_number=ref.step_number,
        service_id=service.id,
        level=level,
        generation=generation,
    )
    draft.effects += (effect,)


def _lower(draft: Draft, service: ServiceFacts, level: Level, part: int, ref: Ref) -> None:
    """Block a service at a level; commanded only when that is lower than what it already is to be."""
    draft.blocks += (BlockDraft(ref.event, service.id, level),)
    wanted = lowest([level, *(block.level for block in service.blocks)])
    if not is_lower(wanted, service.desired):
        return
    command(draft, service, wanted, part, ref)


def _hand_over(draft: Draft, agency: str, part: int, ref: Ref) -> EffectDraft:
    """The claims of the step, to an agency that the partner has set up."""
    step, of_step = ref.step_number, ref.of_step
    return EffectDraft(ref.event, "handover", draft.now, "bulk", part, of_step, step, agency, "place")


def _give_to_person(draft: Draft, action: Action, part: int, ref: Ref) -> None:
    code = task_code(action)
    dedup = f"{code}-{draft.facts.case_id}-{draft.facts.version + 1 + ref.event}-{part}"
    span = getattr(action, "within", None) or _MANUAL_SPAN
    draft.tasks += (_task(draft, code, dedup, part, ref, span=span),)


def _task(
    draft: Draft, code: str, dedup: str, part: int, ref: Ref, span: Span = _MANUAL_SPAN, **params: object
) -> TaskDraft:
    partner = draft.facts.partner
    due = due_date(partner.calendar, local_date(draft.now, partner.zone), span)
    return TaskDraft(
        code,
        local_midnight(due, partner.zone),
        dedup,
        event=ref.event if ref.of_step else None,
        step_number=ref.step_number,
        part=part,
        params=params,
    )
