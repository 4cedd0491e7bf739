"""Room for cuts: no more leave in an hour and in a day than the partner allows.

A cut counts where it was last tried. One that is repeated within the hour has its place; later it needs another: those
that a driver put off while it was away would else leave all at once when it is back.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from relight.flow.database import Tx, statements
from relight.flow.road.gather import PartnerTurn

SQL = statements("relight.flow.effects", "release.sql")


class Room:
    """How many more cuts may leave in a batch, and which of its `repeated` commands have their place; looked up when
    the first cut wants to leave."""

    def __init__(self, tx: Tx, turn: PartnerTurn, repeated: Sequence[int], now: datetime):
        self.tx, self.turn, self.repeated, self.now = tx, turn, repeated, now
        self._left: int | None = None
        self._have_places: frozenset[int] = frozenset()
        self._new: list[int] = []
        self._again: list[int] = []

    def take(self, effect_id: int) -> bool:
        """Whether there is room for this cut too; then it has its place."""
        if self._left is None:
            self._left = self._look()
        if effect_id in self._have_places:
            self._again.append(effect_id)
            return True
        if self._left <= 0:
            return False
        self._left -= 1
        self._new.append(effect_id)
        return True

    def spend(self, started: Mapping[int, int]) -> None:
        """Put on record which cuts leave: effects and their attempts."""
        if attempts := [started[id_] for id_ in self._new if id_ in started]:
            self.tx.run(SQL.spend_cuts, {"attempts": attempts, "partner": self.turn.facts.id, "now": self.now})
        if self._again:
            self.tx.run(SQL.spend_again, {"effects": self._again, "now": self.now})

    def _look(self) -> int:
        self.tx.rows(SQL.lock_limits, {"partner": self.turn.facts.id})
        if self.repeated:
            lately = self.tx.rows(SQL.spent_lately, {"effects": list(self.repeated), "now": self.now})
            self._have_places = frozenset(row[0] for row in lately)
        hourly, daily = self.tx.row(SQL.cuts_spent, {"now": self.now}) or (0, 0)
        return min(self.turn.cuts_per_hour - hourly, self.turn.cuts_per_day - daily)
