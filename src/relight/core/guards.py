"""Guards: what must hold whenever a step is taken, asked when it is decided and again at the commit of its release.

They cannot be switched off by a policy. Answers combine as deny, then defer to the latest moment, then allow; every
reason is kept, denials first. Unknown is not false: a condition that cannot be answered does not hold.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from relight.core.agencies import knowing_agency, may_hand_over, with_agency
from relight.core.calendars import due_date
from relight.core.conditions import ALWAYS, Param, Truth, evaluate, truth_of
from relight.core.facts import CaseFacts, ClaimFacts, PaymentFacts, StepFacts
from relight.core.law import Answer, Law, Reason, Ruling
from relight.core.parts import is_done
from relight.core.policy import Policy, Step
from relight.core.records import record
from relight.core.standing import Standing, services_to_cut, told_is_paid
from relight.core.waits import SETTLEMENT
from relight.core.windows import local_date, local_midnight, next_in_window

PROTECTING_FLAGS = frozenset(
    {"life_support", "danger_life", "danger_health", "danger_significant_property", "severe_cold", "protected"}
)
_ASK_AGAIN = timedelta(hours=1)
_YES = Truth.YES


@record
class Check:
    """All guards' answer together; `until` is the earliest moment worth asking again, where one is known. The first
    `deciding` of the reasons gave the answer: a window that is closed as well is no news beside a denial."""

    answer: Answer
    reasons: tuple[Reason, ...] = ()
    until: datetime | None = None
    deciding: int = 0

    @property
    def codes(self) -> str:
        """The codes of the deciding reasons, in order, for `waits_for`."""
        return " ".join(sorted({why.code for why in self.reasons[: self.deciding]}))

    @property
    def allows(self) -> bool:
        """Only an allow allows."""
        return self.answer is Answer.ALLOW


@record
class _Seen:
    """The facts' names that conditions know (`ConditionFacts`), for one set of claims. Most conditions look at one or
    two of them, so each is worked out when it is asked for."""

    _facts: CaseFacts
    _at: Standing
    _claims: tuple[ClaimFacts, ...]
    _policy: Policy

    @property
    def arrears(self) -> int:
        return self._at.sum_of(self._claims)

    @property
    def claims(self) -> int:
        return len(self._claims)

    @property
    def oldest_days(self) -> int:
        today = self._at.today
        return (today - min([claim.due_date for claim in self._claims], default=today)).days

    @property
    def flags(self) -> Mapping[str, str]:
        return self._facts.flags

    @property
    def profile(self) -> str:
        return self._facts.profile

    @property
    def reach(self) -> frozenset[str]:
        return self._facts.reach

    @property
    def month(self) -> int:
        return self._at.today.month

    @property
    def levels(self) -> frozenset[str]:
        services = services_to_cut(self._claims, self._facts, self._policy, self._at)
        return frozenset([service.desired.value for service in services])


_ALLOWED = Check(Answer.ALLOW)


def reason(code: str, law: str = "", **params: Param) -> Reason:
    """A reason with its parameters in a fixed order."""
    return Reason(code, tuple(sorted(params.items())), law)


def combine(rulings: Iterable[Ruling]) -> Check:
    """Deny wins, then the latest deferral. A denial is worth asking again when its earliest reason may have passed."""
    told = tuple(rulings)
    answer = max([ruling.answer for ruling in told], default=Answer.ALLOW)
    if answer is Answer.ALLOW:
        return _ALLOWED
    counted = sorted((ruling for ruling in told if ruling.answer is not Answer.ALLOW), key=lambda r: -r.answer)
    moments = [ruling.until for ruling in counted if ruling.answer is answer and ruling.until is not None]
    until = (max(moments) if answer is Answer.DEFER else min(moments)) if moments else None
    deciding = sum(ruling.answer is answer for ruling in counted)
    return Check(answer, tuple(ruling.reason for ruling in counted), until, deciding)


def seen(facts: CaseFacts, at: Standing, claims: tuple[ClaimFacts, ...], policy: Policy) -> _Seen:
    """What conditions see of these claims."""
    return _Seen(facts, at, claims, policy)


def check_step(
    policy: Policy,
    law: Law,
    facts: CaseFacts,
    at: Standing,
    step: Step,
    claims: tuple[ClaimFacts, ...],
    now: datetime,
) -> Check:
    """May this step be taken for these claims now? Says nothing of approval, which is a person's."""
    rulings = [*_pauses(facts, at, claims, now), *_money(policy, facts, now)]
    if step.when is not ALWAYS:
        rulings += _condition(policy, facts, at, step, claims)
    if step.burdens and facts.debtor not in (policy.debtor, "collective"):
        rulings.append(Ruling(Answer.DENY, reason("guard.other_debtor", debtor=facts.debtor)))
    if step.cuts:
        rulings += _cut(policy, facts, at, claims)
    if step.cuts or step.hands_over:
        rulings += _told(policy, facts, at, claims)
    if step.hands_over:
        rulings += may_hand_over(facts, at, step)
        facts = knowing_agency(facts, step, at.today)
    if facts.handovers:
        rulings += with_agency(facts, claims)
    if step.window is not None:
        rulings += _window(facts, step, now)
    rulings += law.rule(policy, step, claims, facts, now)
    return combine(rulings) if rulings else _ALLOWED


