"""Claiming: who is due, with their accounts locked, and how far this worker has come."""

from datetime import UTC, datetime

from relight.flow.database import Tx
from relight.flow.road.gather import SQL

FROM_THE_START = datetime(1, 1, 1, tzinfo=UTC)


class Claimer:
    """Claims due cases, of a partner's lane the longest waiting first.

    While anybody reads an old snapshot (a report, a backup), what was turned since stays in the index, before what is
    still due, and each batch would walk past all of it. So one goes on where the one before began. Nobody is passed
    by for good: who is woken is due from that moment, and when nothing is found the search starts at the start.
    """

    def __init__(self) -> None:
        self._since: dict[tuple[int | None, str], datetime] = {}

    def since(self, partner_id: int | None, lane: str) -> datetime:
        """From when on this worker looks for due cases next."""
        return self._since.get((partner_id, lane), FROM_THE_START)

    def claim(self, tx: Tx, lane: str, now: datetime, limit: int) -> list[tuple[int, int]]:
        """At most so many due cases, with their accounts, which are locked until the transaction's end."""
        statement = SQL.claim_due_urgent if lane == "urgent" else SQL.claim_due_bulk
        since = self._since.pop((tx.partner_id, lane), FROM_THE_START)
        rows = tx.rows(statement, {"now": now, "limit": limit, "since": since})
        if not rows and since != FROM_THE_START:
            rows = tx.rows(statement, {"now": now, "limit": limit, "since": FROM_THE_START})
        if rows:
            self._since[tx.partner_id, lane] = rows[0][2]
        return [(case_id, account_id) for case_id, account_id, _ in rows]
