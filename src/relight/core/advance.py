"""Advancing: which step is next for which claims, when, and whether it may be taken now.

Progress belongs to claims: each has its own next step and date. A turn takes at most one step, the furthest that is
due, for all claims that have come to it; the others wait for theirs, with the policy's gap between two notices.
"""

from datetime import date, datetime, timedelta

from relight.core.actions import MessageAction
from relight.core.calendars import due_date
from relight.core.conditions import ALWAYS, Truth, truth_of
from relight.core.decision import ApprovalDraft, StepDraft, TaskDraft
from relight.core.draft import Draft
from relight.core.facts import CaseFacts, ClaimFacts
from relight.core.guards import Check, check_step, reason, seen
from relight.core.law import Answer, Law
from relight.core.parts import Ref, start_part, waits_for_supply
from relight.core.plans.pauses import later
from relight.core.policy import Policy, Step
from relight.core.records import record
from relight.core.spans import Span, Unit
from relight.core.standing import Standing, last_step
from relight.core.waits import first_day, longest_term, opening_day, term_ends
from relight.core.windows import local_date, local_midnight

_REFUSED_FOR = timedelta(days=30)
_LOOK = timedelta(days=1)
_YES = Truth.YES
_APPROVE_WITHIN = Span(3, Unit.WORKING_DAYS)


@record
class Candidate:
    """A step that some claims have come to, and the local day from which it may be taken for all of them."""

    step: Step
    claims: tuple[ClaimFacts, ...]
    day: date


def advance(draft: Draft, policy: Policy, law: Law, facts: CaseFacts, at: Standing, now: datetime) -> None:
    """Take the next step if it is due and allowed; otherwise say what it waits for and when to look again. Only for a
    case that has opened; for others there is `wake_to_open`."""
    _wake_for_new_arrears(draft, policy, facts, at)
    due: list[Candidate] = []
    for candidate in candidates(policy, facts, at):
        if candidate.day > at.today:
            _note_next(draft, candidate, _midnight(candidate.day, facts))
        else:
            due.append(candidate)
    if len(due) > 1:
        due.sort(key=lambda candidate: policy.index(candidate.step.name), reverse=True)
    if due and not _take(draft, policy, law, facts, at, due[0], now):
        _take_nearer(draft, policy, law, facts, at, due[1:], now)


def wake_to_open(draft: Draft, policy: Policy, facts: CaseFacts, at: Standing) -> None:
    """Claims become old enough by themselves. One that is old and still opens nothing (disputed, held, too small) waits
    for what changes that: waking for its day, which is past, would wake the case for ever."""
    calendar = facts.partner.calendar
    for claim in facts.claims:
        day = opening_day(calendar, policy, claim.due_date)
        if day > at.today:
            draft.wake(_midnight(day, facts))


def _wake_for_new_arrears(draft: Draft, policy: Policy, facts: CaseFacts, at: Standing) -> None:
    """Claims that are not overdue yet come to their first step later."""
    calendar = facts.partner.calendar
    for claim in facts.claims:
        if claim.due_date >= at.today:
            draft.wake(_midnight(first_day(calendar, policy, policy.first, claim.due_date, None), facts))


def candidates(policy: Policy, facts: CaseFacts, at: Standing) -> list[Candidate]:
    """Claims by the step they have come to; a step is taken first for those that are ready. In the claims' order."""
    ready: dict[str, list[tuple[ClaimFacts, date]]] = {}
    for claim in at.overdue:
        found = _next_for(policy, facts, at, claim)
        if found is not None:
            ready.setdefault(found[0].name, []).append((claim, found[1]))
    return [_candidate(policy.step(name), members, at.today) for name, members in ready.items()]


def leads_to(policy: Policy, facts: CaseFacts, at: Standing, claim: ClaimFacts, step: Step) -> bool:
    """Whether a claim has come to a step, by what is known now: the profile that leaves steps out, the branches of the
    way, the terms and pauses before it."""
    found = _next_for(policy, facts, at, claim)
    return found is not None and found[0].name == step.name and found[1] <= at.today


def _candidate(step: Step, members: list[tuple[ClaimFacts, date]], today: date) -> Candidate:
    """A step and the claims that may take it by now; when none may, all that will, from the first one's day on."""
    if len(members) == 1:
        claim, day = members[0]
        return Candidate(step, (claim,), day)
    now_due = [member for member in members if member[1] <= today]
    chosen = now_due or members
    days = [day for _, day in chosen]
    return Candidate(step, tuple([claim for claim, _ in chosen]), max(days) if now_due else min(days))


