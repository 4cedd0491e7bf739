"""One account in memory: what `record`, `release` and the drivers do to its facts, in a few dictionaries.

Everything that leaves succeeds; what matters to a what-if is what is sent, charged, cut and paid, and when. The rules
are the engine's own: `decide` and `check_leave` say everything that happens here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from relight.core.decide import decide
from relight.core.decision import Decision, EffectDraft
from relight.core.facts import (
    ApprovalFacts,
    BlockFacts,
    CaseFacts,
    ClaimFacts,
    EffectFacts,
    HoldFacts,
    PartnerFacts,
    PaymentFacts,
    ServiceFacts,
    ServiceShare,
    StepClaimFacts,
    StepFacts,
    TaskFacts,
)
from relight.core.law import Law
from relight.core.leave import UNCOUNTED_TEMPLATES, Due, Exit, check_leave
from relight.core.levels import Level
from relight.core.policy import Policy
from relight.core.simulate.portfolio import Bill, Household

_LETTER_DAYS = timedelta(days=5)
_ROUNDS_MAX = 200
_WEEK = timedelta(days=7)
_SERVICE = 1
_ASKED = frozenset({"requested", "granted", "refused"})


class Restless(RuntimeError):
    """A case that does not come to rest at one moment: a fault of ours, never of the portfolio's."""


@dataclass(slots=True)
class _Effect:
    """An effect in the outbox or out of it."""

    facts: EffectFacts
    draft: EffectDraft
    step_number: int | None


Sent = Callable[[EffectDraft, datetime], None]


