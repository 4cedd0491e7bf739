"""One account in memory: what `record`, `release` and the drivers do to its facts.

Everything that leaves succeeds; what matters to a what-if is what is sent, charged, cut and paid, and when. The rules
are the engine's own: `decide` and `check_leave` say everything that happens here. Facts that have not changed are kept
from one turn to the next: whatever changes them sets what was made of them to None.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from relight.core.decide import decide
from relight.core.decision import Decision, EffectDraft, changes_nothing
from relight.core.facts import (
    ApprovalFacts,
    BlockFacts,
    CaseFacts,
    ClaimFacts,
    HoldFacts,
    PartnerFacts,
    PaymentFacts,
    ServiceFacts,
    ServiceShare,
    StepFacts,
    TaskFacts,
)
from relight.core.law import Law
from relight.core.leave import UNCOUNTED_TEMPLATES, Due, Exit, Leave, check_leave
from relight.core.levels import Level
from relight.core.policy import Policy
from relight.core.simulate.outbox import Effect, Taken
from relight.core.simulate.portfolio import Bill, Household

_LETTER_DAYS = timedelta(days=5)
_ROUNDS_MAX = 200
_SECOND = timedelta(seconds=1)
_WEEK = timedelta(days=7)
_SERVICE = 1
_ASKED = frozenset({"requested", "granted", "refused"})


class Restless(RuntimeError):
    """A case that does not come to rest at one moment: a fault of ours, never of the portfolio's."""


Sent = Callable[[EffectDraft, datetime], None]