def _pauses(facts: CaseFacts, at: Standing, claims: tuple[ClaimFacts, ...], now: datetime) -> list[Ruling]:
    rulings: list[Ruling] = []
    if facts.partner.stopped:
        rulings.append(Ruling(Answer.DEFER, reason("guard.stopped"), now + _ASK_AGAIN))
    if at.held:
        case_wide = [hold for hold in facts.holds if hold.claim_id is None and hold.service_id is None]
        ends = [hold.ends_at for hold in case_wide if hold.ends_at is not None]
        names = tuple(sorted({hold.reason for hold in case_wide}))
        until = max(ends) if len(ends) == len(case_wide) else None
        rulings.append(Ruling(Answer.DENY, reason("guard.hold", holds=names), until))
    elif facts.plans:  # somebody ended its hold, and not the plan
        rulings.append(Ruling(Answer.DENY, reason("guard.hold", holds=("plan",))))
    if at.sum_of(claims) <= 0:
        rulings.append(Ruling(Answer.DENY, reason("guard.nothing_owed")))
    return rulings


def _money(policy: Policy, facts: CaseFacts, now: datetime) -> list[Ruling]:
    rulings: list[Ruling] = []
    for payment in facts.payments:
        until = in_transit_until(policy, facts, payment)
        if until is not None and now < until:
            rulings.append(Ruling(Answer.DEFER, reason("guard.payment_in_transit", payment=payment.id), until))
    if facts.partner.money_is_stale(now):
        complete = facts.partner.money_complete_until
        params = {"complete_until": complete.isoformat()} if complete else {}
        rulings.append(Ruling(Answer.DEFER, reason("guard.money_stale", **params), now + _ASK_AGAIN))
    return rulings


def in_transit_until(policy: Policy, facts: CaseFacts, payment: PaymentFacts) -> datetime | None:
    """Until when a payment that was ordered, but not confirmed, keeps us waiting: the days of the policy, and never
    fewer than a payment takes. None for any other state."""
    if payment.state not in ("ordered", "authorised"):
        return None
    partner = facts.partner
    ordered = local_date(payment.received_at, partner.zone)
    day = max(due_date(partner.calendar, ordered, span) for span in (policy.settle, SETTLEMENT))
    return local_midnight(day, partner.zone)


def _condition(
    policy: Policy, facts: CaseFacts, at: Standing, step: Step, claims: tuple[ClaimFacts, ...]
) -> Iterable[Ruling]:
    seen_now = seen(facts, at, claims, policy)
    if truth_of(step.when, seen_now) is _YES:
        return  # most are met, and nobody reads why
    verdict = evaluate(step.when, seen_now)
    tomorrow = local_midnight(at.today + timedelta(days=1), facts.partner.zone)
    for said in verdict.said:
        if said.truth is not Truth.YES:
            params: dict[str, Param] = {**said.params, "truth": said.truth.value}
            yield Ruling(Answer.DENY, reason(said.code, "", **params), tomorrow)
    if all(said.truth is Truth.YES for said in verdict.said):  # a negation: every leaf said yes, the whole says no
        yield Ruling(Answer.DENY, reason("condition.not_met", step=step.name), tomorrow)


def _cut(policy: Policy, facts: CaseFacts, at: Standing, claims: tuple[ClaimFacts, ...]) -> Iterable[Ruling]:
    if facts.debtor == "collective":
        yield Ruling(Answer.DENY, reason("guard.collective_contract"))
    protecting = tuple(sorted(name for name in PROTECTING_FLAGS if facts.flags.get(name) == "yes"))
    if protecting:
        yield Ruling(Answer.DENY, reason("guard.protected", flags=protecting))
    services = services_to_cut(claims, facts, policy, at)
    held = {hold.service_id for hold in facts.holds if hold.service_id is not None}
    if any(service.id in held for service in services):
        yield Ruling(Answer.DENY, reason("guard.hold", holds=("service",)))
    if not services:
        gone = any(service.left_behind for service in facts.services)
        yield Ruling(Answer.DENY, reason("guard.somebody_else_there" if gone else "guard.nothing_to_cut"))


def _told(policy: Policy, facts: CaseFacts, at: Standing, claims: tuple[ClaimFacts, ...]) -> Iterable[Ruling]:
    """Nothing is taken away for a bill of which no notice has reached the customer, whatever law or policy say."""
    reached = {covered.claim_id for step in facts.steps if _has_reached(policy, step) for covered in step.claims}
    for claim in claims:
        if claim.id not in reached or told_is_paid(facts, at, claim.id):
            yield Ruling(Answer.DENY, reason("guard.unnoticed", claim=claim.number))
            return


def _has_reached(policy: Policy, step: StepFacts) -> bool:
    """Whether a message of a completed step arrived; a notice that was taken over from another system has its proof."""
    if step.completed_at is None:
        return False
    if not step.effects and not step.tasks:
        taken = policy.by_name.get(step.step)
        return taken is not None and taken.notifies
    return any(effect.kind == "message" and is_done(effect) and not effect.failed for effect in step.effects)


def _window(facts: CaseFacts, step: Step, now: datetime) -> Iterable[Ruling]:
    assert step.window is not None
    partner = facts.partner
    opens = next_in_window(now, step.window, partner.zone, partner.calendar, partner.closed_dates)
    if opens > now:
        yield Ruling(Answer.DEFER, reason("guard.window", opens=opens.isoformat()), opens)
