"""One look at everything: each process's memory and files, how old each queue is, and how much is dead in tables."""

from pathlib import Path
from typing import Any

from bench.home import Home
from relight.flow.database import statements

SQL = statements("tests.soak", "samples.sql")
Sample = dict[str, Any]


def sample(home: Home, partner: int, processes: dict[str, list[int]], at: float) -> Sample:
    """`at` in seconds; `memory_mb` and `files` by kind of process, `queue_seconds` by queue, `dead_rows` and `table_mb`
    in all, and the worst table's share of dead rows."""
    with home.owner() as owner:
        queues = {name: float(age) for name, age in owner.execute(SQL.queues, {"partner": partner}).fetchall()}
        dead, live, megabytes = owner.execute(SQL.tables).fetchone() or (0, 0, 0)
        behind = (owner.execute(SQL.behind, {"partner": partner}).fetchone() or (0,))[0]
    return {
        "at": at,
        "memory_mb": {name: round(sum(map(_memory_kb, ids)) / 1024, 1) for name, ids in sorted(processes.items())},
        "files": {name: sum(map(_files, ids)) for name, ids in sorted(processes.items())},
        "queue_seconds": queues,
        "feed_behind": int(behind),
        "dead_rows": int(dead),
        "live_rows": int(live),
        "table_mb": round(float(megabytes), 1),
    }


def _memory_kb(process: int) -> int:
    """What is its own: shared buffers and libraries would count once for each process."""
    try:
        lines = Path(f"/proc/{process}/status").read_text("utf-8").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def _files(process: int) -> int:
    try:
        return sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())
    except OSError:
        return 0
