"""Sessions of the console that are over: nobody comes in by them any more, and Django leaves their rows where they are.

A session is nobody's but its user's, so no partner is set.
"""

from datetime import datetime

from relight.flow.database import Tx, statements

SQL = statements("relight.flow.partners", "sessions.sql")
BATCH = 500


def forget_sessions(tx: Tx, now: datetime) -> int:
    """Take away a batch of the sessions that have expired; how many they were."""
    return tx.run(SQL.forget, {"now": now, "most": BATCH})
