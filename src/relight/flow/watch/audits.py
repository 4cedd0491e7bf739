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
