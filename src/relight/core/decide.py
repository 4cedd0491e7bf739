"""`decide`: one turn of one case, as a pure function of policy, law, facts and the moment.

Same input, same output, years later: no clock, no database, no network, no hidden randomness. First what came in is
noted and what may be given back is given back; then steps under way go on; only then may a new step be taken.
"""

from datetime import UTC, datetime, timedelta

from relight.core.advance import advance, wake_to_open
from relight.core.agencies import follow_handovers
from relight.core.by_hand import spare_by_hand
from relight.core.decision import Decision, TaskDraft
from relight.core.draft import Draft
from relight.core.facts import CaseFacts
from relight.core.guards import in_transit_until
from relight.core.law import Law
from relight.core.parts import CHANNELS, Ref, send, spread_moment
from relight.core.plans.follow import follow_plans
from relight.core.policy import Policy
from relight.core.progress import follow_steps
from relight.core.restore import any_touched, reassert, restore_where_due, restoring
from relight.core.standing import Standing, has_opened, is_clear, standing

_RECEIVED = ("confirmed", "booked")
_REFUND_WITHIN = timedelta(days=7)
_STEP_LOOK = timedelta(days=1)


def decide(policy: Policy, law: Law, facts: CaseFacts, now: datetime) -> Decision:
    """What happens to this case now, and when to look again."""
    if now.tzinfo is not UTC:
        now = now.astimezone(UTC)  # a week in a local zone is an hour longer or shorter where clocks change
    at = standing(facts, now)
    opened = bool(at.overdue) and has_opened(policy, facts, at)
    draft = Draft(facts, now)
    if opened and facts.state == "watching":
        draft.event("opened", {"arrears": at.arrears})
    if facts.payments or facts.sorry:
        _note(draft, policy, facts, at)
    if facts.plans or facts.pauses:
        follow_plans(draft, policy, facts, at)
    if facts.steps or any_touched(facts):
        _go_on(draft, policy, facts, at, now)
    if facts.handovers:
        follow_handovers(draft, facts)
    if draft.voided_steps or any(plan.state for plan in draft.plans):
        draft.wake(draft.now)  # nothing new is built on what was withdrawn or has just ended: the facts are read anew
    elif facts.state != "closed":
        if opened:
            advance(draft, policy, law, facts, at, now)
        else:
            wake_to_open(draft, policy, facts, at)
    state = _next_state(draft, policy, facts, at, opened)
    _look_again(draft, policy, facts)
    current = facts.steps[-1].step if facts.steps else ""
    return draft.finish(state=state, arrears=at.arrears, step=draft.steps[-1].step if draft.steps else current)


def _go_on(draft: Draft, policy: Policy, facts: CaseFacts, at: Standing, now: datetime) -> None:
    """What is under way: give back what may be, follow the steps that were taken, and command again what did not come
    about."""
    restore_where_due(draft, policy, facts, at)
    spare_by_hand(draft, policy, facts, at)
    follow_steps(draft, policy, facts, at, now)
    reassert(draft, facts, now)


def _note(draft: Draft, policy: Policy, facts: CaseFacts, at: Standing) -> None:
    """What the customer is told at once: that money came in, and that we are sorry."""
    if facts.payments:
        _note_payments(draft, policy, facts, at)
    if facts.sorry:
        _apologise(draft, policy, facts)


def _note_payments(draft: Draft, policy: Policy, facts: CaseFacts, at: Standing) -> None:
    """A receipt for money that came in, and a task when it is more than is owed."""
    unseen = [payment for payment in facts.payments if not payment.noted]
    fresh = [payment for payment in unseen if payment.state in _RECEIVED]
    returned = [payment.id for payment in unseen if payment.state == "returned"]
    for payment in unseen:
        if payment.state == "returned":
            draft.event("payment_returned", {"payment": payment.id, "amount": payment.amount})
    payments = [payment.id for payment in fresh]
    draft.noted_payments += (*payments, *returned)
    if not fresh:
        return
    amount = sum([payment.amount for payment in fresh])
    event = draft.event("payment_seen", {"payments": payments, "amount": amount, "arrears": at.arrears})
    channels = tuple(channel for channel in CHANNELS if channel in facts.reach)[:1]
    send(draft, policy, "payment_received", channels, 0, Ref(event, 0), params={"paid": amount}, urgent_at=draft.now)
    if facts.credit > 0 and not facts.claims:
        draft.event("overpaid", {"amount": facts.credit})
        dedup = f"overpaid-{facts.account_id}"
        draft.tasks += (TaskDraft("overpaid", draft.now + _REFUND_WITHIN, dedup, params={"amount": facts.credit}),)


def _apologise(draft: Draft, policy: Policy, facts: CaseFacts) -> None:
    """The apology for what was undone, once, by the first channel; who cannot be reached is not waited for. A wrong run
    was many people's: theirs are spread over an hour."""
    event = draft.event("apology_told", {"undo": facts.sorry})
    channels = tuple(channel for channel in CHANNELS if channel in facts.reach)[:1]
    due_at = spread_moment(policy, facts, draft.now)
    send(draft, policy, "apology", channels, 0, Ref(event, 0), params={}, urgent_at=due_at)
    draft.noted_sorry = facts.sorry


def _next_state(draft: Draft, policy: Policy, facts: CaseFacts, at: Standing, opened: bool) -> str:
    """watching: nothing to follow up yet. active: followed up. closed: nothing owed, and everything is given back."""
    if facts.state == "closed":
        return "closed"
    was_active = facts.state == "active"
    if opened or (was_active and not is_clear(facts, at, policy.close_when)):
        return "active"
    if restoring(draft, facts) or _is_blocked(draft, facts):
        return "active"
    if was_active:
        draft.event("cured", {"arrears": at.arrears})
    if facts.claims:
        return "watching"
    draft.event("closed")
    draft.lapsed_approvals += tuple(
        [approval.id for approval in facts.approvals if approval.state in ("requested", "granted")]
    )
    return "closed"


def _is_blocked(draft: Draft, facts: CaseFacts) -> bool:
    """Whether a service still is below full for this case's sake when this turn is over."""
    for service in facts.services:
        for block in service.blocks:
            if block.case_id == facts.case_id and block.id not in draft.lifted_blocks:
                return True
    return False


def _look_again(draft: Draft, policy: Policy, facts: CaseFacts) -> None:
    """The moments at which something we know of ends by itself."""
    for hold in facts.holds:
        draft.wake(hold.ends_at)
    for payment in facts.payments:
        until = in_transit_until(policy, facts, payment)
        if until is not None and until > draft.now:  # money that was ordered and never came wakes nobody twice
            draft.wake(until)
    for step in facts.steps:
        if step.completed_at is None:
            draft.wake(draft.now + _STEP_LOOK)
            return
