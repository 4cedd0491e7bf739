"""Bulk work goes gently: where cores are few, who waits for light goes before a night run's arithmetic.

The scheduler sees the server's processes and not ours behind them, so a session has to be made as nice as the process
that opened it. That can be done where the server runs on this machine and as a user of ours: with Relight's own it is
always so.
"""

import os
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

NICENESS = 10


def go_gently() -> None:
    """From now on this process gives way, and so do the sessions that it opens."""
    os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


def as_nice_as_we(connection: psycopg.Connection[TupleRow]) -> None:
    """Make the server's process behind a new session as nice as this one, where that can be done."""
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    backend = connection.info.backend_pid
    if ours > 0 and connection.info.host.startswith("/") and _is_postgres(backend):
        with suppress(OSError):  # somebody else's server
            os.setpriority(os.PRIO_PROCESS, backend, ours)


def _is_postgres(pid: int) -> bool:
    """Whether that number is a server's process as we see it: from within a container it may be anybody's."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"postgres: ")
    except OSError:
        return False