def wakes(decision: Decision) -> datetime | None:
    """When to think again. The engine also looks every seven days, in case that facts have changed and nobody said so;
    here all that happens wakes the case."""
    return decision.changes_at


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
    steps: dict[int, Taken] = field(default_factory=dict[int, Taken])
    effects: dict[int, Effect] = field(default_factory=dict[int, Effect])
    holds: list[HoldFacts] = field(default_factory=list[HoldFacts])
    payments: dict[int, PaymentFacts] = field(default_factory=dict[int, PaymentFacts])
    approvals: dict[int, ApprovalFacts] = field(default_factory=dict[int, ApprovalFacts])
    tasks: list[tuple[int | None, TaskFacts]] = field(default_factory=list[tuple[int | None, TaskFacts]])
    blocks: dict[int, BlockFacts] = field(default_factory=dict[int, BlockFacts])
    contacted: list[datetime] = field(default_factory=list[datetime])
    pending: dict[int, datetime] = field(default_factory=dict[int, datetime])  # effects that have not left: when due
    _id: int = field(init=False)
    _flags: dict[str, str] = field(init=False)
    _service: ServiceFacts = field(init=False)
    _kept: CaseFacts | None = None
    _kept_claims: tuple[ClaimFacts, ...] | None = ()
    _kept_steps: tuple[StepFacts, ...] | None = ()
    _kept_services: tuple[ServiceFacts, ...] | None = None

    def __post_init__(self) -> None:
        self._id = self.household.id + 1
        self._flags = dict(self.household.flags)
        kind = sorted(self.policy.services)[0]
        self._service = ServiceFacts(_SERVICE, kind, Level.FULL, 0, None, Level.FULL, None, controllable=True)

    # -- facts

    def facts(self, now: datetime) -> CaseFacts:
        """What gathering would find."""
        if self._kept is not None and not self.holds and not self.contacted:  # holds and messages grow old
            return self._kept
        self._kept = self._make(now)
        return self._kept

    def _make(self, now: datetime) -> CaseFacts:
        household, payments, contacted = self.household, self.payments, self.contacted
        claims, steps, services = self._kept_claims, self._kept_steps, self._kept_services
        # By position: a call with twenty names takes three times as long, and every turn makes one.
        return CaseFacts(
            self._id,
            self._id,
            self.state,
            self.version,
            self.policy.debtor,
            household.profile,
            0,
            self.partner,
            self.waits_for,
            self._list_claims() if claims is None else claims,
            self._list_steps() if steps is None else steps,
            self._list_services() if services is None else services,
            tuple([hold for hold in self.holds if hold.ends_at is None or hold.ends_at > now]) if self.holds else (),
            tuple(payments.values()) if payments else (),
            tuple([one for one in self.approvals.values() if one.state in _ASKED]) if self.approvals else (),
            self._flags,
            household.reach,
            self._contacted_since(now - _WEEK) if contacted else (),
        )

    def _contacted_since(self, begin: datetime) -> tuple[datetime, ...]:
        if self.contacted[0] <= begin:
            self.contacted = [moment for moment in self.contacted if moment > begin]
        return tuple(self.contacted)

    def forget_kept(self) -> None:
        """The next facts are made anew throughout."""
        self._kept = self._kept_claims = self._kept_steps = self._kept_services = None
        for taken in self.steps.values():
            taken.kept = None

    def _list_claims(self) -> tuple[ClaimFacts, ...]:
        self._kept_claims = tuple(self.claims.values())
        return self._kept_claims

    def _list_steps(self) -> tuple[StepFacts, ...]:
        self._kept_steps = tuple([taken.kept or taken.facts(self.tasks) for taken in self.steps.values()])
        return self._kept_steps

    def _list_services(self) -> tuple[ServiceFacts, ...]:
        unsent = tuple(sorted([id_ for id_ in self.pending if self.effects[id_].draft.kind == "supply"]))
        blocks = tuple(self.blocks.values())
        if unsent != self._service.unsent or blocks != self._service.blocks:
            self._service = replace(self._service, unsent=unsent, blocks=blocks)
        self._kept_services = (self._service,)
        return self._kept_services

    def _touch(self, step_number: int | None) -> None:
        """Something of a step is not as it was."""
        taken = self.steps.get(step_number) if step_number is not None else None
        if taken is not None:
            taken.kept = self._kept_steps = None

    def _touch_effect(self, effect: Effect) -> None:
        """An effect is not as it was."""
        self._kept = None
        self._touch(effect.step_number)
        if effect.draft.kind == "supply":
            self._kept_services = None

    # -- what happens

    def bill(self, bill: Bill, now: datetime) -> None:
        """An invoice comes."""
        shares = (ServiceShare(_SERVICE, bill.amount),)
        self._owe(ClaimFacts(bill.id, str(bill.id), bill.amount, 0, 0, bill.due, shares))
        if self.state == "closed":
            self.state = "watching"
        self.wake(now)

    def _owe(self, claim: ClaimFacts) -> None:
        self.claims[claim.id] = claim
        self._kept_claims = None

    def pay(self, amount: int, now: datetime) -> int:
        """Money comes, and pays the oldest first, principal before costs; how much of it was owed."""
        left = amount
        for claim in sorted(self.claims.values(), key=lambda claim: (claim.due_date, claim.id)):
            principal = min(left, claim.principal)
            costs = min(left - principal, claim.costs)
            left -= principal + costs
            self._reduce(claim, principal, costs)
        id_ = len(self.payments) + 1
        self.payments[id_] = PaymentFacts(id_, amount, "confirmed", now, False)
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
            shares = (ServiceShare(_SERVICE, owed),)
            disputed = min(claim.disputed, owed)
            self._owe(ClaimFacts(claim.id, claim.number, owed, charged, disputed, claim.due_date, shares))
        else:
            del self.claims[claim.id]
            self._kept_claims = None

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
        """The case thinks again now, since something of its facts has changed."""
        self._kept = None
        if self.wakes_at is None or self.wakes_at > now:
            self.wakes_at = now

    def open_tasks(self) -> Iterator[int]:
        """The places of tasks that a person has yet to do."""
        return (at for at, (_, task) in enumerate(self.tasks) if task.state == "open")

    # -- time

    def next_due(self) -> datetime | None:
        """When something is due next."""
        wakes_at = self.wakes_at
        if not self.pending:
            return wakes_at
        leaves_at = min(self.pending.values())
        return leaves_at if wakes_at is None or leaves_at < wakes_at else wakes_at

    def run(self, now: datetime) -> int:
        """Everything due at this moment; how many decisions it took."""
        decisions = 0
        for _ in range(_ROUNDS_MAX):
            wakes_at = self.wakes_at
            if wakes_at is not None and wakes_at <= now:
                decisions += 1
                self._apply(decide(self.policy, self.law, self.facts(now), now), now)
                if self.pending:
                    self._release(now)
            elif not (self.pending and self._release(now)):
                return decisions
        raise Restless(f"account {self.household.id} does not come to rest at {now}")

    def _release(self, now: datetime) -> bool:
        """Let leave what is due; whether anything was."""
        due = sorted([id_ for id_, due_at in self.pending.items() if due_at <= now])
        for id_ in due:
            self._let_leave(self.effects[id_], now)
        return bool(due)

    def _let_leave(self, effect: Effect, now: datetime) -> None:
        draft = effect.draft
        due = Due(effect.id, draft.kind, draft.template, draft.part, effect.step_number, draft.service_id, draft.level,
                  draft.generation)  # fmt: skip
        leave = check_leave(self.policy, self.law, self.facts(now), due, now)
        if leave.exit is Exit.LATER and leave.until is not None:
            self.pending[effect.id] = effect.later(max(leave.until, now + _SECOND), leave.why)
            self._touch_effect(effect)
            return
        del self.pending[effect.id]
        self._touch_effect(effect)
        self._leave(effect, leave, now)
        self.wake(now)

    def _leave(self, effect: Effect, leave: Leave, now: datetime) -> None:
        if leave.exit is not Exit.SEND:
            effect.end("withheld" if leave.exit is Exit.WITHHOLD else "cancelled", leave.why, now)
            return
        draft = effect.draft
        effect.end("done", effect.why, now + _LETTER_DAYS if draft.channel == "letter" else now)
        if draft.kind == "message" and draft.template not in UNCOUNTED_TEMPLATES:
            self.contacted.append(now)
        if draft.level is not None and self._service.generation:
            self._service = replace(self._service, observed=draft.level, observed_at=now)
        self.on_sent(draft, now)

    # -- record

    def _apply(self, decision: Decision, now: datetime) -> None:
        if changes_nothing(decision) and decision.waits_for == self.waits_for and decision.state == self.state:
            self.wakes_at = wakes(decision)
        else:
            self._kept = None
            self._write(decision, now)
        self.on_decided(decision, now)
        if decision.state == "closed":
            self._release(now)  # the receipt for what closed it
            self.wakes_at = wakes(decision)
            self._forget()

    def _write(self, decision: Decision, now: datetime) -> None:
        if decision.completed_steps or decision.voided_steps or decision.steps:
            self._apply_steps(decision, now)
        for id_ in decision.cancelled_effects:
            if self.pending.pop(id_, None) is not None:
                self.effects[id_].end("cancelled", "superseded", None)
                self._touch_effect(self.effects[id_])
        for draft in decision.effects:
            self._outbox(draft, decision.version)
        if decision.lifted_blocks or decision.blocks or decision.supplies:
            self._apply_supply(decision, now)
        for fee in decision.fees:
            claim = self.claims[fee.claim_id]
            self._owe(replace(claim, costs=claim.costs + fee.amount))
        if decision.tasks or decision.approvals or decision.spent_approvals or decision.lapsed_approvals:
            self._apply_people(decision)
        for id_ in decision.noted_payments:
            self.payments.pop(id_, None)
        self.state, self.waits_for, self.wakes_at = decision.state, decision.waits_for, wakes(decision)
        self.version = decision.version + len(decision.events)

    def _apply_steps(self, decision: Decision, now: datetime) -> None:
        for id_, completed_at in decision.completed_steps:
            self.steps[id_].completed_at = completed_at
            self._touch(id_)
        for id_ in decision.voided_steps:
            self._touch(id_)
            self.steps.pop(id_, None)
        for step in decision.steps:
            number = decision.version + 1 + step.event
            self.steps[number] = Taken(number, step, now)
            self._kept_steps = None

    def _apply_supply(self, decision: Decision, now: datetime) -> None:
        for id_ in decision.lifted_blocks:
            self.blocks.pop(id_, None)
        for block in decision.blocks:
            id_ = decision.version * 10 + len(self.blocks) + 1
            self.blocks[id_] = BlockFacts(id_, "arrears", block.level, decision.case_id,
                                          decision.version + 1 + block.event, now)  # fmt: skip
        for supply in decision.supplies:
            wanted, generation = supply.desired, supply.generation
            self._service = replace(self._service, desired=wanted, generation=generation, desired_at=now)
        self._kept_services = None

    def _outbox(self, draft: EffectDraft, version: int) -> None:
        id_ = version * 100 + len(self.effects) + 1
        number = version + 1 + draft.event if draft.of_step else (draft.step_number or None)
        effect = self.effects[id_] = Effect(id_, draft, number)
        self.pending[id_] = draft.due_at
        taken = self.steps.get(number) if number is not None else None
        if taken is not None:
            taken.effects.append(effect)
        self._touch_effect(effect)

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
                self.tasks.append((number, TaskFacts(task.part, task.code, "open", None)))
                self._touch(number)

    def _forget(self) -> None:
        """A closed case is over: the next one begins afresh."""
        self._kept = None
        self.steps.clear()
        self.effects.clear()
        self.approvals.clear()
        self.tasks.clear()
        if self.pending:
            self.pending.clear()
            self._kept_services = None
        self._kept_steps = ()
