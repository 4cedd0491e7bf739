"""What would stop a step: found by asking the same guards again with one fact changed, so nothing is boilerplate.

A payment, a hold, a flag or a yes that a person withholds is told only where the guards then say no (or wait) and did
not say so before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from relight.core.conditions import AllOf, AnyOf, Between, Condition, Flags, Not
from relight.core.explain.ahead import Ahead, Case, at_moment
from relight.core.facts import CaseFacts, ClaimFacts, HoldFacts, PaymentFacts
from relight.core.guards import PROTECTING_FLAGS, Check
from relight.core.law import Answer, Reason
from relight.core.policy import Step
from relight.core.rules import model
from relight.core.standing import concerns, is_clear, standing


@dataclass(frozen=True, slots=True)
class Stop:
    """One thing that would stop the step, or make it wait; `reasons` are what the guards would say."""

    code: str
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    reasons: tuple[Reason, ...] = ()


def stops(case: Case, ahead: Ahead) -> tuple[Stop, ...]:
    """Everything that would stop what is ahead, and what would give services back; payments first."""
    back = tuple(_back(case))
    if ahead.step is None:
        return back
    ask = _Asking(case, ahead, ahead.step)
    return (*ask.payments(), *back, *ask.on_its_way(), *ask.holds(), *ask.flags(), *ask.approval())


class _Asking:
    """The guards, asked about the step ahead with facts that are not so yet."""

    def __init__(self, case: Case, ahead: Ahead, step: Step):
        self.case, self.ahead, self.step = case, ahead, step
        self.now, self.moment = case.now, ahead.at or case.now
        self.facts = at_moment(case.facts, self.moment)
        self.before = frozenset(self._check(self.facts).reasons)

    def _check(self, facts: CaseFacts) -> Check:
        ids = {claim.id for claim in self.ahead.claims}
        return self.case.check(facts, self.step, tuple(one for one in facts.claims if one.id in ids), self.moment)

    def _new(self, facts: CaseFacts, answer: Answer) -> tuple[Reason, ...]:
        """What the guards say with these facts that they did not say before, where their answer is this one."""
        check = self._check(facts)
        said = check.reasons[: check.deciding] if check.answer is answer else ()
        return tuple(why for why in said if why not in self.before)

    def _denied(self, facts: CaseFacts) -> tuple[Reason, ...]:
        return self._new(facts, Answer.DENY)

    def payments(self) -> Iterator[Stop]:
        """All of it, and the least that is enough."""
        at = standing(self.facts, self.now)
        ids = {claim.id for claim in (*at.overdue, *self.ahead.claims)}
        whole = at.sum_of(tuple(claim for claim in self.facts.claims if claim.id in ids))
        rest = replace(self.facts, claims=tuple(claim for claim in self.facts.claims if claim.id not in ids))
        if whole and (why := self._denied(rest)):
            yield Stop("pay_all", {"amount": whole}, why)
        parts = sorted(self._parts(), key=lambda one: one.params["amount"])
        if parts and parts[0].params["amount"] < whole:
            yield parts[0]

    def _parts(self) -> Iterator[Stop]:
        owed = standing(self.facts, self.now).sum_of(self.ahead.claims)
        for least in sorted(_least_arrears(self.step.when) | _least_by_law(self.ahead)):
            if owed >= least and (why := self._denied(_with_less(self.facts, self.ahead.claims, owed - least + 1))):
                amount = owed - least + 1 + self._older(owed - least + 1)
                yield Stop("pay_part", {"amount": amount, "least": least}, why)
        for claim in self.ahead.claims:
            others = tuple(one for one in self.facts.claims if one.id != claim.id)
            amount = claim.principal + claim.costs
            if len(self.ahead.claims) > 1 and (why := self._denied(replace(self.facts, claims=others))):
                yield Stop("pay_bill", {"amount": amount, "claim": claim.number}, why)

    def _older(self, paid: int) -> int:
        """What other bills take first of a payment that is to bring so much onto these: the oldest is paid first."""
        reached, left = (date.min, 0), paid
        for claim in sorted(self.ahead.claims, key=_age):
            if left > 0:
                reached, left = _age(claim), left - claim.principal - claim.costs
        ids = {claim.id for claim in self.ahead.claims}
        older = (one for one in self.facts.claims if one.id not in ids and _age(one) < reached)
        return sum(one.principal + one.costs for one in older)

    def on_its_way(self) -> Iterator[Stop]:
        """A payment that was ordered and is not here yet makes the step wait."""
        ordered = PaymentFacts(0, self.ahead.amount, "ordered", self.moment, noted=False)
        why = self._new(replace(self.facts, payments=(*self.facts.payments, ordered)), Answer.DEFER)
        if why:
            yield Stop("on_its_way", {"wait": str(self.case.policy.settle)}, why)

    def holds(self) -> Iterator[Stop]:
        """The holds that the policy knows, each as far as it reaches."""
        found: dict[str, list[str]] = {}
        for name, scope in self.case.policy.holds.items():
            held = replace(self.facts, holds=(*self.facts.holds, *self._held(name, scope)))
            if self._denied(held):
                found.setdefault("dispute" if scope == "claim" else "hold", []).append(name)
        yield from (Stop(code, {"holds": names}) for code, names in found.items())

    def _held(self, name: str, scope: str) -> Iterable[HoldFacts]:
        if scope == "claim":
            return [_hold(name, self.moment, claim_id=claim.id) for claim in self.ahead.claims]
        if scope == "service":
            return [_hold(name, self.moment, service_id=service.id) for service in self.facts.services]
        return [_hold(name, self.moment)]

    def flags(self) -> Iterator[Stop]:
        """Flags that would protect, by the section that they rest on."""
        names = set(PROTECTING_FLAGS) | _flags_of(self.step.when) | _flags_by_law(self.ahead)
        by_law: dict[tuple[tuple[str, str], ...], list[str]] = {}
        reasons: dict[tuple[tuple[str, str], ...], tuple[Reason, ...]] = {}
        for name in sorted(names - {known for known, value in self.facts.flags.items() if value == "yes"}):
            why = self._denied(replace(self.facts, flags={**self.facts.flags, name: "yes"}))
            why = tuple(one for one in why if _says_yes(one, name))
            if why:
                key = tuple(sorted({(one.law, str(dict(one.params).get("rule", ""))) for one in why if one.law}))
                by_law.setdefault(key, []).append(name)
                reasons.setdefault(key, tuple(one for one in why if one.law))
        yield from (Stop("flag", {"flags": flags}, reasons[key]) for key, flags in by_law.items())

    def approval(self) -> Iterator[Stop]:
        """A person's no."""
        if self.step.approval != "none":
            yield Stop("approval", {"needs": 2 if self.step.approval == "two_people" else 1})


