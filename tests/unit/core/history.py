"""A case's history in memory: what `record`, `release` and the drivers do to its facts, without a database.

The production statements have their own tests; this twin only has to be right enough for whole histories of `decide`.
Time passes by jumping to whatever is due next. `answers` plays the outside: it says how an effect that left ends.
"""

import dataclasses
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from relight.core.decide import decide
from relight.core.decision import Decision, EffectDraft, EventDraft
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
from relight.core.law import Law, NoLaw
from relight.core.leave import UNCOUNTED_TEMPLATES, Due, Exit, Leave, check_leave
from relight.core.levels import Level
from relight.core.policy import Policy
from tests.unit.core.cases import ACCOUNT, CASE, at, day, partner

ROUNDS_MAX = 60
OUTCOME_PAUSE = timedelta(minutes=1)


@dataclass(slots=True)
class Effect:
    """An effect in the outbox, or out of it."""

    facts: EffectFacts
    draft: EffectDraft
    step_number: int | None


@dataclass(slots=True)
class Released:
    """What release said of an effect, with the facts that it saw."""

    effect: Effect
    facts: CaseFacts
    leave: Leave
    now: datetime


Answers = Callable[[Effect], str]


def all_goes_well(effect: Effect) -> str:
    """Every effect that leaves is done."""
    return "done"


