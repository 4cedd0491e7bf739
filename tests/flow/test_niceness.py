"""A session is as nice as the process that opened it, so that a night run gives way inside the server too."""

import os
import subprocess
import sys

from relight.flow.database import Database
from relight.flow.niceness import NICENESS

_CHILD = """
import os, sys
from relight.flow.database import Database
from relight.flow.niceness import go_gently
if sys.argv[2] == "gently":
    go_gently()
with Database(sys.argv[1], size_max=1) as db, db.transaction(None) as tx:
    print(os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, tx.connection.info.backend_pid))
"""


def niceness(db: Database, how: str) -> list[int]:
    """Of a process of its own, and of its session's process in the server."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, db.conninfo, how], capture_output=True, text=True, check=True, timeout=60
    )
    return [int(word) for word in done.stdout.split()]


def test_a_gentle_process_has_gentle_sessions(db: Database) -> None:
    assert niceness(db, "gently") == [NICENESS, NICENESS]


def test_others_sessions_are_as_they_were(db: Database) -> None:
    ours = os.getpriority(os.PRIO_PROCESS, 0)

    assert niceness(db, "as it is") == [ours, ours]
