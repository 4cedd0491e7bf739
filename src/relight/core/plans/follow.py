"""Following plans and promises: a plan starts with its first part, is told of before each, and ends paid, broken or
never begun. A promise whose day has passed is over. Each is an event; the hold behind it goes by the same decision."""

from typing import Any

from relight.core.decision import PlanDraft
from relight.core.draft import Draft
from relight.core.facts import CaseFacts
from relight.core.parts import CHANNELS, Ref, send
from relight.core.plans.facts import PlanFacts
from relight.core.plans.paid import Left, unpaid
from relight.core.policy import Policy
from relight.core.standing import Standing
from relight.core.windows import local_midnight

AGREED, REMINDER, BROKEN, LAPSED, PAID = "plan_agreed", "plan_reminder", "plan_broken", "plan_lapsed", "plan_paid"
PROMISE_BROKEN = "promise_broken"
TEMPLATES = frozenset({AGREED, REMINDER, BROKEN, LAPSED, PAID, PROMISE_BROKEN})


def follow_plans(draft: Draft, policy: Policy, facts: CaseFacts, at: Standing) -> None:
    """Go on with the case's plans, and see which promises are over."""
    for plan in facts.plans:
        _follow(draft, policy, facts, at, plan)
    for pause in facts.pauses:
        if pause.broken_promise:
            draft.noted_holds += (pause.id,)
            if at.overdue and not at.held:
                event = draft.event("promise_broken", {"arrears": at.arrears})
                _tell(draft, policy, facts, PROMISE_BROKEN, event, {})


def is_about_something(facts: CaseFacts, at: Standing, template: str) -> bool:
    """Whether a message about a plan still is: a part is told of only while the plan lasts and something is left, and
    that one did not come only while something is owed and nothing else was agreed."""
    if template in (AGREED, REMINDER):
        return any(plan.open and unpaid(plan) for plan in facts.plans)
    return template == PAID or (not facts.plans and bool(at.overdue) and not at.held)


def _follow(draft: Draft, policy: Policy, facts: CaseFacts, at: Standing, plan: PlanFacts) -> None:
    left = unpaid(plan)
    if not plan.open or not left:
        event = draft.event("plan_paid", {"plan": plan.id})
        _end(draft, plan, "paid")
        _tell(draft, policy, facts, PAID, event, {})
        return
    coming = left[0]
    if coming.part.late_date <= at.today:
        _give_up(draft, policy, facts, plan, coming)
        return
    state = plan.state
    if state == "agreed" and coming.part.number > 1:
        state = "running"
        draft.event("plan_started", {"plan": plan.id, "left": sum([one.amount for one in left])})
        draft.plans += (PlanDraft(plan.id, "running"),)
        draft.wake(draft.now)  # the hold is there from the next turn on, and gives back what was taken
    if not plan.confirmed:
        _confirm(draft, policy, facts, at, plan, left)
    elif coming.part.number > plan.told and coming.part.remind_date <= at.today:
        _remind(draft, policy, facts, plan, left)
    _look_again(draft, facts, at, plan, left)


def _confirm(
    draft: Draft, policy: Policy, facts: CaseFacts, at: Standing, plan: PlanFacts, left: tuple[Left, ...]
) -> None:
    """The plan in writing. A part that is due so soon that it should be told of already is told of by this."""
    event = draft.event("plan_confirmed", {"plan": plan.id})
    _tell(draft, policy, facts, AGREED, event, _shown(left))
    told = max([one.part.number for one in left if one.part.remind_date <= at.today], default=0)
    draft.plans += (PlanDraft(plan.id, "", told=told or plan.told, confirmed=True),)


def _remind(draft: Draft, policy: Policy, facts: CaseFacts, plan: PlanFacts, left: tuple[Left, ...]) -> None:
    coming = left[0]
    due = coming.part.due_date.isoformat()
    event = draft.event("plan_reminded", {"plan": plan.id, "amount": coming.amount, "due": due})
    _tell(draft, policy, facts, REMINDER, event, _shown(left))
    draft.plans += (PlanDraft(plan.id, "", told=coming.part.number, confirmed=True),)


def _give_up(draft: Draft, policy: Policy, facts: CaseFacts, plan: PlanFacts, missed: Left) -> None:
    """A part did not come in time: a plan that runs is broken, and one that never began has lapsed."""
    begun = plan.state == "running"
    due, code = missed.part.due_date.isoformat(), "plan_broken" if begun else "plan_lapsed"
    event = draft.event(code, {"plan": plan.id, "amount": missed.amount, "due": due}, keep_facts=True)
    _end(draft, plan, "broken" if begun else "lapsed")
    _tell(draft, policy, facts, BROKEN if begun else LAPSED, event, {"part": _shown_part(missed)})


def _end(draft: Draft, plan: PlanFacts, state: str) -> None:
    draft.plans += (PlanDraft(plan.id, state),)
    draft.wake(draft.now)  # what comes next is decided without its hold


def _look_again(draft: Draft, facts: CaseFacts, at: Standing, plan: PlanFacts, left: tuple[Left, ...]) -> None:
    """When a part is to be told of, and when it is too late."""
    coming = left[0].part
    days = [coming.late_date, coming.remind_date] if coming.number > plan.told else [coming.late_date]
    for day in days:
        if day > at.today:
            draft.wake(local_midnight(day, facts.partner.zone))


def _shown(left: tuple[Left, ...]) -> dict[str, Any]:
    """What the words of a message need: the next part, and all that are left."""
    return {
        "part": _shown_part(left[0]),
        "parts": [[one.part.due_date.isoformat(), one.amount] for one in left],
    }


def _shown_part(one: Left) -> dict[str, Any]:
    return {"amount": one.amount, "due": one.part.due_date.isoformat()}


def _tell(draft: Draft, policy: Policy, facts: CaseFacts, template: str, event: int, params: dict[str, Any]) -> None:
    channels = tuple([channel for channel in CHANNELS if channel in facts.reach])[:1]
    send(draft, policy, template, channels, 0, Ref(event, 0), params=params)