def _next_for(policy: Policy, facts: CaseFacts, at: Standing, claim: ClaimFacts) -> tuple[Step, date] | None:
    """The next step of a claim, and its day: without the days on which it was paused, as if they had not been."""
    found = _unpaused(policy, facts, at, claim)
    if found is None or not facts.pauses:
        return found
    zone, last = facts.partner.zone, last_step(claim.id, facts)
    since = claim.due_date
    if last is not None and last.step in policy.by_name and last.completed_at is not None:
        since = local_date(last.completed_at, zone)
    return found[0], later(found[1], since, facts.pauses, claim.id, zone)


def _unpaused(policy: Policy, facts: CaseFacts, at: Standing, claim: ClaimFacts) -> tuple[Step, date] | None:
    last = last_step(claim.id, facts)
    taken = policy.by_name.get(last.step) if last is not None else None
    if last is None or taken is None:
        return _skipping(policy, facts, at, claim, policy.first, claim.due_date, None)
    if last.completed_at is None:
        return None
    following = _branch(policy, facts, at, claim, taken)
    if following is None:
        return None
    base = local_date(last.completed_at, facts.partner.zone)
    term = term_ends(policy, facts.partner.calendar, taken, last, base)
    found = _skipping(policy, facts, at, claim, following, base, term)
    if found is not None and found[0].burdens and found[1] <= at.today:
        latest = _latest_term(policy, facts, claim)
        if latest is not None and (term is None or latest > term):
            return _skipping(policy, facts, at, claim, following, base, latest)
    return found


def _latest_term(policy: Policy, facts: CaseFacts, claim: ClaimFacts) -> date | None:
    """The last day of all the time to pay that the claim's notices gave: an earlier one may have given more than the
    last, where another system or another policy sent it."""
    ends: list[date] = []
    for step in facts.steps:
        taken = policy.by_name.get(step.step)
        if taken is None or step.completed_at is None or all(claim.id != one.claim_id for one in step.claims):
            continue
        done = local_date(step.completed_at, facts.partner.zone)
        day = term_ends(policy, facts.partner.calendar, taken, step, done)
        ends += [day] if day is not None else []
    return max(ends, default=None)


def _skipping(
    policy: Policy,
    facts: CaseFacts,
    at: Standing,
    claim: ClaimFacts,
    step: Step,
    base: date,
    term: date | None,
) -> tuple[Step, date] | None:
    """The step, or the first after it that the customer's profile does not leave out, and its day."""
    profile = policy.profile(facts.profile)
    found: Step | None = step
    while profile.skip and found is not None and found.name in profile.skip:
        found = _branch(policy, facts, at, claim, found)
    if found is None:
        return None
    return found, first_day(facts.partner.calendar, policy, found, base, term, profile.delay)


def _branch(policy: Policy, facts: CaseFacts, at: Standing, claim: ClaimFacts, step: Step) -> Step | None:
    """The way on: the first branch whose condition holds. An unknown condition is not taken."""
    for branch in policy.successors(step):
        if branch.when is ALWAYS or truth_of(branch.when, seen(facts, at, (claim,), policy)) is _YES:
            return policy.step(branch.step)
    return None


def _take(
    draft: Draft, policy: Policy, law: Law, facts: CaseFacts, at: Standing, candidate: Candidate, now: datetime
) -> bool:
    """Take a step, or say what it waits for. False: it is refused for today, which must not hold up newer claims."""
    step, claims = candidate.step, candidate.claims
    gap_ends = _gap_ends(policy, facts, step)
    if gap_ends is not None and gap_ends > at.today:
        _note_next(draft, candidate, _midnight(gap_ends, facts))
        return True
    check = check_step(policy, law, facts, at, step, claims, now)
    if not check.allows:
        _refuse(draft, facts, candidate, check, now)
        return check.until is not None and check.until < _midnight(at.today + timedelta(days=1), facts)
    if step.approval == "none" or _approved(draft, facts, step, claims, now):
        take_step(draft, policy, facts, at, step, claims)
    return True


def _take_nearer(
    draft: Draft, policy: Policy, law: Law, facts: CaseFacts, at: Standing, nearer: list[Candidate], now: datetime
) -> None:
    """The furthest step is refused: take the next one that may be taken for the claims that have come to it. A cut that
    asks for two unpaid bills would else wait for ever for the second one's notice. Refusals of these are no news."""
    for candidate in nearer:
        gap_ends = _gap_ends(policy, facts, candidate.step)
        if gap_ends is not None and gap_ends > at.today:
            draft.wake(_midnight(gap_ends, facts))
            continue
        check = check_step(policy, law, facts, at, candidate.step, candidate.claims, now)
        if not check.allows:
            draft.wake(check.until if check.until is not None and check.until > now else now + _LOOK)
        elif candidate.step.approval == "none":
            take_step(draft, policy, facts, at, candidate.step, candidate.claims)
            return


