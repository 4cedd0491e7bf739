"""The feed: positions are given after commit, by a sequencer a partner; readers pull by position and acknowledge.

Ordering by transaction id would deliver one case's second event first, and one long import would stall every feed
(tried): a writer only leaves an entry in `feed_pending` under the account's lock, and never waits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relight.flow.database import Database, Tx, statements

SQL = statements(__package__, "operations.sql")
BATCH = 1000  # entries that a reader gets at once
POSITIONS = 5000  # that a sequencer gives in one transaction


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a partner's feed."""

    position: int
    topic: str
    case_id: int | None
    event_number: int | None
    at: datetime
    body: dict[str, Any]
    actor: str | None
    account: str | None


def sequence(db: Database, partner_id: int, *, limit: int = POSITIONS) -> int:
    """Give positions to committed entries; how many. Does nothing while another sequencer is at it."""
    with db.transaction(partner_id) as tx:
        tx.run(SQL.head, {"partner": partner_id})
        head = tx.row(SQL.take_head, {"partner": partner_id})
        if head is None:
            return 0
        position, settled = head
        params = {"partner": partner_id, "position": position, "limit": limit}
        given = tx.value(SQL.sequence, {**params, "settled": settled}) - position
        if given or not settled:
            return given
        return tx.value(SQL.sequence, {**params, "settled": 0}) - position  # what a hand put there, or an older version


def read(tx: Tx, *, after: int, limit: int = BATCH) -> list[Entry]:
    """Entries after a position, in order; each reader sees each once by keeping the last position."""
    return [Entry(*row) for row in tx.rows(SQL.read, {"after": after, "limit": limit})]


def position_of(tx: Tx, name: str) -> int:
    """How far a named reader has acknowledged; a new one starts at the beginning."""
    return tx.value(SQL.reader, {"partner": tx.partner_id, "name": name})


def acknowledge(tx: Tx, name: str, position: int, now: datetime) -> None:
    """The reader has dealt with everything up to here."""
    tx.run(SQL.acknowledge, {"name": name, "position": position, "now": now})


def pull(db: Database, partner_id: int, name: str, now: datetime) -> Iterator[Entry]:
    """Everything a named reader has not acknowledged, acknowledged batch by batch as the caller takes it."""
    while True:
        with db.transaction(partner_id) as tx:
            entries = read(tx, after=position_of(tx, name))
        yield from entries
        if not entries:
            return
        with db.transaction(partner_id) as tx:
            acknowledge(tx, name, entries[-1].position, now)
