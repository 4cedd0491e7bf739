"""Leaving: whether an effect may go out, asked at the commit of its release with facts read anew.

A cut or a notice that no longer stands on its claims is withheld, and the case thinks again; what only has to wait
goes later; a command that a newer one took over from is cancelled. Restores and receipts are not held up.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from relight.core import collecting
from relight.core.advance import leads_to
from relight.core.agencies import PLACE
from relight.core.facts import BlockFacts, CaseFacts, ClaimFacts, ServiceFacts, StepFacts
from relight.core.guards import Check, check_step, reason
from relight.core.law import Answer, Law, Reason
from relight.core.levels import Level, is_lower, lowest
from relight.core.parts import SHADOW, waits_for_supply
from relight.core.plans.follow import TEMPLATES, is_about_something
from relight.core.policy import Policy, Step
from relight.core.records import record
from relight.core.restore import RESTORE
from relight.core.standing import Standing, services_to_cut, standing
from relight.core.windows import next_in_window

AT_ONCE_TEMPLATES = frozenset({"payment_received", "restored", "press_button"})
APOLOGY = "apology"  # waits for allowed hours, and is no contact that counts: what it makes good did
UNCOUNTED_TEMPLATES = AT_ONCE_TEMPLATES | {APOLOGY}
_CAP_PERIOD = timedelta(days=7)
_ASK_AGAIN = timedelta(hours=1)


class Exit(StrEnum):
    """What becomes of an effect that is due."""

    SEND = "send"
    LATER = "later"
    WITHHOLD = "withhold"
    CANCEL = "cancel"


@record
class Leave:
    """The answer; `why` is one code to keep on the effect, `until` when to ask again."""

    exit: Exit
    why: str = ""
    until: datetime | None = None
    reasons: tuple[Reason, ...] = ()


@record
class Due:
    """An effect whose moment has come."""

    id: int
    kind: str
    template: str
    part: int
    step_number: int | None
    service_id: int | None
    level: Level | None
    generation: int | None


_SEND = Leave(Exit.SEND)


def check_leave(policy: Policy, law: Law, facts: CaseFacts, due: Due, now: datetime) -> Leave:
    """May this effect leave now?"""
    at = standing(facts, now)
    if due.kind == "supply":
        return _supply(policy, law, facts, at, due, now)
    if due.kind == "handover":
        return _handover(policy, law, facts, at, due, now)
    return _message(policy, law, facts, at, due, now)


def _handover(policy: Policy, law: Law, facts: CaseFacts, at: Standing, due: Due, now: datetime) -> Leave:
    """Claims on their way to an agency ask the guards again; what calls them back, or tells of a payment, may go."""
    if facts.partner.shadow:
        return Leave(Exit.WITHHOLD, SHADOW)
    if due.template != PLACE:
        return _SEND
    taken = _step(facts, due.step_number)
    if taken is None:
        return Leave(Exit.WITHHOLD, "step_voided")
    return _as_leave(_recheck(policy, law, facts, at, taken, now))


def _supply(policy: Policy, law: Law, facts: CaseFacts, at: Standing, due: Due, now: datetime) -> Leave:
    service = next((service for service in facts.services if service.id == due.service_id), None)
    if service is None or due.generation != service.generation:
        return Leave(Exit.CANCEL, "superseded")
    back = gives_back(facts, due, service)
    if facts.partner.shadow and not (back and not service.untouched):  # who was really cut is given back all the same
        return Leave(Exit.WITHHOLD, SHADOW)
    if back:
        return _SEND
    behind = [block for block in service.blocks if _is_ours(block, facts) and block.level is due.level]
    if not behind:
        return Leave(Exit.WITHHOLD, "already_restored")
    taken = _step(facts, behind[-1].step_number)
    if taken is None:
        return Leave(Exit.WITHHOLD, "step_voided")
    asked = _as_leave(_recheck(policy, law, facts, at, taken, now))
    if asked.exit is Exit.SEND and service not in services_to_cut(_open_of(taken, at), facts, policy, at):
        return Leave(Exit.WITHHOLD, "guard.nothing_to_cut")  # another service of the step is still unpaid, not this one
    return asked


def gives_back(facts: CaseFacts, due: Due, service: ServiceFacts) -> bool:
    """Whether the command takes nothing for our sake: it goes up to full, or to what others' blocks leave, or it is a
    restore's that lowers nothing that was seen."""
    assert due.level is not None
    theirs = lowest([block.level for block in service.blocks if not _is_ours(block, facts)])
    if not is_lower(due.level, theirs):
        return True
    taken = _step(facts, due.step_number)
    of_policy = due.step_number is not None and (taken is None or taken.step != RESTORE)
    return not of_policy and (service.observed is None or not is_lower(due.level, service.observed))


def _is_ours(block: BlockFacts, facts: CaseFacts) -> bool:
    return block.reason == "arrears" and block.case_id == facts.case_id