@dataclass
class History:
    """One case, its account and its outside."""

    policy: Policy
    now: datetime = field(default_factory=lambda: at(0))
    law: Law = field(default_factory=NoLaw)
    answers: Answers = all_goes_well
    partner: PartnerFacts = field(default_factory=partner)
    case: dict[str, Any] = field(default_factory=dict[str, Any])
    claims: dict[int, ClaimFacts] = field(default_factory=dict[int, ClaimFacts])
    services: dict[int, ServiceFacts] = field(default_factory=dict[int, ServiceFacts])
    blocks: dict[int, tuple[int, BlockFacts]] = field(default_factory=dict[int, tuple[int, BlockFacts]])
    steps: dict[int, StepFacts] = field(default_factory=dict[int, StepFacts])
    voided: dict[int, StepFacts] = field(default_factory=dict[int, StepFacts])
    effects: dict[int, Effect] = field(default_factory=dict[int, Effect])
    holds: dict[int, HoldFacts] = field(default_factory=dict[int, HoldFacts])
    payments: dict[int, PaymentFacts] = field(default_factory=dict[int, PaymentFacts])
    approvals: dict[int, ApprovalFacts] = field(default_factory=dict[int, ApprovalFacts])
    tasks: list[tuple[str, int | None, TaskFacts]] = field(default_factory=list[tuple[str, int | None, TaskFacts]])
    contacted: list[datetime] = field(default_factory=list[datetime])
    log: list[EventDraft] = field(default_factory=list[EventDraft])
    turns: list[tuple[CaseFacts, datetime, Decision]] = field(
        default_factory=list[tuple[CaseFacts, datetime, Decision]]
    )
    released: list[Released] = field(default_factory=list[Released])
    wakes_at: datetime | None = None

    def __post_init__(self) -> None:
        state: dict[str, Any] = {
            "state": "watching",
            "version": 0,
            "debtor": "consumer",
            "profile": "",
            "credit": 0,
            "waits_for": "",
            "flags": {"life_support": "no"},
            "reach": frozenset({"sms", "email"}),
        }
        self.case = {**state, **self.case}
        self.wakes_at = self.now

    # -- facts

    def facts(self) -> CaseFacts:
        """What gathering would find."""
        return CaseFacts(
            case_id=CASE,
            account_id=ACCOUNT,
            partner=self.partner,
            claims=tuple(self.claims[id_] for id_ in sorted(self.claims)),
            steps=tuple(self._step(self.steps[number]) for number in sorted(self.steps)),
            services=tuple(self._service(self.services[id_]) for id_ in sorted(self.services)),
            holds=tuple(
                one for one in self.holds.values()
                if one.starts_at <= self.now and (one.ends_at is None or one.ends_at > self.now)
            ),
            payments=tuple(
                one for one in self.payments.values()
                if one.state in ("ordered", "authorised") or (not one.noted and one.state != "failed")
            ),
            approvals=tuple(
                one for one in self.approvals.values() if one.state in ("requested", "granted", "refused")
            ),
            contacted_at=tuple(moment for moment in self.contacted if moment > self.now - timedelta(days=7)),
            **self.case,
        )  # fmt: skip

    def _step(self, step: StepFacts) -> StepFacts:
        effects = tuple(one.facts for one in self.effects.values() if one.step_number == step.number)
        tasks = tuple(task for _, number, task in self.tasks if number == step.number)
        return dataclasses.replace(step, effects=effects, tasks=tasks)

    def _service(self, service: ServiceFacts) -> ServiceFacts:
        commands = [e.facts for e in self.effects.values() if e.facts.service_id == service.id]
        return dataclasses.replace(
            service,
            unsent=tuple(one.id for one in commands if one.state == "pending"),
            in_flight=any(one.state == "in_flight" for one in commands),
            gave_up=any(
                one.state in ("given_up", "refused") and one.generation == service.generation for one in commands
            ),
            blocks=tuple(block for service_id, block in self.blocks.values() if service_id == service.id),
        )

    # -- turns

    def turn(self) -> Decision:
        """Decide once, and record it."""
        facts = self.facts()
        decision = decide(self.policy, self.law, facts, self.now)
        self.turns.append((facts, self.now, decision))
        self._apply(decision)
        return decision

    def _apply(self, decision: Decision) -> None:
        version = decision.version
        self.log.extend(decision.events)
        self._steps(decision, version)
        for id_ in decision.cancelled_effects:
            if self.effects[id_].facts.state == "pending":
                self._end(id_, "cancelled", "superseded")
        for effect in decision.effects:
            self._outbox(effect, version)
        for id_ in decision.lifted_blocks:
            del self.blocks[id_]
        for block in decision.blocks:
            id_ = len(self.turns) * 10 + len(self.blocks)
            made = BlockFacts(id_, "arrears", block.level, CASE, version + 1 + block.event, self.now)
            self.blocks[id_] = (block.service_id, made)
        assert len({one.service_id for one in decision.supplies}) == len(decision.supplies), "one row a service"
        for supply in decision.supplies:
            self.services[supply.service_id] = dataclasses.replace(
                self.services[supply.service_id],
                desired=supply.desired,
                generation=supply.generation,
                desired_at=self.now,
            )
        self._people(decision, version)
        for id_ in decision.noted_payments:
            self.payments[id_] = dataclasses.replace(self.payments[id_], noted=True)
        self.case.update(state=decision.state, version=version + len(decision.events), waits_for=decision.waits_for)
        self.wakes_at = decision.wakes_at

    def _steps(self, decision: Decision, version: int) -> None:
        for id_, completed_at in decision.completed_steps:
            self.steps[id_] = dataclasses.replace(self.steps[id_], completed_at=completed_at)
        for id_ in decision.voided_steps:
            self.voided[id_] = self.steps.pop(id_)
        for step in decision.steps:
            number = version + 1 + step.event
            claims = tuple(StepClaimFacts(*one) for one in step.claims)
            self.steps[number] = StepFacts(number, number, step.step, self.now, None, step.pay_by_date, claims)

    def _outbox(self, draft: EffectDraft, version: int) -> None:
        id_ = len(self.effects) + 1
        facts = EffectFacts(
            id=id_,
            part=draft.part,
            kind=draft.kind,
            channel=draft.channel,
            state="pending",
            due_at=draft.due_at,
            template=draft.template,
            service_id=draft.service_id,
            generation=draft.generation,
        )
        number = version + 1 + draft.event if draft.of_step else (draft.step_number or None)
        self.effects[id_] = Effect(facts, draft, number)

    def _people(self, decision: Decision, version: int) -> None:
        for id_ in decision.spent_approvals:
            self.approvals[id_] = dataclasses.replace(self.approvals[id_], state="spent")
        for id_ in decision.lapsed_approvals:
            self.approvals[id_] = dataclasses.replace(self.approvals[id_], state="lapsed")
        for approval in decision.approvals:
            id_ = len(self.approvals) + 1
            self.approvals[id_] = ApprovalFacts(id_, approval.step, "requested", frozenset(approval.claims), None)
        for task in decision.tasks:
            number = version + 1 + task.event if task.event is not None else task.step_number
            self.tasks.append((task.code, number, TaskFacts(task.part or 0, task.code, "open", None)))

    # -- release and the outside

    def release(self) -> int:
        """Let what is due leave, and answer it; how many were looked at."""
        due = [one for one in self.effects.values() if one.facts.state == "pending" and one.facts.due_at <= self.now]
        for effect in sorted(due, key=lambda one: (one.facts.due_at, one.facts.id)):
            if effect.facts.service_id is None or not self._service(self.services[effect.facts.service_id]).in_flight:
                self._let_leave(effect)
        return len(due)

    def _let_leave(self, effect: Effect) -> None:
        draft, facts = effect.draft, self.facts()
        due = Due(
            effect.facts.id,
            draft.kind,
            draft.template,
            draft.part,
            effect.step_number,
            draft.service_id,
            draft.level,
            draft.generation,
        )
        leave = check_leave(self.policy, self.law, facts, due, self.now)
        self.released.append(Released(effect, facts, leave, self.now))
        match leave.exit:
            case Exit.SEND:
                effect.facts = dataclasses.replace(effect.facts, state="in_flight")
                if draft.kind == "message" and draft.template not in UNCOUNTED_TEMPLATES:
                    self.contacted.append(self.now)
                self.answer(effect.facts.id, self.answers(effect))
            case Exit.LATER:
                assert leave.until is not None
                assert leave.until > self.now, f"{leave.why} says later and means now"
                effect.facts = dataclasses.replace(effect.facts, due_at=leave.until, why=leave.why)
            case Exit.WITHHOLD:
                self._end(effect.facts.id, "withheld", leave.why)
                self.wake()
            case Exit.CANCEL:
                self._end(effect.facts.id, "cancelled", leave.why)
                self.wake()

    def answer(self, effect_id: int, outcome: str) -> None:
        """How an attempt ended: done, refused, given_up, again (in a minute), or hangs (nothing is heard)."""
        effect = self.effects[effect_id]
        if outcome == "hangs":
            return
        if outcome == "again":
            effect.facts = dataclasses.replace(effect.facts, state="pending", due_at=self.now + OUTCOME_PAUSE)
        else:
            self._end(effect_id, outcome, "" if outcome == "done" else "driver")
        if outcome == "done" and effect.facts.service_id is not None:
            service = self.services[effect.facts.service_id]
            seen = effect.draft.level if effect.facts.generation == service.generation else None
            self.services[service.id] = dataclasses.replace(service, observed=seen, observed_at=self.now)
        self.wake()

    def _end(self, effect_id: int, state: str, why: str) -> None:
        effect = self.effects[effect_id]
        effect.facts = dataclasses.replace(effect.facts, state=state, why=why, finished_at=self.now)

    def bounces(self, effect_id: int) -> None:
        """The channel could not deliver a message after all, and the contact point is at an end."""
        effect = self.effects[effect_id]
        effect.facts = dataclasses.replace(effect.facts, failed=True)
        self.case["reach"] = frozenset(self.case["reach"]) - {effect.facts.channel}
        self.wake()

    # -- what happens to people

    def wake(self) -> None:
        """The case thinks again now."""
        if self.wakes_at is None or self.wakes_at > self.now:
            self.wakes_at = self.now

    def bill(self, id_: int = 1, principal: int = 79900, *, due: int = 0, of: tuple[int, ...] = (1,)) -> None:
        """An invoice."""
        shares = tuple(ServiceShare(service_id, principal) for service_id in of)
        self.claims[id_] = ClaimFacts(id_, f"F{id_}", principal, 0, 0, day(due), shares)
        self.wake()

    def pays(self, claim_id: int, amount: int | None = None) -> None:
        """Money on a claim: all of it unless said."""
        claim = self.claims[claim_id]
        paid = min(amount or claim.principal, claim.principal)
        left = claim.principal - paid
        if left or claim.costs:
            shares = tuple(ServiceShare(s.service_id, max(0, s.amount - paid)) for s in claim.shares)
            disputed = min(claim.disputed, left)
            self.claims[claim_id] = dataclasses.replace(claim, principal=left, disputed=disputed, shares=shares)
        else:
            del self.claims[claim_id]
        id_ = len(self.payments) + 1
        self.payments[id_] = PaymentFacts(id_, paid, "confirmed", self.now, noted=False)
        self.wake()

    def holds_from_now(self, reason: str, *, days: int, claim_id: int | None = None) -> None:
        """A hold that begins now."""
        id_ = len(self.holds) + 1
        ends_at = self.now + timedelta(days=days)
        self.holds[id_] = HoldFacts(id_, reason, claim_id, None, None, self.now, ends_at, protective=False)
        self.wake()

    def approve(self, *, granted: bool = True) -> None:
        """A person answers what is asked."""
        for id_, one in self.approvals.items():
            if one.state == "requested":
                state = "granted" if granted else "refused"
                self.approvals[id_] = dataclasses.replace(one, state=state, decided_at=self.now)
                self.wake()

    # -- time

    def run(self) -> None:
        """Everything due at this moment."""
        for _ in range(ROUNDS_MAX):
            decided = self.wakes_at is not None and self.wakes_at <= self.now
            if decided:
                self.turn()
            if not self.release() and not decided:
                return
        raise AssertionError(f"it does not come to rest at {self.now}: {self.codes()[-12:]}")

    def next_due(self) -> datetime | None:
        """When something is due next."""
        moments = [one.facts.due_at for one in self.effects.values() if one.facts.state == "pending"]
        moments += [self.wakes_at] if self.wakes_at is not None else []
        return min((moment for moment in moments if moment > self.now), default=None)

    def until(self, moment: datetime) -> None:
        """Let time pass. More than a few turns a second or two apart is a case that runs in circles."""
        self.run()
        recent: deque[datetime] = deque(maxlen=ROUNDS_MAX)
        while (due := self.next_due()) is not None and due <= moment:
            self.now = due
            recent.append(due)
            busy = len(recent) == ROUNDS_MAX and recent[-1] - recent[0] < timedelta(minutes=10)
            assert not busy, f"it runs in circles at {self.now}: {self.codes()[-12:]}"
            self.run()
        self.now = max(moment, self.now)
        self.run()

    def days(self, count: float) -> None:
        """Let days pass."""
        self.until(self.now + timedelta(days=count))

    def until_step(self, name: str, *, days: int = 120) -> None:
        """Let time pass until a step has been taken."""
        end = self.now + timedelta(days=days)
        self.run()
        while name not in self.names():
            due = self.next_due()
            assert due is not None, f"{name} was never taken: {self.codes()}"
            assert due <= end, f"{name} was never taken: {self.codes()}"
            self.now = due
            self.run()

    def until_code(self, code: str, *, days: int = 120) -> None:
        """Let time pass until the log says something that it did not say before."""
        end, before = self.now + timedelta(days=days), self.codes().count(code)
        self.run()
        while self.codes().count(code) == before:
            due = self.next_due()
            assert due is not None, f"never {code}: {self.codes()}"
            assert due <= end, f"never {code}: {self.codes()}"
            self.now = due
            self.run()

    # -- looking

    def names(self) -> list[str]:
        """The steps taken and not voided, in order."""
        return [self.steps[number].step for number in sorted(self.steps)]

    def codes(self) -> list[str]:
        """The codes on the log."""
        return [event.code for event in self.log]

    def sent(self, kind: str = "message") -> Iterator[Released]:
        """What has left, in order."""
        return (one for one in self.released if one.leave.exit is Exit.SEND and one.effect.draft.kind == kind)

    def messages(self) -> list[tuple[str, str]]:
        """(template, channel) of what was sent."""
        return [(one.effect.draft.template, one.effect.draft.channel) for one in self.sent()]

    def commands(self) -> list[tuple[int, Level | None]]:
        """(service, level) of the commands that left."""
        return [(one.effect.draft.service_id or 0, one.effect.draft.level) for one in self.sent("supply")]
