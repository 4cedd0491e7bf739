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
def group(pid):
    try:
        return int(open(f"/proc/{pid}/autogroup").read().split()[-1])
    except (OSError, IndexError):
        return None  # a kernel, or a host, without
if sys.argv[2] == "gently":
    go_gently()
with Database(sys.argv[1], size_max=1) as db, db.transaction(None) as tx:
    print(os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, tx.connection.info.backend_pid))
    print(group(os.getpid()), group(tx.connection.info.backend_pid))
"""


def niceness(db: Database, how: str) -> list[list[str]]:
    """Of a process with a session of its own, and of its process in the server: their own, and their groups'."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, db.conninfo, how],
        capture_output=True, text=True, check=True, timeout=60, start_new_session=True,
    )  # fmt: skip
    return [line.split() for line in done.stdout.splitlines()]


def test_a_gentle_process_has_gentle_sessions(db: Database) -> None:
    of_each, of_groups = niceness(db, "gently")

    assert of_each == [str(NICENESS)] * 2
    assert of_groups in ([str(NICENESS)] * 2, ["None"] * 2)


def test_others_sessions_are_as_they_were(db: Database) -> None:
    ours = os.getpriority(os.PRIO_PROCESS, 0)

    assert niceness(db, "as it is")[0] == [str(ours)] * 2
