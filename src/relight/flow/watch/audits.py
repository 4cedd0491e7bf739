"""What an audit came to, kept for the alarms: how many violations of which invariant, and none of what it read."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from psycopg.types.json import Jsonb

from relight.flow.database import Tx, statements

SQL = statements(__package__, "audits.sql")


def note(tx: Tx, violated: Iterable[str], now: datetime, *, is_full: bool) -> None:
    """Keep an audit of the transaction's partner: the invariant of each violation, such as "I3"."""
    counted = Counter(violated)
    given = {"violations": counted.total(), "by_invariant": Jsonb(dict(counted)), "is_full": is_full}
    tx.run(SQL.note, {"partner": tx.partner_id, "now": now, **given})


def begin(tx: Tx, now: datetime) -> tuple[str, bool] | None:
    """The transaction's partner, and whether everything is to be looked at, where its nightly audit is due and nobody
    else makes it; as long as the transaction lasts, nobody else will."""
    if not tx.value(SQL.begin, {"partner": tx.partner_id}):
        return None
    found = tx.row(SQL.due, {"partner": tx.partner_id, "now": now})
    if found is None:
        return None
    tx.run(SQL.hold)
    return found[0], found[1]
