"""Which partners have something due, of those that a worker serves: all, unless it was told which."""

from collections.abc import Collection, Sequence
from datetime import datetime

from relight.flow.database import Database

Only = Collection[int] | None


def due_partners(db: Database, what: str, now: datetime, only: Only = None) -> list[int]:
    """Partners with due work of a kind ("decide urgent", "release bulk", "lost", "feed"), among `only`."""
    with db.transaction(None) as tx:
        return _kept(tx.rows("SELECT due_partners(%(now)s, %(what)s)", {"now": now, "what": what}), only)


def due_work(db: Database, kinds: Sequence[str], now: datetime, only: Only = None) -> list[tuple[str, int]]:
    """(kind, partner) of all due work of these kinds, in their order, asked in one statement."""
    with db.transaction(None) as tx:
        rows = tx.rows(
            "SELECT kind, due_partners(%(now)s, kind)"
            " FROM unnest(%(kinds)s::text[]) WITH ORDINALITY AS asked(kind, place)"
            " ORDER BY place",
            {"now": now, "kinds": list(kinds)},
        )
    return [(kind, partner_id) for kind, partner_id in rows if only is None or partner_id in only]


def partners(db: Database, only: Only = None) -> list[int]:
    """Every partner, by id, among `only`."""
    with db.transaction(None) as tx:
        return _kept(tx.rows("SELECT id FROM partner ORDER BY id"), only)


def _kept(rows: list[tuple[int, ...]], only: Only) -> list[int]:
    return [row[0] for row in rows if only is None or row[0] in only]
