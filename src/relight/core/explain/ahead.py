"""What comes next in a case, by the engine itself: the same `decide` and the same guards, asked of what is to come.

Nothing here is guessed. The next step is the one that `decide` names; its earliest moment is found by asking the guards
of that moment as things stand today; what would stop it is found in `stops` by asking them again with facts changed.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from relight.core.advance import candidates
from relight.core.decide import decide
from relight.core.decision import Decision
from relight.core.facts import CaseFacts, ClaimFacts, StepFacts
from relight.core.guards import Check, check_step, reason
from relight.core.law import Answer, Reason
from relight.core.policy import Policy, Step
from relight.core.restore import RESTORE
from relight.core.rules.lawbook import LawBook
from relight.core.rules.model import Rule
from relight.core.standing import standing
from relight.core.waits import earliest_day
from relight.core.windows import local_date, local_midnight

_DEFERRALS_MAX = 8  # windows of policy and law may each put it off a few times
_TOLD = frozenset({"block", "default"})  # what is asked when a step is taken


@dataclass(frozen=True, slots=True)
class Case:
    """A case as of a moment, with the policy and the law that it is under."""

    policy: Policy
    law: LawBook
    facts: CaseFacts
    now: datetime

    def check(self, facts: CaseFacts, step: Step, claims: tuple[ClaimFacts, ...], moment: datetime) -> Check:
        """What the guards say of a step at a moment, with these facts."""
        return check_step(self.policy, self.law, facts, standing(facts, moment), step, claims, moment)


@dataclass(frozen=True, slots=True)
class Ahead:
    """The next step, for which claims and how much, at the earliest when, and why it waits or would not be done.

    `under_way` is a step that has to be complete first. `at` is None for a step that may be taken now, or whose moment
    nobody knows. `reasons` are the guards' words; with `denied` they speak of facts that have to change first.
    """

    step: Step | None = None
    claims: tuple[ClaimFacts, ...] = ()
    amount: int = 0
    at: datetime | None = None
    under_way: str = ""
    reasons: tuple[Reason, ...] = ()
    denied: bool = False
    rules: tuple[Rule, ...] = ()
    closed: bool = False

    @property
    def services(self) -> frozenset[int]:
        """The services that its bills are for and leave unpaid; empty where the bills name none."""
        return frozenset(share.service_id for claim in self.claims for share in claim.shares if share.amount > 0)


def look_ahead(case: Case) -> Ahead:
    """What comes next, as things stand."""
    facts, policy = case.facts, case.policy
    if facts.state == "closed":
        return Ahead(closed=True)
    decision = decide(policy, case.law, replace(facts, waits_for=""), case.now)  # says why, though it said so before
    taken = [draft.step for draft in decision.steps if draft.step != RESTORE]
    name = taken[-1] if taken else decision.next_step
    if name not in policy.by_name:
        return _after_what_runs(case)
    step = policy.step(name)
    claims = _claims_for(case, step)
    if decision.waits_for and not taken:
        return _waiting(case, decision, step, claims)
    return _foreseen(case, facts, step, claims, case.now if taken else decision.next_at or case.now)


def _claims_for(case: Case, step: Step) -> tuple[ClaimFacts, ...]:
    at = standing(case.facts, case.now)
    found = [one.claims for one in candidates(case.policy, case.facts, at) if one.step.name == step.name]
    return found[0] if found else at.overdue


def _waiting(case: Case, decision: Decision, step: Step, claims: tuple[ClaimFacts, ...]) -> Ahead:
    """A step that has come and waits: for a person, or for what the guards said."""
    check = case.check(case.facts, step, claims, case.now)
    reasons = check.reasons[: check.deciding]
    if check.allows:
        reasons = tuple(reason(code) for code in decision.waits_for.split())
    return _ahead(case, step, claims, decision.next_at, reasons, denied=check.answer is Answer.DENY)


def _foreseen(case: Case, facts: CaseFacts, step: Step, claims: tuple[ClaimFacts, ...], moment: datetime) -> Ahead:
    """A step whose day comes: the first moment at which the guards let it, with today's facts."""
    check = Check(Answer.ALLOW)
    for _ in range(_DEFERRALS_MAX):
        check = case.check(at_moment(facts, moment), step, claims, moment)
        if check.answer is not Answer.DEFER or check.until is None or check.until <= moment:
            break
        moment = check.until
    denied = check.answer is Answer.DENY
    reasons = check.reasons[: check.deciding] if denied else ()
    return _ahead(case, step, claims, moment if moment > case.now else None, reasons, denied=denied)


def at_moment(facts: CaseFacts, moment: datetime) -> CaseFacts:
    """Today's facts as of a moment to come: the banks will have been heard, and what ends by then has ended."""
    partner = replace(facts.partner, money_complete_until=moment, stopped=False)
    holds = tuple(hold for hold in facts.holds if hold.ends_at is None or hold.ends_at > moment)
    return replace(facts, partner=partner, holds=holds)


def _ahead(
    case: Case,
    step: Step,
    claims: tuple[ClaimFacts, ...],
    at: datetime | None,
    reasons: tuple[Reason, ...],
    *,
    denied: bool,
) -> Ahead:
    day = local_date(at or case.now, case.facts.partner.zone)
    about = case.law.about(case.policy, step)
    return Ahead(
        step=step,
        claims=claims,
        amount=standing(case.facts, case.now).sum_of(claims),
        at=at,
        reasons=reasons,
        denied=denied,
        rules=tuple(rule for rule in about if rule.enforce in _TOLD and rule.in_force(day)),
    )


def _after_what_runs(case: Case) -> Ahead:
    """What follows when no step is due: what comes after the one under way, or the first one of a bill that is late."""
    facts = case.facts
    running = [taken for taken in facts.steps if taken.completed_at is None and taken.step in case.policy.by_name]
    if not running:
        return _first(case)
    done = replace(facts, steps=tuple(_completed(taken, case.now) for taken in facts.steps))
    after = sorted(candidates(case.policy, done, standing(facts, case.now)), key=lambda one: one.day)
    if not after:
        return Ahead(under_way=running[-1].step)
    moment = max(case.now, local_midnight(after[0].day, facts.partner.zone))
    found = _foreseen(case, done, after[0].step, after[0].claims, moment)
    return replace(found, under_way=running[-1].step)


def _completed(taken: StepFacts, now: datetime) -> StepFacts:
    """The step as it will be when everything that it wants has been done."""
    if taken.completed_at is not None:
        return taken
    effects = tuple(replace(one, state="done", finished_at=one.finished_at or now) for one in taken.effects)
    tasks = tuple(replace(one, state="done", done_at=one.done_at or now) for one in taken.tasks)
    return replace(taken, completed_at=now, effects=effects, tasks=tasks)


def _first(case: Case) -> Ahead:
    """The first step of the oldest bill that no step has been taken for."""
    facts, policy, owed = case.facts, case.policy, standing(case.facts, case.now).countable
    begun = {covered.claim_id for taken in facts.steps for covered in taken.claims}
    waiting = [claim for claim in facts.claims if owed[claim.id] and claim.id not in begun]
    if not waiting:
        return Ahead()
    oldest = min(waiting, key=lambda claim: (claim.due_date, claim.id))
    delay = policy.profile(facts.profile).delay
    day = earliest_day(facts.partner.calendar, policy, policy.first, oldest.due_date, None, delay)
    return _foreseen(case, facts, policy.first, (oldest,), max(case.now, local_midnight(day, facts.partner.zone)))
