"""Searching for due work, again and again: where to begin.

While anybody reads an old snapshot (a report, a dump), what was done since stays in the index, before what is still
due, and each search would walk past all of it. So a search goes on where the one before ended, and begins at the start
as often as that costs little.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from relight.flow.database import Tx

Place = tuple[datetime, int]
"""A place in the order of due work: when it is due, and its id."""

FROM_THE_START: Place = (datetime(1, 1, 1, tzinfo=UTC), 0)

Found = tuple[Any, ...]
"""A row of due work: its id, when it is due, the queue that it stands in, and whatever else was asked for."""

Since = Callable[[str], Place]
"""At which place a queue begins."""

Ask = Callable[[Since], list[Found]]
"""Asks for what is due, in order."""


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long nobody searches from the start: so many times as long as that took, so many seconds at most. What
    fell due `late` before what was found already, and was committed after it, is found meanwhile too."""

    times: float
    seconds_max: float
    late: timedelta = timedelta(0)

    def ends_at(self, began: float, ended: float) -> float:
        """When the next search from the start is made, after one that took from `began` to `ended` (seconds)."""
        return ended + min(self.times * (ended - began), self.seconds_max)

    def earlier(self, place: Place) -> Place:
        """Where a search goes on that has come to this place."""
        return place if place == FROM_THE_START else (place[0] - self.late, place[1])


PATIENCE: Mapping[str, Patience] = {
    "urgent": Patience(10, 2.0, timedelta(seconds=2)),
    "bulk": Patience(300, 60.0),
}


class Search:
    """One worker's search in one lane of a partner, whose queues have each a place of their own: one may have to wait
    while others move.

    It goes on behind the last batch once that is committed, and else where that batch began. Who was locked, or was
    woken by a transaction that took its time (a payment's, on a busy machine), lies before the others. Nobody is passed
    by for long: it begins at the start when nothing is found, and else when patience ends.
    """

    def __init__(self, patience: Patience):
        self.patience = patience
        self._since: dict[str, Place] = {}
        self._until: dict[str, Place] = {}
        self._starts_at: dict[str, float] = {}

    def since(self, queue: str = "") -> Place:
        """Where this worker looks next."""
        return self.patience.earlier(self._since.get(queue, FROM_THE_START))

    def find(self, tx: Tx, ask: Ask, now: datetime, queues: Sequence[str] = ("",)) -> list[Found]:
        """What is due by now in these queues, as much as `ask` asks for."""
        began = tx.seconds()
        anew = {one for one in queues if one not in self._since or began >= self._starts_at.get(one, 0.0)}
        rows = self._ask(tx, ask, now, anew)
        if not rows and len(anew) < len(queues):
            rows = self._ask(tx, ask, now, set(queues))
        self._until = {row[2]: (row[1], row[0]) for row in rows}
        self._since |= {row[2]: (row[1], row[0]) for row in reversed(rows)}
        return rows

    def done(self) -> None:
        """What was found last is done, and that is committed."""
        self._since |= self._until

    def _ask(self, tx: Tx, ask: Ask, now: datetime, anew: set[str]) -> list[Found]:
        """Ask, some queues from the start; of these an empty one is known to have nothing, unless all are empty."""
        for one in anew:
            self._since.pop(one, None)
        began = tx.seconds()
        rows = ask(self.since)
        ends_at = self.patience.ends_at(began, tx.seconds())
        self._starts_at |= dict.fromkeys(anew, ends_at)
        if rows:
            self._since |= dict.fromkeys(anew, (now, 0))
        return rows
