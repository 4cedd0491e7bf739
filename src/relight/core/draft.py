"""A decision while it is being made: tuples to add to, and the earliest moment to look again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from relight.core.decision import (
    ApprovalDraft,
    BlockDraft,
    Decision,
    EffectDraft,
    EventDraft,
    FeeDraft,
    OfferDraft,
    Params,
    PlanDraft,
    StepDraft,
    SupplyDraft,
    TaskDraft,
)
from relight.core.facts import CaseFacts
from relight.core.law import Reason

LOOK_AGAIN_MAX = timedelta(days=7)
LOOK_AGAIN_MIN = timedelta(seconds=1)


@dataclass(slots=True, init=False)
class Draft:
    """Everything one turn will change. Only `decide` and its parts add to it."""

    facts: CaseFacts
    now: datetime
    events: tuple[EventDraft, ...]
    steps: tuple[StepDraft, ...]
    effects: tuple[EffectDraft, ...]
    completed_steps: tuple[tuple[int, datetime], ...]
    voided_steps: tuple[int, ...]
    blocks: tuple[BlockDraft, ...]
    lifted_blocks: tuple[int, ...]
    supplies: tuple[SupplyDraft, ...]
    fees: tuple[FeeDraft, ...]
    tasks: tuple[TaskDraft, ...]
    approvals: tuple[ApprovalDraft, ...]
    spent_approvals: tuple[int, ...]
    lapsed_approvals: tuple[int, ...]
    cancelled_effects: tuple[int, ...]
    noted_payments: tuple[int, ...]
    interest: tuple[int, ...]
    offers: tuple[OfferDraft, ...]
    plans: tuple[PlanDraft, ...]
    noted_holds: tuple[int, ...]
    noted_sorry: int
    waits_for: str
    next_step: str
    next_at: datetime | None
    _wakes_at: datetime | None

    def __init__(self, facts: CaseFacts, now: datetime):
        # Tuples, since most turns add nothing: an empty one is there already, and need not be copied at the end.
        self.facts, self.now = facts, now
        self.events = ()
        self.steps = ()
        self.effects = ()
        self.completed_steps = ()
        self.voided_steps = ()
        self.blocks = ()
        self.lifted_blocks = ()
        self.supplies = ()
        self.fees = ()
        self.tasks = ()
        self.approvals = ()
        self.spent_approvals = ()
        self.lapsed_approvals = ()
        self.cancelled_effects = ()
        self.noted_payments = ()
        self.interest = ()
        self.offers = ()
        self.plans = ()
        self.noted_holds = ()
        self.noted_sorry = 0
        self.waits_for = self.next_step = ""
        self.next_at = self._wakes_at = None

    def event(
        self,
        code: str,
        params: Params | None = None,
        reasons: tuple[Reason, ...] = (),
        *,
        keep_facts: bool = False,
    ) -> int:
        """Put an event on the log; its index."""
        self.events += (EventDraft(code, params or {}, reasons, keep_facts),)
        return len(self.events) - 1

    def wake(self, at: datetime | None) -> None:
        """Look again at this moment, or earlier if something else asks for it."""
        if at is not None and (self._wakes_at is None or at < self._wakes_at):
            self._wakes_at = at

    def wait(self, what: str, until: datetime | None) -> None:
        """Say what the case waits for; the first to say so is what lists show."""
        self.waits_for = self.waits_for or what
        self.wake(until)

    def finish(self, *, state: str, arrears: int, step: str) -> Decision:
        """The decision. An open case looks again within seven days; a closed one sleeps until something wakes it."""
        wakes_at = changes_at = None
        if state != "closed" or self._wakes_at is not None:
            latest, earliest = self.now + LOOK_AGAIN_MAX, self.now + LOOK_AGAIN_MIN
            changes_at = earliest if self._wakes_at is not None and self._wakes_at < earliest else self._wakes_at
            wakes_at = latest if changes_at is None or changes_at > latest else changes_at
        facts = self.facts
        return Decision(
            facts.case_id,
            facts.account_id,
            facts.version,
            state,
            wakes_at,
            arrears,
            step,
            self.next_step,
            self.next_at,
            self.waits_for,
            self.events,
            self.steps,
            self.effects,
            self.completed_steps,
            self.voided_steps,
            self.blocks,
            self.lifted_blocks,
            self.supplies,
            self.fees,
            self.tasks,
            self.approvals,
            self.spent_approvals,
            self.lapsed_approvals,
            self.cancelled_effects,
            self.noted_payments,
            changes_at,
            self.interest,
            offers=self.offers,
            plans=self.plans,
            noted_holds=self.noted_holds,
            noted_sorry=self.noted_sorry,
        )
