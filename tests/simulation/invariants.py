"""What must hold, as a history goes: at every commit, whenever something leaves, and when everything is at rest."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from relight.flow.database import statements

if TYPE_CHECKING:
    from tests.simulation.connection import Watch
    from tests.simulation.outside import Outside

SQL = statements("tests.simulation", "invariants.sql")
_MAY_ALWAYS_LEAVE = frozenset({"payment_received", "restored", "press_button"})


class Violated(AssertionError):
    """Something did not hold. `code` is stable; the text says of what."""

    def __init__(self, code: str, what: str):
        super().__init__(f"{code}: {what}")
        self.code, self.what = code, what


class Invariants:
    """One history's, from its first commit."""

    def __init__(self, watch: "Watch", outside: "Outside"):
        self.watch, self.outside = watch, outside
        self._attempts = 0

    def at_commit(self, now: datetime) -> None:
        """Raises `Violated`."""
        self._raise(self.watch.rows(SQL.at_commit))
        for row in self.watch.rows(SQL.left, {"after": self._attempts, "now": now}):
            self._attempts = row[0]
            _may_leave(row)
        for ref, device, observed, _ in self.watch.rows(SQL.seen):
            level = self.outside.levels.get(device, "full")
            if observed != level and not self.outside.busy[device]:
                raise Violated("wrongly_believed", f"{ref} is {level}, and is believed to be {observed}")

    def at_rest(self, now: datetime) -> None:
        """Raises `Violated`."""
        self._raise(self.watch.rows(SQL.at_rest, {"now": now}))

    @staticmethod
    def _raise(rows: list[tuple[Any, ...]]) -> None:
        if rows:
            raise Violated(rows[0][0], rows[0][1])


def _may_leave(row: tuple[Any, ...]) -> None:
    attempt, effect, kind, template, level, lane, account, stopped, held, coming, in_danger, planned, owed = row
    what = f"attempt {attempt} of effect {effect} ({template or level}) for account {account}"
    if kind == "message":
        if stopped and template not in _MAY_ALWAYS_LEAVE:
            raise Violated("left_although_stopped", what)
        return
    if kind != "supply" or lane == "urgent" or level == "full":
        return
    for code, is_so in (("cut_while_stopped", stopped), ("cut_while_held", held), ("cut_while_paying", coming),
                        ("cut_while_in_danger", in_danger), ("cut_while_planned", planned),
                        ("cut_while_paid", owed <= 0)):  # fmt: skip
        if is_so:
            raise Violated(code, what)