def _message(policy: Policy, law: Law, facts: CaseFacts, at: Standing, due: Due, now: datetime) -> Leave:
    if facts.partner.shadow:
        return Leave(Exit.WITHHOLD, SHADOW)
    if due.template in AT_ONCE_TEMPLATES:
        return _SEND
    if due.template == APOLOGY:
        return _hours(policy, facts, now)
    if facts.partner.stopped:  # also what tells of a cut that has been made: somebody is looking whether it was right
        return Leave(Exit.LATER, "guard.stopped", now + _ASK_AGAIN)
    return _notice(policy, law, facts, at, due, now)


def _notice(policy: Policy, law: Law, facts: CaseFacts, at: Standing, due: Due, now: datetime) -> Leave:
    """A message that is about something: whether it still is."""
    if due.template in TEMPLATES:
        about = is_about_something(facts, at, due.template)
        return _contact(policy, facts, now) if about else Leave(Exit.WITHHOLD, "plan_changed")
    if due.template in collecting.TEMPLATES:
        about = collecting.is_about_something(facts, at, due.template)
        return _contact(policy, facts, now) if about else Leave(Exit.WITHHOLD, "collection_changed")
    taken = _step(facts, due.step_number)
    if taken is None:
        return Leave(Exit.WITHHOLD, "step_voided")
    step = _definition(policy, taken)
    if step is not None and waits_for_supply(step, due.part):
        blocks = [block for service in facts.services for block in service.blocks if _is_ours(block, facts)]
        if not any(block.step_number == taken.number for block in blocks):
            return Leave(Exit.WITHHOLD, "already_restored")
        if at.arrears <= 0:  # about to be restored: who has paid is not asked for money
            return Leave(Exit.WITHHOLD, "guard.nothing_owed")
    else:
        if _is_paid_but_for_costs(taken, at):
            return Leave(Exit.WITHHOLD, "guard.nothing_owed")
        asked = _as_leave(_recheck(policy, law, facts, at, taken, now))
        if asked.exit is not Exit.SEND:
            return asked
    return _contact(policy, facts, now)


def _is_paid_but_for_costs(taken: StepFacts, at: Standing) -> bool:
    """Whether all principal that a step was about has been paid since: what is left is its own fee, or earlier ones,
    and who has just paid is not asked for those by the letter of before."""
    was_owed = [claim.claim_id for claim in taken.claims if claim.principal > 0]
    return bool(was_owed) and not any(at.countable.get(claim, 0) for claim in was_owed)


def _contact(policy: Policy, facts: CaseFacts, now: datetime) -> Leave:
    """Quiet hours, and no more messages in seven days than the cap."""
    recent = sorted([moment for moment in facts.contacted_at if now - moment < _CAP_PERIOD])
    cap = policy.contact.max_per_7_days
    if len(recent) >= cap:
        return Leave(Exit.LATER, "contact_cap", recent[len(recent) - cap] + _CAP_PERIOD)
    return _hours(policy, facts, now)


def _hours(policy: Policy, facts: CaseFacts, now: datetime) -> Leave:
    partner = facts.partner
    opens = next_in_window(now, policy.contact.window, partner.zone, partner.calendar, partner.closed_dates)
    return Leave(Exit.LATER, "quiet_hours", opens) if opens > now else _SEND


def _recheck(policy: Policy, law: Law, facts: CaseFacts, at: Standing, taken: StepFacts, now: datetime) -> Check:
    """The step's own guards once more, for what of its claims is still open, as before it was taken: a third fee is
    too many, but the second one is not the third because it has been decided. Of what burdens the customer also
    whether the policy would still come to it."""
    step = _definition(policy, taken)
    if step is None:
        return Check(Answer.DENY, (reason("guard.step_unknown", step=taken.step),), deciding=1)
    before, claims = facts.before(taken.number), _open_of(taken, at)
    check = check_step(policy, law, before, at, step, claims, now)
    if not check.allows or not step.burdens:
        return check
    due = tuple([claim for claim in claims if leads_to(policy, before, at, claim, step)])
    if not due or at.arrears < (policy.opens.arrears_min or 0):
        return Check(Answer.DENY, (reason("guard.not_due", step=step.name),), deciding=1)
    return check if len(due) == len(claims) else check_step(policy, law, before, at, step, due, now)


def _open_of(taken: StepFacts, at: Standing) -> tuple[ClaimFacts, ...]:
    covered = {claim.claim_id for claim in taken.claims}
    return tuple([claim for claim in at.overdue if claim.id in covered])


def _as_leave(check: Check) -> Leave:
    if check.allows:
        return _SEND
    code = check.reasons[0].code
    if check.answer is Answer.DEFER and check.until is not None:
        return Leave(Exit.LATER, code, check.until, check.reasons)
    return Leave(Exit.WITHHOLD, code, None, check.reasons)


def _definition(policy: Policy, taken: StepFacts) -> Step | None:
    return policy.by_name.get(taken.step)


def _step(facts: CaseFacts, number: int | None) -> StepFacts | None:
    for step in facts.steps:
        if step.number == number:
            return step
    return None
