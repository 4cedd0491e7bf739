"""`relight bench feed`: positions a second, how far readers are behind, and what writers notice of it all.

Three parts on one database. Writers alone, so that nobody gives positions; then what waits gets its positions, beside
the owner's INSERT … SELECT of the same rows; then everything at once: the writers, two real workers of which one is
killed with -9 halfway, a transaction that wrote first and commits last, an old snapshot, a quick and a slow reader.
Each reader checks what it sees: each position once, and a case's events in order. See docs/benchmarks.md.
"""

import resource
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from bench import population
from bench.feed_readers import Reader, Watch
from bench.feed_writers import SLICE, SQL, Write, writers
from bench.figures import in_words, machine, percentiles
from bench.home import Home, private
from bench.population import CUSTOMERS, Plan, Shape
from bench.processes import running, wait_until
from relight.flow.database import Database, Tx
from relight.flow.feeds.operations import sequence

_WRITERS = 2
_CASES = 4_000
_FIRST = 1_000_000
_RAW_ROUNDS = 4
_WORKING = b"working"
_ASK_SECONDS = 5
_TABLES = (*CUSTOMERS, "claims", "lines", "transfers", "cases")

News = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ground:
    """One run's installation: the partner whose feed it is, and one for the owner's rows."""

    home: Home
    owner: psycopg.Connection
    db: Database
    partner: int
    other: int

    def head(self) -> tuple[int, int]:
        """The last position, and how many wait."""
        found = self.owner.execute(SQL.head, {"partner": self.partner}).fetchone()
        assert found is not None
        return found[0], found[1]


