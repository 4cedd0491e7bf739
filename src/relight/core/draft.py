"""A decision while it is being made: lists to add to, and the earliest moment to look again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from relight.core.decision import (
    ApprovalDraft,
    BlockDraft,
    Decision,
    EffectDraft,
    EventDraft,
    FeeDraft,
    Params,
    StepDraft,
    SupplyDraft,
    TaskDraft,
)
from relight.core.facts import CaseFacts
from relight.core.law import Reason

LOOK_AGAIN_MAX = timedelta(days=7)
LOOK_AGAIN_MIN = timedelta(seconds=1)


def _none() -> list[Any]:
    """An empty list: `list[EventDraft]()` makes the same one ten times as slowly, and a turn needs fifteen."""
    return []


@dataclass(slots=True)
class Draft:
    """Everything one turn will change. Only `decide` and its parts add to it."""

    facts: CaseFacts
    now: datetime
    events: list[EventDraft] = field(default_factory=_none)
    steps: list[StepDraft] = field(default_factory=_none)
    effects: list[EffectDraft] = field(default_factory=_none)
    completed_steps: list[tuple[int, datetime]] = field(default_factory=_none)
    voided_steps: list[int] = field(default_factory=_none)
    blocks: list[BlockDraft] = field(default_factory=_none)
    lifted_blocks: list[int] = field(default_factory=_none)
    supplies: list[SupplyDraft] = field(default_factory=_none)
    fees: list[FeeDraft] = field(default_factory=_none)
    tasks: list[TaskDraft] = field(default_factory=_none)
    approvals: list[ApprovalDraft] = field(default_factory=_none)
    spent_approvals: list[int] = field(default_factory=_none)
    lapsed_approvals: list[int] = field(default_factory=_none)
    cancelled_effects: list[int] = field(default_factory=_none)
    noted_payments: list[int] = field(default_factory=_none)
    waits_for: str = ""
    next_step: str = ""
    next_at: datetime | None = None
    _wakes_at: datetime | None = None

    def event(
        self,
        code: str,
        params: Params | None = None,
        reasons: tuple[Reason, ...] = (),
        *,
        keep_facts: bool = False,
    ) -> int:
        """Put an event on the log; its index."""
        self.events.append(EventDraft(code, params or {}, reasons, keep_facts))
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
        latest = self.now + LOOK_AGAIN_MAX
        wakes_at = None
        if state != "closed" or self._wakes_at is not None:
            wakes_at = max(min(self._wakes_at or latest, latest), self.now + LOOK_AGAIN_MIN)
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
            tuple(self.events),
            tuple(self.steps),
            tuple(self.effects),
            tuple(self.completed_steps),
            tuple(self.voided_steps),
            tuple(self.blocks),
            tuple(self.lifted_blocks),
            tuple(self.supplies),
            tuple(self.fees),
            tuple(self.tasks),
            tuple(self.approvals),
            tuple(self.spent_approvals),
            tuple(self.lapsed_approvals),
            tuple(self.cancelled_effects),
            tuple(self.noted_payments),
        )