def _hold(name: str, moment: datetime, *, claim_id: int | None = None, service_id: int | None = None) -> HoldFacts:
    return HoldFacts(0, name, claim_id, service_id, None, moment, None, protective=False)


def _says_yes(why: Reason, flag: str) -> bool:
    return any(name in ("yes", "flags") and isinstance(told, tuple) and flag in told for name, told in why.params)


def _back(case: Case) -> Iterator[Stop]:
    """What gives services back that this case has taken, by the policy's own rule."""
    facts, rule, now = case.facts, case.policy.restore_when, case.now
    at = standing(facts, now)
    for service in facts.services:
        ours = any(block.reason == "arrears" and block.case_id == facts.case_id for block in service.blocks)
        overdue = [claim for claim in at.overdue if concerns(claim, service)]
        if not ours or not overdue:
            continue
        amount, paid = at.sum_of(tuple(overdue)), overdue
        if rule == "past_due":
            amount = sum(at.countable[claim.id] for claim in overdue)
        elif rule == "latest_claim":
            newest = max(facts.claims, key=lambda claim: (claim.due_date, claim.id))
            paid = [claim for claim in overdue if claim is not newest]
            amount = at.sum_of(tuple(paid))
        then = replace(facts, claims=tuple(claim for claim in facts.claims if claim not in paid))
        if amount and is_clear(then, standing(then, now), rule, service):
            yield Stop("back", {"amount": amount, "services": [service.id]})


def _age(claim: ClaimFacts) -> tuple[date, int]:
    return claim.due_date, claim.id


def _with_less(facts: CaseFacts, claims: tuple[ClaimFacts, ...], paid: int) -> CaseFacts:
    """The facts once so much has been paid on these claims, the oldest first."""
    left, now_owed = paid, dict[int, ClaimFacts]()
    for claim in sorted(claims, key=_age):
        part = min(left, claim.principal)
        now_owed[claim.id] = replace(claim, principal=claim.principal - part)
        left -= part
    return replace(facts, claims=tuple(now_owed.get(claim.id, claim) for claim in facts.claims))


def _least_arrears(condition: Condition) -> set[int]:
    return {
        leaf.min for leaf in _leaves(condition) if isinstance(leaf, Between) and leaf.fact == "arrears" and leaf.min
    }


def _least_by_law(ahead: Ahead) -> set[int]:
    demands = [rule.demand for rule in ahead.rules if isinstance(rule.demand, model.RequiresState)]
    return {state.arrears_min for demand in demands for state in demand.any_of if state.arrears_min}


def _flags_of(condition: Condition) -> set[str]:
    return {name for leaf in _leaves(condition) if isinstance(leaf, Flags) for name in leaf.names}


def _flags_by_law(ahead: Ahead) -> set[str]:
    demands = [rule.demand for rule in ahead.rules if isinstance(rule.demand, model.ForbiddenIf)]
    return {name for demand in demands for name in demand.flags}


def _leaves(condition: Condition) -> Iterator[Condition]:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _leaves(part)
        case Not(part):
            yield from _leaves(part)
        case _:
            yield condition