def take_step(
    draft: Draft, policy: Policy, facts: CaseFacts, at: Standing, step: Step, claims: tuple[ClaimFacts, ...]
) -> None:
    """Record the step with its claims and sums, and start the parts that wait for nothing."""
    sums = tuple((claim.id, at.countable[claim.id], claim.costs) for claim in claims)
    event = draft.event(
        "step_taken",
        {"step": step.name, "claims": [claim.number for claim in claims], "arrears": at.sum_of(claims)},
        (reason("policy.step_due", step=step.name),),
        keep_facts=step.burdens,
    )
    draft.steps += (StepDraft(event, step.name, sums, _pay_by(policy, facts, at, step)),)
    if policy.late_interest and step.notifies and not facts.partner.shadow:
        draft.interest += tuple([claim.id for claim in claims])
    under_way = len(draft.effects) + len(draft.tasks)
    for part in range(len(step.do)):
        if not (isinstance(step.do[part], MessageAction) and waits_for_supply(step, part)):
            start_part(draft, policy, at, step, part, claims, Ref(event))
    if under_way == len(draft.effects) + len(draft.tasks):  # a fee, or a service that is low already: nobody reports
        draft.wake(draft.now)
    draft.next_step, draft.next_at = "", None


def _pay_by(policy: Policy, facts: CaseFacts, at: Standing, step: Step) -> date | None:
    """The last day of the term that the step's notice gives."""
    term = longest_term(policy, facts.partner.calendar, step)
    return facts.partner.calendar.add(at.today, term) if term is not None else None


def _gap_ends(policy: Policy, facts: CaseFacts, step: Step) -> date | None:
    """The first day after the policy's gap since the last notice, for steps that are notices themselves."""
    if step.cuts or not step.notifies:
        return None
    decided = [taken.decided_at for taken in facts.steps if taken.step in policy.by_name]
    if not decided:
        return None
    return due_date(facts.partner.calendar, local_date(max(decided), facts.partner.zone), policy.gap)


def _refuse(draft: Draft, facts: CaseFacts, candidate: Candidate, check: Check, now: datetime) -> None:
    codes = check.codes
    until = check.until if check.until is not None and check.until > now else None
    draft.next_step, draft.next_at = candidate.step.name, until
    asked = any(one.state == "requested" and one.step == candidate.step.name for one in facts.approvals)
    if asked and check.answer is Answer.DEFER:  # that its window closes at night is no news while a person is asked
        draft.wait("approval", until)
        return
    draft.wait(codes, until or now + timedelta(days=1))
    if codes != facts.waits_for:
        draft.event(
            "deferred" if check.answer is Answer.DEFER else "refused",
            {"step": candidate.step.name, "until": until.isoformat() if until else None},
            check.reasons,
            keep_facts=candidate.step.burdens,
        )


def _approved(draft: Draft, facts: CaseFacts, step: Step, claims: tuple[ClaimFacts, ...], now: datetime) -> bool:
    """Whether a person said yes to this step for all of these claims; asks for it otherwise."""
    wanted = frozenset(claim.id for claim in claims)
    draft.next_step = step.name
    for approval in facts.approvals:
        if approval.step != step.name:
            continue
        if approval.state == "granted" and wanted <= approval.claims:
            draft.spent_approvals += (approval.id,)
            return True
        if approval.state == "requested" and wanted <= approval.claims:
            draft.wait("approval", now + timedelta(days=1))
            return False
        if approval.state == "refused" and approval.decided_at and now - approval.decided_at < _REFUSED_FOR:
            draft.wait("approval_refused", approval.decided_at + _REFUSED_FOR)
            return False
        if approval.state in ("requested", "granted"):
            draft.lapsed_approvals += (approval.id,)  # it was for other claims
    _ask(draft, facts, step, wanted, now)
    return False


def _ask(draft: Draft, facts: CaseFacts, step: Step, claims: frozenset[int], now: datetime) -> None:
    needs = 2 if step.approval == "two_people" else 1
    draft.event("approval_requested", {"step": step.name, "needs": needs})
    draft.approvals += (ApprovalDraft(step.name, tuple(sorted(claims)), needs),)
    day = due_date(facts.partner.calendar, local_date(now, facts.partner.zone), _APPROVE_WITHIN)
    dedup = f"approve-{facts.case_id}-{step.name}"
    draft.tasks += (TaskDraft("approve", _midnight(day, facts), dedup, params={"step": step.name}),)
    draft.wait("approval", now + timedelta(days=1))


def _note_next(draft: Draft, candidate: Candidate, moment: datetime) -> None:
    if draft.next_at is None or moment < draft.next_at:
        draft.next_step, draft.next_at = candidate.step.name, moment
    draft.wake(moment)


def _midnight(day: date, facts: CaseFacts) -> datetime:
    return local_midnight(day, facts.partner.zone)
