"""Claiming: who is due, with their accounts locked, and how far this worker has come."""

from datetime import UTC, datetime
from typing import Any

from relight.flow.database import Tx
from relight.flow.road.gather import SQL

Since = tuple[datetime, int]
"""A place in the order of due cases: when it is due, and its id."""

GOES_ON = {"urgent": 1, "bulk": 16}
"""How many batches in a row may begin where the one before began."""

FROM_THE_START: Since = (datetime(1, 1, 1, tzinfo=UTC), 0)


class Claimer:
    """Claims due cases, of a partner's lane the longest waiting first.

    While anybody reads an old snapshot (a report, a backup), what was turned since stays in the index, before what is
    still due, and each batch would walk past all of it. So one goes on where the one before began. Nobody is passed
    by for long: when nothing is found, and after a few batches in any case, the search starts at the start. Who was
    locked, or was woken by a transaction that took its time (a payment's, on a busy machine), lies before the others.
    """

    def __init__(self) -> None:
        self._since: dict[tuple[int | None, str], Since] = {}
        self._went_on: dict[tuple[int | None, str], int] = {}

    def since(self, partner_id: int | None, lane: str) -> Since:
        """Where this worker looks for due cases next."""
        return self._since.get((partner_id, lane), FROM_THE_START)

    def claim(self, tx: Tx, lane: str, now: datetime, limit: int) -> list[tuple[int, int]]:
        """At most so many due cases, with their accounts, which are locked until the transaction's end."""
        key = (tx.partner_id, lane)
        since = self._since.pop(key, FROM_THE_START)
        if self._went_on.get(key, 0) >= GOES_ON[lane]:
            since = FROM_THE_START
        self._went_on[key] = 0 if since == FROM_THE_START else self._went_on.get(key, 0) + 1
        rows = tx.rows(*question(lane, now, limit, since))
        if not rows and since != FROM_THE_START:
            rows = tx.rows(*question(lane, now, limit, FROM_THE_START))
        if rows:
            self._since[key] = (rows[0][2], rows[0][0])
        return [(case_id, account_id) for case_id, account_id, _ in rows]


def question(lane: str, now: datetime, limit: int, since: Since) -> tuple[str, dict[str, Any]]:
    """The statement that claims in a lane, and what it is asked with."""
    statement = SQL.claim_due_urgent if lane == "urgent" else SQL.claim_due_bulk
    return statement, {"now": now, "limit": limit, "since": since[0], "since_id": since[1]}
