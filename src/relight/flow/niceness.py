"""Bulk work goes gently: where cores are few, who waits for light goes before a night run's arithmetic.

The scheduler sees the server's processes and not ours behind them, so a session has to be made as nice as the process
that opened it. That can be done where the server runs on this machine and as a user of ours: with Relight's own it is
always so.

Linux may put each session of processes (setsid) into a group, where a process is nice to its own group only, so the
group is made nice as well (sched(7), "The autogroup feature"). The server makes each of its processes a session.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

NICENESS = 19  # the most: it still gets what nobody else wants
_TRIES, _TRY_AGAIN_SECONDS = 20, 0.11


def go_gently() -> None:
    """From now on this process gives way, and so do the sessions that it opens."""
    _make_nice(0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


def as_nice_as_we(connection: psycopg.Connection[TupleRow]) -> None:
    """Make the server's process behind a new session as nice as this one, where that can be done."""
    make_nice(connection, os.getpriority(os.PRIO_PROCESS, 0))


def make_nice(connection: psycopg.Connection[TupleRow], niceness: int) -> None:
    """Make the server's process behind a session so nice; 0 leaves it as it is."""
    backend = connection.info.backend_pid
    if niceness > 0 and connection.info.host.startswith("/") and _is_postgres(backend):
        with suppress(OSError):  # somebody else's server
            _make_nice(backend, niceness)


def _make_nice(pid: int, niceness: int) -> None:
    os.setpriority(os.PRIO_PROCESS, pid, niceness)
    if os.getsid(pid) == (pid or os.getpid()):  # else the group is others' too: a terminal's, say
        _make_group_nice(pid or os.getpid(), niceness)


def _make_group_nice(pid: int, niceness: int) -> None:
    """The kernel takes one such wish in a tenth of a second; without this feature there is no such file."""
    group = Path(f"/proc/{pid}/autogroup")
    for _ in range(_TRIES):
        try:
            group.write_text(str(niceness))
        except BlockingIOError:
            time.sleep(_TRY_AGAIN_SECONDS)
        except OSError:
            return
        else:
            return


def _is_postgres(pid: int) -> bool:
    """Whether that number is a server's process as we see it: from within a container it may be anybody's."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"postgres: ")
    except OSError:
        return False
