"""Room for cuts: no more leave in an hour and in a day than the partner allows.

A cut counts where it was last tried. One that is repeated within the hour has its place; later it needs another: those
that a driver put off while it was away would else leave all at once when it is back.
"""

from collections.abc import Mapping
from datetime import datetime

from relight.flow.database import Tx, statements
from relight.flow.road.gather import PartnerTurn

SQL = statements("relight.flow.effects", "release.sql")


class Room:
    """How many more cuts may leave in a batch; looked up when the first one wants to."""

    def __init__(self, tx: Tx, turn: PartnerTurn, now: datetime):
        self.tx, self.turn, self.now = tx, turn, now
        self._left: int | None = None
        self._new: list[int] = []
        self._again: list[int] = []

    def take(self, effect_id: int, attempts: int) -> bool:
        """Whether there is room for this cut too, which was tried so often before; then it has its place."""
        if self._left is None:
            self._left = self._look()
        if attempts and self.tx.rows(SQL.spent_lately, {"effect": effect_id, "now": self.now}):
            self._again.append(effect_id)
            return True
        if self._left <= 0:
            return False
        self._left -= 1
        self._new.append(effect_id)
        return True

    def spend(self, started: Mapping[int, int]) -> None:
        """Put on record which cuts leave: effects and their attempts."""
        attempts = [started[id_] for id_ in self._new if id_ in started]
        if attempts:
            self.tx.run(SQL.spend_cuts, {"attempts": attempts, "partner": self.turn.facts.id, "now": self.now})
        if self._again:
            self.tx.run(SQL.spend_again, {"effects": self._again, "now": self.now})

    def _look(self) -> int:
        self.tx.rows(SQL.lock_limits, {"partner": self.turn.facts.id})
        hourly, daily = self.tx.row(SQL.cuts_spent, {"now": self.now}) or (0, 0)
        return min(self.turn.cuts_per_hour - hourly, self.turn.cuts_per_day - daily)
