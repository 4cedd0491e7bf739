"""Who writes events in `relight bench feed`: processes of their own, each with its own cases and its own connection."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from relight.flow.database import Database, statements
from relight.flow.niceness import go_gently

SQL = statements("bench", "feed.sql")
SLICE = 100  # events of one transaction, each on a case of its own


@dataclass(frozen=True, slots=True)
class Write:
    """What writing took: the seconds of each transaction, and events a second of all writers together."""

    spent: Sequence[float]
    per_second: int


@dataclass(frozen=True, slots=True)
class _Part:
    """One writer's share: its cases, and how many slices of them to write to, round and round."""

    partner: int
    first: int
    cases: int
    slices: int


@contextmanager
def writers(
    app_url: str, partner: int, first: int, cases: int, processes: int, *, gently: bool = False
) -> Iterator[Callable[[int], Write]]:
    """Processes that write so many events together; the last slice of all cases is nobody's. `gently`: as a bulk worker
    does, whose events most are."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    share = (cases - SLICE) // processes // SLICE * SLICE
    with context.Pool(processes, _open, (app_url, barrier, gently)) as pool:

        def write(events: int) -> Write:
            slices = -(-events // processes // SLICE)
            parts = [_Part(partner, first + at * share, share, slices) for at in range(processes)]
            began = time.perf_counter()
            spent = [one for each in pool.map(_write, parts, chunksize=1) for one in each]
            return Write(spent, round(len(spent) * SLICE / (time.perf_counter() - began)))

        yield write


_db: Database
_barrier: Any


def _open(app_url: str, barrier: Any, gently: bool) -> None:
    """In a writer's process: its own connection, as the role that runs in production."""
    global _db, _barrier
    if gently:
        go_gently()
    _db, _barrier = Database(app_url, size_max=1, name="relight-bench-writer").open(), barrier


def _write(part: _Part) -> list[float]:
    """In a writer's process: the seconds of each of its transactions."""
    _barrier.wait()
    return [_slice(part, part.first + number * SLICE % part.cases) for number in range(part.slices)]


def _slice(part: _Part, first: int) -> float:
    now = _db.clock()
    params = {"partner": part.partner, "first": first, "last": first + SLICE - 1, "now": now}
    began = time.perf_counter()
    with _db.transaction(part.partner) as tx:
        tx.rows(SQL.lock, params)
        tx.run(SQL.write, params)
    return time.perf_counter() - began
