"""Processor time, which neighbours disturb less than the clock: of this process, and of its session in PostgreSQL."""

import time
from pathlib import Path
from typing import NamedTuple

from relight.flow.database import Database


class Spent(NamedTuple):
    """Seconds by the clock, and of processor time. `postgres` is 0 where the server's processes cannot be seen."""

    seconds: float
    python: float
    postgres: float

    def since(self, before: "Spent") -> "Spent":
        """What was spent between two looks."""
        return Spent(*(now - then for now, then in zip(self, before, strict=True)))

    def beside(self, other: "Spent") -> "Spent":
        """Together with what another process spent at the same time: the clock counts the slowest."""
        return Spent(max(self.seconds, other.seconds), self.python + other.python, self.postgres + other.postgres)

    def then(self, other: "Spent") -> "Spent":
        """Together with what was spent afterwards."""
        return Spent(*(first + second for first, second in zip(self, other, strict=True)))


NOTHING = Spent(0.0, 0.0, 0.0)


def look(db: Database) -> Spent:
    """So far; the pool is to hold one connection, so that its session is this process's only one."""
    with db.transaction(None) as tx:
        session = Path("/proc", str(tx.connection.info.backend_pid))
    return Spent(time.perf_counter(), time.process_time(), _of(session))


def _of(process: Path) -> float:
    try:
        if not (process / "comm").read_text("utf-8").startswith("postgres"):
            return 0.0
        return int((process / "schedstat").read_text("utf-8").split()[0]) / 1e9
    except OSError:
        return 0.0