def run(*, events: int = 100_000, news: News = print) -> dict[str, Any]:
    """`events` of one partner, half of them before anybody gives positions; figures as docs/benchmarks.md has them."""
    half = max(SLICE * _WRITERS, events // 2)
    with ExitStack() as stack:
        ground = _furnish(stack)
        write = stack.enter_context(writers(ground.home.app_url, ground.partner, _FIRST, _CASES, _WRITERS))
        news(f"{half:,} events, and nobody gives positions …")
        alone = write(half)
        news("giving positions, and the owner's copy of the same rows …")
        given, giving, raw = _give_all(ground)
        news(f"{half:,} more, with workers, readers, old transactions and a kill …")
        beside, watch, readers = _all_at_once(ground, write, half)
        _check(ground, readers)
        per_second, raw_per_second = given / giving, given / raw
        return {
            "events": ground.head()[0],
            "events_per_second": round(per_second),
            "raw_events_per_second": round(raw_per_second),
            "ratio": round(per_second / raw_per_second, 3),
            "write_ms": {"alone": _spread(alone.spent), "beside": _spread(beside.spent)},
            "writers_seen_waiting": {"looks": watch.looks, "waiting": watch.waiting},
            "written_per_second": {"alone": alone.per_second, "beside": beside.per_second},
            "lag_ms": percentiles([lag * 1000 for lag in readers[0].lags]),
            "readers": {reader.name: reader.seen for reader in readers},
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "machine": machine(ground.owner),
        }


def in_text(result: Mapping[str, Any]) -> str:
    """The result for people."""
    waits, written = result["writers_seen_waiting"], result["written_per_second"]
    return "\n".join(
        (
            f"{result['events']:,} events; each reader saw each once, in order: "
            + ", ".join(f"{name} {seen:,}" for name, seen in result["readers"].items()),
            f"  positions {result['events_per_second']:>8,} a second",
            f"  raw copy  {result['raw_events_per_second']:>8,}",
            f"  ratio     {result['ratio']:>8.2f}",
            in_words(f"{SLICE} events written alone, ms", result["write_ms"]["alone"]),
            in_words("  with workers and readers, ms", result["write_ms"]["beside"]),
            f"  written a second: {written['alone']:,} alone, {written['beside']:,} beside;"
            f" writers waited for a lock at {waits['waiting']} of {waits['looks']} looks",
            in_words("quick reader behind the writer, ms", result["lag_ms"]),
            f"  at most {result['peak_mb']:.0f} MB with both readers",
        )
    )


def _furnish(stack: ExitStack) -> Ground:
    """An installation with sleeping cases: nothing is due, so workers have the feed alone to do."""
    home = stack.enter_context(private())
    owner = stack.enter_context(home.owner())
    found = owner.execute("SELECT clock_timestamp()").fetchone()
    assert found is not None
    now: datetime = found[0]
    partner, other = (population.make_partner(owner, slug, now, {}) for slug in ("nordlys", "copied"))
    db = stack.enter_context(home.database())
    policy = population.publish_policies(db, partner, now)["broadband"]
    with home.filling() as filling:
        plan = Plan(_FIRST, _CASES, (Shape(0, 4),), wakes_in=timedelta(days=5), tables=_TABLES)
        population.fill(filling, partner, policy, plan, now)
        population.settle_down(filling)
    return Ground(home, owner, db, partner, other)


def _give_all(ground: Ground) -> tuple[int, float, float]:
    """Positions for all that waits: how many, in how many seconds, and in how many the owner wrote the same rows. By
    turns, so that a noisy neighbour disturbs both."""
    begin, waiting = ground.head()
    giving = raw = 0.0
    for number in range(_RAW_ROUNDS):
        after = ground.head()[0]
        aim = begin + waiting * (number + 1) // _RAW_ROUNDS
        began = time.perf_counter()
        while ground.head()[0] < aim and sequence(ground.db, ground.partner):
            pass
        between = time.perf_counter()
        ground.owner.execute(SQL.raw, {"partner": ground.partner, "other": ground.other, "after": after})
        giving, raw = giving + between - began, raw + time.perf_counter() - between
    return ground.head()[0] - begin, giving, raw


def _all_at_once(ground: Ground, write: Callable[[int], Write], events: int) -> tuple[Write, Watch, Sequence[Reader]]:
    readers = (Reader(ground.db, ground.partner, "quick", at_once=1000, pause=0.02),
               Reader(ground.db, ground.partner, "slow", at_once=100, pause=0.1))  # fmt: skip
    readers[0].catch_up()  # else the first half's backlog would be told as a lag; the slow one reads it meanwhile
    with ThreadPoolExecutor(len(readers) + 1) as threads, ExitStack() as stack:
        ending = threading.Event()
        stack.callback(ending.set)
        log = stack.enter_context(running(ground.home, "worker", "--lane", "bulk"))
        wait_until(lambda: _WORKING in log.read_bytes(), "a worker at work")
        reading: list[Future[None]] = [threads.submit(reader.follow, ending) for reader in readers]
        with _old_transactions(ground), _killed_halfway(ground, events) as kill:
            dying = threads.submit(kill)
            watch = Watch(ground.home)
            with watch:
                written = write(events)
            dying.result()
        wait_until(lambda: ground.head()[1] == 0, "a position for each event", seconds=300)
        ending.set()
        for one in reading:
            one.result()
    for reader in readers:
        reader.catch_up()
    return written, watch, readers


@contextmanager
def _killed_halfway(ground: Ground, events: int) -> Iterator[Callable[[], None]]:
    """A second worker; the function kills it with -9 when half of these events have their positions."""
    log = ground.home.folder / "killed.log"
    aim = ground.head()[0] + events // 2
    with log.open("wb") as output:
        process = subprocess.Popen(
            ground.home.command("worker", "--lane", "bulk"),
            env=dict(ground.home.environment), stdout=output, stderr=output,
        )  # fmt: skip

    def kill() -> None:
        wait_until(lambda: ground.head()[0] >= aim, "half of the positions", seconds=300)
        process.kill()

    try:
        wait_until(lambda: _WORKING in log.read_bytes(), "the other worker at work")
        yield kill
    finally:
        process.kill()
        process.wait()


@contextmanager
def _old_transactions(ground: Ground) -> Iterator[None]:
    """One that wrote first and commits last, and one that only looks: an old snapshot, which keeps dead rows alive."""
    params = {"partner": ground.partner, "first": _FIRST + _CASES - 1, "last": _FIRST + _CASES - 1}
    with ground.home.owner() as snapshot, ground.db.transaction(ground.partner) as late:
        snapshot.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot.execute("SELECT count(*) FROM feed_pending")
        late.rows(SQL.lock, params)
        late.run(SQL.write, {**params, "now": ground.db.clock()})
        with _kept_busy(late), _kept_busy(Tx(snapshot, None)):
            yield


@contextmanager
def _kept_busy(tx: Tx) -> Iterator[None]:
    """A transaction that goes on: an idle one is ended by the server, as a stopped worker's is to be."""
    ending = threading.Event()

    def ask() -> None:
        while not ending.wait(_ASK_SECONDS):
            tx.value("SELECT 1")

    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(ask)
        try:
            yield
        finally:
            ending.set()
        asking.result()


def _check(ground: Ground, readers: Sequence[Reader]) -> None:
    """Raises RuntimeError unless each reader saw all there is, and there is all that was written."""
    found = ground.owner.execute(SQL.written, {"partner": ground.partner}).fetchone()
    assert found is not None
    for reader in readers:
        if reader.wrong or reader.seen != found[0]:
            raise RuntimeError(f"reader {reader.name} saw {reader.seen} of {found[0]} events: {reader.wrong[:5]}")


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    return percentiles([one * 1000 for one in seconds])
