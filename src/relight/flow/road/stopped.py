"""A process of ours that was stopped in the middle of a transaction lets go of what it has locked.

PostgreSQL ends a session that is idle in a transaction (`idle_in_transaction_session_timeout`), but waits without end
for the rest of statements that travel together. Whoever has paid must not wait until somebody wakes the process up.
"""

from datetime import timedelta

import structlog

from relight.flow.database import Database, statements
from relight.telemetry import metrics

log = structlog.get_logger(__name__)
SQL = statements(__package__, "stopped.sql")
STOPPED = timedelta(seconds=35)  # the server's own limit, which is 30, comes first where it counts


def end_stopped(db: Database, *, after: timedelta = STOPPED) -> int:
    """End the sessions of our role that stand still in a transaction and have said nothing for so long; how many. What
    they had begun is rolled back, as after a lost connection. Who only reads, and waits for no statement, may."""
    with db.transaction(None) as tx:
        ended = tx.rows(SQL.end_stopped, {"after": after})
    for name, seconds in ended:
        log.warning("stopped_session_ended", session=name, seconds=round(seconds))
        metrics.failed("stopped", name or "unnamed")
    return len(ended)
