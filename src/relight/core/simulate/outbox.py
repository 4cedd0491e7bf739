"""Steps that a household's case took, and what they sent: what changes of them, and the facts made of it."""

from collections.abc import Sequence
from datetime import datetime

from relight.core.decision import EffectDraft, StepDraft
from relight.core.facts import EffectFacts, StepClaimFacts, StepFacts, TaskFacts


class Effect:
    """An effect in the outbox or out of it."""

    __slots__ = ("_kept", "draft", "due_at", "finished_at", "id", "state", "step_number", "why")

    def __init__(self, id_: int, draft: EffectDraft, step_number: int | None):
        self.id, self.draft, self.step_number = id_, draft, step_number
        self.state, self.why = "pending", ""
        self.due_at = draft.due_at
        self.finished_at: datetime | None = None
        self._kept: EffectFacts | None = None

    def later(self, due_at: datetime, why: str) -> datetime:
        """It may not leave yet; when it may try again."""
        self.due_at, self.why, self._kept = due_at, why, None
        return due_at

    def end(self, state: str, why: str, finished_at: datetime | None) -> None:
        """What became of it; `finished_at` of a letter is when it arrives."""
        self.state, self.why, self.finished_at, self._kept = state, why, finished_at, None

    def facts(self) -> EffectFacts:
        """As gathering would find it."""
        if self._kept is not None:
            return self._kept
        draft = self.draft
        self._kept = EffectFacts(
            self.id,
            draft.part,
            draft.kind,
            draft.channel,
            self.state,
            self.due_at,
            draft.template,
            self.finished_at,
            False,
            draft.service_id,
            draft.generation,
            self.why,
        )
        return self._kept


class Taken:
    """A step that was taken. `kept` are its facts, until something of it changes."""

    __slots__ = ("claims", "completed_at", "decided_at", "effects", "kept", "number", "pay_by_date", "step")

    def __init__(self, number: int, draft: StepDraft, decided_at: datetime):
        self.number, self.step, self.decided_at, self.pay_by_date = number, draft.step, decided_at, draft.pay_by_date
        self.claims = tuple([StepClaimFacts(*one) for one in draft.claims])
        self.completed_at: datetime | None = None
        self.effects: list[Effect] = []
        self.kept: StepFacts | None = None

    def facts(self, tasks: Sequence[tuple[int | None, TaskFacts]]) -> StepFacts:
        """As gathering would find it; `tasks` are all of the case with the numbers of their steps."""
        if self.kept is None:
            number = self.number
            self.kept = StepFacts(
                number,
                number,
                self.step,
                self.decided_at,
                self.completed_at,
                self.pay_by_date,
                self.claims,
                tuple([effect.facts() for effect in self.effects]),
                tuple([task for of, task in tasks if of == number]) if tasks else (),
            )
        return self.kept
