"""Claiming: who is due, with their accounts locked, and how far this worker has come."""

from datetime import UTC, datetime
from typing import Any

from relight.flow.database import Tx
from relight.flow.road.gather import SQL

Since = tuple[datetime, int]
"""A place in the order of due cases: when it is due, and its id."""

PATIENCE = {"urgent": 2, "bulk": 300}
"""For how many times as long as a search from the start took, no other is made. Where payments come fast many commit
out of turn, and each of them waits for that."""

PASSED_BY_SECONDS_MAX = {"urgent": 1.0, "bulk": 60.0}
"""And for how long at most."""

FROM_THE_START: Since = (datetime(1, 1, 1, tzinfo=UTC), 0)


class Claimer:
    """Claims due cases, of a partner's lane the longest waiting first.

    While anybody reads an old snapshot (a report, a backup), what was turned since stays in the index, before what is
    still due, and each batch would walk past all of it. So one goes on where the one before ended, once that is
    committed, and else where it began. Nobody is passed by for long: the search starts at the start when nothing is
    found, and else as often as that costs little beside the batches. Who was locked, or was woken by a transaction that
    took its time (a payment's, on a busy machine), lies before the others.
    """

    def __init__(self) -> None:
        self._since: dict[tuple[int | None, str], Since] = {}
        self._until: dict[tuple[int | None, str], Since] = {}
        self._starts_at: dict[tuple[int | None, str], float] = {}

    def since(self, partner_id: int | None, lane: str) -> Since:
        """Where this worker looks for due cases next."""
        return self._since.get((partner_id, lane), FROM_THE_START)

    def claim(self, tx: Tx, lane: str, now: datetime, limit: int) -> list[tuple[int, int]]:
        """At most so many due cases, with their accounts, which are locked until the transaction's end."""
        key = (tx.partner_id, lane)
        since = self._since.pop(key, FROM_THE_START)
        rows: list[tuple[Any, ...]] = []
        if since != FROM_THE_START and tx.seconds() < self._starts_at.get(key, 0.0):
            rows = tx.rows(*question(lane, now, limit, since))
        if not rows:
            rows = self._from_the_start(tx, lane, now, limit)
        if rows:
            self._since[key], self._until[key] = (rows[0][2], rows[0][0]), (rows[-1][2], rows[-1][0])
        return [(case_id, account_id) for case_id, account_id, _ in rows]

    def turned(self, partner_id: int, lane: str) -> None:
        """The batch that was claimed last is committed."""
        self._since[partner_id, lane] = self._until[partner_id, lane]

    def _from_the_start(self, tx: Tx, lane: str, now: datetime, limit: int) -> list[tuple[Any, ...]]:
        began = tx.seconds()
        rows = tx.rows(*question(lane, now, limit, FROM_THE_START))
        ended = tx.seconds()
        pause = min(PATIENCE[lane] * (ended - began), PASSED_BY_SECONDS_MAX[lane])
        self._starts_at[tx.partner_id, lane] = ended + pause
        return rows


def question(lane: str, now: datetime, limit: int, since: Since) -> tuple[str, dict[str, Any]]:
    """The statement that claims in a lane, and what it is asked with."""
    statement = SQL.claim_due_urgent if lane == "urgent" else SQL.claim_due_bulk
    return statement, {"now": now, "limit": limit, "since": since[0], "since_id": since[1]}
