"""Which partners have something due, of those that a worker serves: all, unless it was told which."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from relight.flow.database import Database
from relight.flow.road.searching import PATIENCE, Patience, Place

Only = Collection[int] | None

_ASK = """
    SELECT partner, due_at, due_id
    FROM due_partners(%(now)s, %(what)s, %(behind)s, %(partners)s::int[], %(places)s::timestamptz[], %(ids)s::bigint[])
"""
_ASK_ALL = """
    SELECT a.kind, d.partner FROM unnest(%(kinds)s::text[]) WITH ORDINALITY AS a (kind, place)
    CROSS JOIN LATERAL due_partners(%(now)s, a.kind) d ORDER BY a.place, d.partner
"""


@dataclass(slots=True)
class Known:
    """Before which places nothing is due, for as long as that is believed: of partners that had something, and
    otherwise `behind`. Nothing is known at first."""

    behind: datetime | None = None
    places: dict[int, Place] = field(default_factory=dict[int, Place])
    until: float = 0.0


class Lookout:
    """One worker's questions who has due work of a kind ("decide urgent", "release bulk", "lost", "feed"), among
    `only`. It goes on from where each partner had any, and asks from the start as often as that costs little
    (searching.py)."""

    def __init__(self, db: Database, only: Only = None):
        self.db, self.only = db, only
        self._known: dict[str, Known] = {}

    def partners(self, what: str, now: datetime) -> list[int]:
        """Partners with due work of a kind, by id."""
        patience = PATIENCE["urgent" if what.endswith("urgent") else "bulk"]
        with self.db.transaction(None) as tx:
            began = tx.seconds()
            known = self._known.get(what, Known())
            if anew := began >= known.until:
                known = Known()
            rows = tx.rows(*question(what, now, known, patience))
            if anew:
                known = self._known[what] = Known(now, until=patience.ends_at(began, tx.seconds()))
        known.places |= {partner_id: (at, id_) for partner_id, at, id_ in rows}
        return _kept(rows, self.only)


def due_work(db: Database, kinds: Sequence[str], now: datetime, only: Only = None) -> list[tuple[str, int]]:
    """(kind, partner) of all due work of these kinds, in their order, asked in one statement."""
    with db.transaction(None) as tx:
        rows = tx.rows(_ASK_ALL, {"now": now, "kinds": list(kinds)})
    return [(kind, partner_id) for kind, partner_id in rows if only is None or partner_id in only]


def due_partners(db: Database, what: str, now: datetime, only: Only = None) -> list[int]:
    """Partners with due work of a kind, looked for from the start."""
    return [partner_id for _, partner_id in due_work(db, (what,), now, only)]


def partners(db: Database, only: Only = None) -> list[int]:
    """Every partner, by id, among `only`."""
    with db.transaction(None) as tx:
        return _kept(tx.rows("SELECT id FROM partner ORDER BY id"), only)


def question(what: str, now: datetime, known: Known, patience: Patience) -> tuple[str, dict[str, Any]]:
    """The statement that asks who has due work of a kind, and what it is asked with."""
    places = [patience.earlier(place) for place in known.places.values()]
    behind = {
        "behind": known.behind - patience.late if known.behind else None,
        "partners": list(known.places),
        "places": [at for at, _ in places],
        "ids": [id_ for _, id_ in places],
    }
    return _ASK, {"now": now, "what": what, **behind}


def _kept(rows: Sequence[tuple[Any, ...]], only: Only) -> list[int]:
    return [row[0] for row in rows if only is None or row[0] in only]