@dataclass(slots=True)
class Life:
    """An account, its case and its outside. `on_sent` hears of all that leaves, `on_decided` of every decision."""

    policy: Policy
    law: Law
    partner: PartnerFacts
    household: Household
    on_sent: Sent
    on_decided: Callable[[Decision, datetime], None]
    state: str = "watching"
    version: int = 0
    waits_for: str = ""
    wakes_at: datetime | None = None
    claims: dict[int, ClaimFacts] = field(default_factory=dict[int, ClaimFacts])
    steps: dict[int, StepFacts] = field(default_factory=dict[int, StepFacts])
    effects: dict[int, _Effect] = field(default_factory=dict[int, _Effect])
    holds: list[HoldFacts] = field(default_factory=list[HoldFacts])
    payments: dict[int, PaymentFacts] = field(default_factory=dict[int, PaymentFacts])
    approvals: dict[int, ApprovalFacts] = field(default_factory=dict[int, ApprovalFacts])
    tasks: list[tuple[int | None, TaskFacts]] = field(default_factory=list[tuple[int | None, TaskFacts]])
    blocks: dict[int, BlockFacts] = field(default_factory=dict[int, BlockFacts])
    contacted: list[datetime] = field(default_factory=list[datetime])
    service: ServiceFacts | None = None
    pending: set[int] = field(default_factory=set[int])
    _flags: dict[str, str] = field(init=False)
    _kept_steps: dict[int, StepFacts] = field(default_factory=dict[int, StepFacts])
    _kept_service: ServiceFacts | None = None

    def __post_init__(self) -> None:
        self._flags = dict(self.household.flags)

    # -- facts, of which those that have not changed are kept from one turn to the next

    def facts(self, now: datetime) -> CaseFacts:
        """What gathering would find."""
        return CaseFacts(
            case_id=self.household.id + 1,
            account_id=self.household.id + 1,
            state=self.state,
            version=self.version,
            debtor=self.policy.debtor,
            profile=self.household.profile,
            credit=0,
            partner=self.partner,
            waits_for=self.waits_for,
            claims=tuple(self.claims.values()),
            steps=tuple([self._step(number) for number in self.steps]),
            services=(self._service(),),
            holds=tuple([hold for hold in self.holds if hold.ends_at is None or hold.ends_at > now])
            if self.holds
            else (),
            payments=tuple(self.payments.values()),
            approvals=tuple([one for one in self.approvals.values() if one.state in _ASKED]) if self.approvals else (),
            flags=self._flags,
            reach=self.household.reach,
            contacted_at=tuple([moment for moment in self.contacted if now - moment < _WEEK]) if self.contacted else (),
        )

    def forget_kept(self) -> None:
        """The next facts are made anew throughout."""
        self._kept_steps.clear()
        self._kept_service = None

    def _step(self, number: int) -> StepFacts:
        kept = self._kept_steps.get(number)
        if kept is None:
            effects = tuple(one.facts for one in self.effects.values() if one.step_number == number)
            tasks = tuple(task for of, task in self.tasks if of == number)
            kept = self._kept_steps[number] = replace(self.steps[number], effects=effects, tasks=tasks)
        return kept

    def _service(self) -> ServiceFacts:
        if self._kept_service is None:
            self._kept_service = self._make_service()
        return self._kept_service

    def _change(self, effect: _Effect, facts: EffectFacts) -> None:
        effect.facts = facts
        self._touch(effect.step_number)
        if facts.kind == "supply":
            self._kept_service = None

    def _touch(self, step_number: int | None) -> None:
        """Something of a step is not as it was."""
        if step_number is not None:
            self._kept_steps.pop(step_number, None)

    def _make_service(self) -> ServiceFacts:
        kind = sorted(self.policy.services)[0]
        base = self.service or ServiceFacts(_SERVICE, kind, Level.FULL, 0, None, Level.FULL, None, controllable=True)
        unsent = tuple(
            sorted(id_ for id_ in self.pending if self.effects[id_].facts.kind == "supply")
        )  # fmt: skip
        return replace(base, unsent=unsent, blocks=tuple(self.blocks.values()))

    # -- what happens

    def bill(self, bill: Bill, now: datetime) -> None:
        """An invoice comes."""
        shares = (ServiceShare(_SERVICE, bill.amount),)
        self.claims[bill.id] = ClaimFacts(bill.id, str(bill.id), bill.amount, 0, 0, bill.due, shares)
        if self.state == "closed":
            self.state = "watching"
        self.wake(now)

    def pay(self, amount: int, now: datetime) -> int:
        """Money comes, and pays the oldest first, principal before costs; how much of it was owed."""
        left = amount
        for claim in sorted(self.claims.values(), key=lambda claim: (claim.due_date, claim.id)):
            principal = min(left, claim.principal)
            costs = min(left - principal, claim.costs)
            left -= principal + costs
            self._reduce(claim, principal, costs)
        id_ = len(self.payments) + 1
        self.payments[id_] = PaymentFacts(id_, amount, "confirmed", now, noted=False)
        self.wake(now)
        return amount - left

    def credit(self, claim_id: int, amount: int, now: datetime) -> int:
        """A credit note takes something off a claim that is still open; how much."""
        claim = self.claims.get(claim_id)
        if claim is None:
            return 0
        less = min(amount, claim.principal)
        self._reduce(claim, less, 0)
        self.wake(now)
        return less

    def _reduce(self, claim: ClaimFacts, principal: int, costs: int) -> None:
        owed, charged = claim.principal - principal, claim.costs - costs
        if owed or charged:
            self.claims[claim.id] = replace(
                claim,
                principal=owed,
                costs=charged,
                disputed=min(claim.disputed, owed),
                shares=(ServiceShare(_SERVICE, owed),),
            )
        else:
            del self.claims[claim.id]

    def hold(self, reason: str, now: datetime, ends_at: datetime, claim_id: int | None = None) -> None:
        """A pause from now."""
        self.holds.append(HoldFacts(len(self.holds) + 1, reason, claim_id, None, None, now, ends_at, protective=False))
        self.wake(now)

    def owed(self) -> int:
        """Everything open, in minor units."""
        return sum(claim.principal + claim.costs for claim in self.claims.values())

    def do_task(self, index: int, now: datetime) -> None:
        """A person did what a step asked."""
        number, task = self.tasks[index]
        self.tasks[index] = (number, replace(task, state="done", done_at=now))
        self._touch(number)
        self.wake(now)

    def approve(self, id_: int, now: datetime) -> None:
        """A person says yes, if it is still asked."""
        if self.approvals[id_].state == "requested":
            self.approvals[id_] = replace(self.approvals[id_], state="granted", decided_at=now)
            self.wake(now)

    def wake(self, now: datetime) -> None:
        """The case thinks again now."""
        if self.wakes_at is None or self.wakes_at > now:
            self.wakes_at = now

    # -- time

    def next_due(self) -> datetime | None:
        """When something is due next."""
        if not self.pending:
            return self.wakes_at
        moments = [self.effects[id_].facts.due_at for id_ in self.pending]
        if self.wakes_at is not None:
            moments.append(self.wakes_at)
        return min(moments, default=None)

    def run(self, now: datetime) -> int:
        """Everything due at this moment; how many decisions it took."""
        for round_ in range(_ROUNDS_MAX):
            decided = self.wakes_at is not None and self.wakes_at <= now
            if decided:
                self._apply(decide(self.policy, self.law, self.facts(now), now), now)
            if not self._release(now) and not decided:
                return round_
        raise Restless(f"account {self.household.id} does not come to rest at {now}")

    def _release(self, now: datetime) -> int:
        if not self.pending:
            return 0
        due = sorted(id_ for id_ in self.pending if self.effects[id_].facts.due_at <= now)
        for id_ in due:
            self._let_leave(self.effects[id_], now)
        return len(due)

    def _let_leave(self, effect: _Effect, now: datetime) -> None:
        facts, draft = effect.facts, effect.draft
        due = Due(facts.id, draft.kind, draft.template, draft.part, effect.step_number, draft.service_id, draft.level,
                  draft.generation)  # fmt: skip
        leave = check_leave(self.policy, self.law, self.facts(now), due, now)
        if leave.exit is Exit.LATER and leave.until is not None:
            self._change(effect, replace(facts, due_at=max(leave.until, now + timedelta(seconds=1)), why=leave.why))
            return
        self.pending.discard(facts.id)
        if leave.exit is not Exit.SEND:
            state = "withheld" if leave.exit is Exit.WITHHOLD else "cancelled"
            self._change(effect, replace(facts, state=state, why=leave.why, finished_at=now))
        else:
            self._send(effect, now)
        self.wake(now)

    def _send(self, effect: _Effect, now: datetime) -> None:
        draft = effect.draft
        arrives = now + _LETTER_DAYS if draft.channel == "letter" else now
        self._change(effect, replace(effect.facts, state="done", finished_at=arrives))
        if draft.kind == "message" and draft.template not in UNCOUNTED_TEMPLATES:
            self.contacted = [moment for moment in self.contacted if now - moment < _WEEK] + [now]
        if draft.level is not None and self.service is not None:
            self.service = replace(self.service, observed=draft.level, observed_at=now)
            self._kept_service = None
        self.on_sent(draft, now)

    # -- record

    def _apply(self, decision: Decision, now: datetime) -> None:
        self._apply_steps(decision, now)
        for id_ in decision.cancelled_effects:
            if id_ in self.pending:
                self.pending.discard(id_)
                effect = self.effects[id_]
                self._change(effect, replace(effect.facts, state="cancelled", why="superseded"))
        for draft in decision.effects:
            self._outbox(draft, decision.version)
        for id_ in decision.lifted_blocks:
            self.blocks.pop(id_, None)
            self._kept_service = None
        for block in decision.blocks:
            id_ = decision.version * 10 + len(self.blocks) + 1
            self.blocks[id_] = BlockFacts(id_, "arrears", block.level, decision.case_id,
                                          decision.version + 1 + block.event, now)  # fmt: skip
            self._kept_service = None
        for supply in decision.supplies:
            self.service = replace(
                self._service(), desired=supply.desired, generation=supply.generation, desired_at=now
            )
            self._kept_service = None
        for fee in decision.fees:
            claim = self.claims[fee.claim_id]
            self.claims[fee.claim_id] = replace(claim, costs=claim.costs + fee.amount)
        self._apply_people(decision)
        for id_ in decision.noted_payments:
            self.payments.pop(id_, None)
        self.state, self.version, self.waits_for = (
            decision.state,
            decision.version + len(decision.events),
            decision.waits_for,
        )
        self.wakes_at = decision.wakes_at
        self.on_decided(decision, now)
        if self.state == "closed":
            self._forget()

    def _apply_steps(self, decision: Decision, now: datetime) -> None:
        for id_, completed_at in decision.completed_steps:
            self.steps[id_] = replace(self.steps[id_], completed_at=completed_at)
            self._touch(id_)
        for id_ in decision.voided_steps:
            self.steps.pop(id_, None)
            self._touch(id_)
        for step in decision.steps:
            number = decision.version + 1 + step.event
            claims = tuple(StepClaimFacts(*one) for one in step.claims)
            self.steps[number] = StepFacts(number, number, step.step, now, None, step.pay_by_date, claims)

    def _outbox(self, draft: EffectDraft, version: int) -> None:
        id_ = version * 100 + len(self.effects) + 1
        number = version + 1 + draft.event if draft.of_step else (draft.step_number or None)
        facts = EffectFacts(
            id_,
            draft.part,
            draft.kind,
            draft.channel,
            "pending",
            draft.due_at,
            template=draft.template,
            service_id=draft.service_id,
            generation=draft.generation,
        )
        self.effects[id_] = _Effect(facts, draft, number)
        self.pending.add(id_)
        self._touch(number)
        if draft.kind == "supply":
            self._kept_service = None

    def _apply_people(self, decision: Decision) -> None:
        for state, ids in (("spent", decision.spent_approvals), ("lapsed", decision.lapsed_approvals)):
            for id_ in ids:
                self.approvals[id_] = replace(self.approvals[id_], state=state)
        for asked in decision.approvals:
            id_ = len(self.approvals) + 1
            self.approvals[id_] = ApprovalFacts(id_, asked.step, "requested", frozenset(asked.claims), None)
        for task in decision.tasks:
            number = decision.version + 1 + task.event if task.event is not None else task.step_number
            if task.part is not None:
                self.tasks.append((number, TaskFacts(task.part, "open", None)))
                self._touch(number)

    def _forget(self) -> None:
        """A closed case is over: the next one begins afresh."""
        for kept in (self.steps, self.effects, self.approvals):
            kept.clear()
        self.tasks.clear()
        self.pending.clear()
        self.forget_kept()

    def open_tasks(self) -> Iterator[int]:
        """The places of tasks that a person has yet to do."""
        return (at for at, (_, task) in enumerate(self.tasks) if task.state == "open")
