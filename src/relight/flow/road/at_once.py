"""A restore leaves with its decision: one transaction writes both, under the locks and by the facts of the decision.

Nothing is asked twice of what gives back: no guard holds it, and what the facts say cannot change before the commit.
Whatever is not that simple stays in the outbox, and leaves by release.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from relight.core.decision import EffectDraft
from relight.core.leave import Due, gives_back
from relight.flow.database import Tx
from relight.flow.road.record import Decided
from relight.flow.road.release import Job, Releaser


class AtOnce:
    """Lets a turn's restores leave, `room` at most. `jobs` are those of committed transactions, to be acted on."""

    def __init__(self, releaser: Releaser, room: int):
        self.releaser, self.room = releaser, room
        self.jobs: list[Job] = []

    def take(self, tx: Tx, decided: Sequence[Decided], now: datetime) -> list[Job]:
        """Put the attempts of what was recorded just now on record too."""
        room = range(self.room - len(self.jobs))
        keys = [key for _, key in zip(room, restores(decided, now), strict=False)]
        return self.releaser.start_decided(tx, decided[0].facts.partner, keys, now) if keys else []


def restores(decided: Sequence[Decided], now: datetime) -> Iterator[str]:
    """The keys of the commands that may leave with their decisions: of services about which nobody else decided."""
    touched = Counter(supply.service_id for one in decided for supply in one.decision.supplies)
    for one in decided:
        for index, effect in enumerate(one.decision.effects):
            if effect.service_id is not None and touched[effect.service_id] == 1 and _may_leave(one, effect, now):
                yield one.key(index, effect)


def _may_leave(one: Decided, effect: EffectDraft, now: datetime) -> bool:
    """Whether release would let it go whatever the guards say, and no other command is under way."""
    if effect.kind != "supply" or effect.lane != "urgent" or effect.due_at > now or one.facts.partner.shadow:
        return False
    service = next((service for service in one.facts.services if service.id == effect.service_id), None)
    wanted = {supply.service_id: supply.generation for supply in one.decision.supplies}
    if service is None or service.in_flight or wanted.get(service.id) != effect.generation:
        return False
    step = one.number(effect.event) if effect.of_step else effect.step_number
    due = Due(0, effect.kind, effect.template, effect.part, step, service.id, effect.level, effect.generation)
    return gives_back(one.facts, due, service)
