"""Claiming: whose case is due, and which effects, with their accounts locked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from relight.flow.database import Tx, statements
from relight.flow.effects import rests
from relight.flow.road.gather import SQL
from relight.flow.road.searching import FROM_THE_START, PATIENCE, Found, Place, Search, Since

EFFECTS = statements("relight.flow.effects", "release.sql")
URGENT = ("supply", "handover", "message")  # what is urgent, in the order in which it leaves


class _Claimer:
    """A worker's searches, by partner and lane."""

    def __init__(self) -> None:
        self._searches: dict[tuple[int | None, str], Search] = {}

    def search(self, partner_id: int | None, lane: str) -> Search:
        """A lane's search, and how far it has come."""
        key = (partner_id, lane)
        if key not in self._searches:
            self._searches[key] = Search(PATIENCE[lane])
        return self._searches[key]

    def done(self, partner_id: int, lane: str) -> None:
        """The batch that was claimed last is committed."""
        self.search(partner_id, lane).done()


class Claimer(_Claimer):
    """Claims due cases, of a partner's lane the longest waiting first."""

    def claim(self, tx: Tx, lane: str, now: datetime, limit: int) -> list[tuple[int, int]]:
        """At most so many due cases, with their accounts, which are locked until the transaction's end."""

        def ask(since: Since) -> list[Found]:
            rows = tx.rows(*question(lane, now, limit, since("")))
            return [(id_, wakes_at, "", account_id) for id_, account_id, wakes_at in rows]

        return [(row[0], row[3]) for row in self.search(tx.partner_id, lane).find(tx, ask, now)]


class EffectClaimer(_Claimer):
    """Claims due effects, of each channel the longest waiting first."""

    def claim(
        self, tx: Tx, lane: str, now: datetime, limit: int, load: rests.Load, messages: int | None = None
    ) -> list[int]:
        """At most so many due effects for which their drivers have room beside `load`; their accounts are locked until
        the transaction's end. Of urgent ones whatever the drivers have to do, but of messages at most `messages`."""
        search = self.search(tx.partner_id, lane)
        if lane == "urgent":
            most = limit if messages is None else min(limit, messages)
            rooms = {kind: most if kind == "message" else limit for kind in URGENT if most or kind != "message"}
            found = search.find(tx, lambda since: tx.rows(*urgent_effects(rooms, now, limit, since)), now, [*rooms])
        else:
            room = rests.room(tx, load, now, limit=limit)
            found = search.find(tx, lambda since: tx.rows(*bulk_effects(room, now, limit, since)), now, room.queues)
        return [row[0] for row in found]


def question(lane: str, now: datetime, limit: int, since: Place) -> tuple[str, dict[str, Any]]:
    """The statement that claims cases in a lane, and what it is asked with."""
    statement = SQL.claim_due_urgent if lane == "urgent" else SQL.claim_due_bulk
    return statement, {"now": now, "limit": limit, "since": since[0], "since_id": since[1]}


def urgent_effects(rooms: Mapping[str, int], now: datetime, limit: int, since: Since) -> tuple[str, dict[str, Any]]:
    """The statement that claims urgent effects, so many of each kind at most, and what it is asked with."""
    places = [since(kind) for kind in rooms]
    begin = {"since": [at for at, _ in places], "since_ids": [id_ for _, id_ in places]}
    return EFFECTS.due_urgent, {"kinds": [*rooms], "rooms": [*rooms.values()], **begin, "now": now, "limit": limit}


def bulk_effects(room: rests.Room, now: datetime, limit: int, since: Since) -> tuple[str, dict[str, Any]]:
    """The statement that claims bulk effects, and what it is asked with."""
    places = [since(queue) for queue in room.queues if queue != rests.SUPPLY]
    is_queue = rests.SUPPLY in room.queues
    supply_since, supply_since_id = since(rests.SUPPLY) if is_queue else FROM_THE_START
    begin = {
        "since": [at for at, _ in places],
        "since_ids": [id_ for _, id_ in places],
        "supply_queue": rests.SUPPLY if is_queue else "",
        "supply_since": supply_since,
        "supply_since_id": supply_since_id,
    }
    return EFFECTS.due_bulk, {**room.params, **begin, "now": now, "limit": limit}
