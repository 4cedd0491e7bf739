"""`relight bench decide`: case steps a second, and the bare loop's, in turns on the same database.

Each round has two partners with the same portfolio: one is decided by the product, one is written by the bare loop
(`bench/bare.py`), by the same processes, one after the other, so that a noisy neighbour disturbs both. A counted step
is a case that was moved or deferred: at the end every case is checked for it, and the rows of both sides are counted
and weighed against each other.
"""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial, reduce
from typing import Any

import psycopg

from bench import asleep, bare, finding, opening, population
from bench.figures import machine
from bench.home import Home, private
from bench.population import NIGHT, Plan
from bench.processor import NOTHING, Spent, look
from relight.cli import compiled
from relight.flow.database import Database, statements
from relight.flow.road import heap
from relight.flow.road.claiming import Claimer
from relight.flow.road.turn import BATCH, Turner

SQL = statements("bench", "decide.sql")
# A Tuesday at ten in Oslo: messages may go and windows are open.
NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
# All due at one moment and so in the order of their ids, side by side in every table; or in no order.
_TOGETHER, _SHUFFLED = timedelta(0), timedelta(seconds=1)
_ROUNDS = 4
_FIRST = 1_000_000
_WARM_UP_CASES = 800
_IDLE_TURNS = 2  # a batch that another worker has just turned is no sign that nothing is left
_MISMATCH_MAX = 0.01
_SIDES = {"decided": False, "bare": True}

News = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Side:
    """One partner of one round: its cases, and who turns them: the product or the bare loop."""

    partner: int
    policy: int
    first: int
    cases: int
    is_bare: bool


def run(
    *,
    cases: int = 40_000,
    processes: int = 2,
    sleeping: int = 0,
    beside: int = 0,
    plain: bool = False,
    shuffled: bool = False,
    news: News = print,
) -> dict[str, Any]:
    """Decide `cases` cases, and as many in the bare loop; the contract's JSON (DESIGN § 9) and more. With `sleeping`,
    also what finding due work costs beside so many cases that are not due. `plain`: without the compiled core;
    `shuffled`: cases fall due in no order, so that neighbours' rows lie apart. `beside`: so many whole accounts that
    sleep belong to the same partners."""
    with private() as home, home.owner() as owner:
        news(f"filling in {2 * cases:,} cases …")
        (warm_up, *rounds), sleepers = _populate(home, owner, cases, _SHUFFLED if shuffled else _TOGETHER, beside, news)
        spent = {True: NOTHING, False: NOTHING}
        with _workers(home, processes, plain=plain) as (measure, core):
            for side in warm_up:
                measure(side)
            for number, sides in enumerate(rounds):
                for side in sides if number % 2 else reversed(sides):
                    spent[side.is_bare] = spent[side.is_bare].then(measure(side))
                news(f"round {number + 1} of {len(rounds)} …")
        decided, bare_loop = (_written(owner, rounds, is_bare=is_bare) for is_bare in (False, True))
        _compare(decided, bare_loop, cases)
        if sleeping:
            news(f"finding due work beside {sleeping:,} who sleep …")
        return {
            "cases": cases,
            "steps_per_second": round(cases / spent[False].seconds),
            "raw_steps_per_second": round(cases / spent[True].seconds),
            "ratio": round(spent[True].seconds / spent[False].seconds, 3),
            "processor_us": {name: _each(spent[is_bare], cases) for name, is_bare in _SIDES.items()},
            "processes": processes,
            "core": core,
            "order": "shuffled" if shuffled else "calendar",
            "batch": BATCH["bulk"],
            **decided,
            "raw_bytes": bare_loop["bytes"],
            **({"asleep": sleepers} if sleepers else {}),
            **({"finding": finding.run(home, owner, sleeping, NOW)} if sleeping else {}),
            "machine": machine(owner),
        }


def in_text(result: Mapping[str, Any]) -> str:
    """The result for people."""
    found = result.get("finding")
    return (
        f"{result['cases']:,} cases: {result['moved']:,} moved, {result['deferred']:,} deferred,"
        f" by {result['processes']} processes ({result['core']} core).\n"
        f"  decided   {result['steps_per_second']:>8,} steps a second\n"
        f"  bare loop {result['raw_steps_per_second']:>8,}\n"
        f"  ratio     {result['ratio']:>8.2f}\n"
        f"  processor time a case: {_processor(result, 'decided')}; bare {_processor(result, 'bare')}"
        f"{asleep.in_text(result)}"
    ) + (f"\n{_finding_in_text(found)}" if found else "")


def _processor(result: Mapping[str, Any], side: str) -> str:
    return "{python} µs of Python, {postgres} of PostgreSQL".format(**result["processor_us"][side])


def _finding_in_text(found: Mapping[str, Any]) -> str:
    few, many = finding.few_of(found["sizes"]), found["sizes"][-1]
    names = {"which_partners": "which partners", "first_batch": "first batch",
             "last_batch_under_old_snapshot": "last batch, old snapshot",
             "the_same_from_the_start": "the same, from the start"}  # fmt: skip
    rows = [
        f"  {words:<26} {few[name]['pages']:>6,} {many[name]['pages']:>6,} pages"
        f" {few[name]['ms']:>8.2f} {many[name]['ms']:>8.2f} ms"
        for name, words in names.items()
    ]
    turning = f"  processor time to turn one: {few['turn_us']:.0f} and {many['turn_us']:.0f} µs"
    return "\n".join([f"Finding due work, {few['sleeping']:,} and {many['sleeping']:,} asleep:", *rows, turning])


def _populate(
    home: Home, owner: psycopg.Connection, cases: int, spread: timedelta, beside: int, news: News
) -> tuple[list[list[Side]], dict[str, Any]]:
    """A warm-up and the rounds: each a product's side and a bare side, alike. And who sleeps beside them."""
    rounds: list[list[Side]] = []
    first = _FIRST
    sizes = [_WARM_UP_CASES, *_shares(cases, _ROUNDS)]
    with home.database() as db, home.filling() as filling:
        for number, size in enumerate(sizes):
            sides = []
            for name, is_bare in _SIDES.items():
                partner = population.make_partner(owner, f"{name}-{number}", NOW, {})
                policy = population.publish_policies(db, partner, NOW)["broadband"]
                population.fill(filling, partner, policy, Plan(first, size, NIGHT, spread=spread), NOW)
                sides.append(Side(partner, policy, first, size, is_bare))
                first += -(-size // len(NIGHT)) * len(NIGHT)  # each side begins with the first shape
            rounds.append(sides)
        policies = {side.partner: side.policy for sides in rounds for side in sides}
        sleepers = asleep.fill(filling, policies, beside, NOW, news)
        population.settle_down(filling)
    return rounds, sleepers


def _shares(whole: int, parts: int) -> list[int]:
    shares = [whole // parts + (at < whole % parts) for at in range(parts)]
    return [share for share in shares if share]


@contextmanager
def _workers(home: Home, processes: int, *, plain: bool) -> Iterator[tuple[Callable[[Side], Spent], compiled.Core]]:
    """Processes that turn one side together; the function gives what they spent. And which core they took."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    begin = opening.with_core(__name__, _open.__name__, home.app_url, barrier, plain=plain)
    with context.Pool(processes, begin) as pool:

        def measure(side: Side) -> Spent:
            ended = pool.map(_drain, [side] * processes, chunksize=1)
            done = sum(count for count, _ in ended)
            if done != side.cases:
                raise RuntimeError(f"{done} of {side.cases} cases were turned")
            return reduce(Spent.beside, [spent for _, spent in ended])

        yield measure, pool.apply(compiled.running)


_db: Database
_barrier: Any


def _open(app_url: str, barrier: Any) -> None:
    """In a worker process: its own connection, as the role that runs in production."""
    global _db, _barrier
    _db, _barrier = Database(app_url, size_max=1, name="relight-bench").open(), barrier
    heap.settle()  # as in a worker's process


def _drain(side: Side) -> tuple[int, Spent]:
    """In a worker process: turn what is due until nothing is left for it; how many, and what it spent."""
    turn = _bare_turn(side) if side.is_bare else _product_turn(side)
    _barrier.wait()  # all at once, and none takes two turns at this
    before = look(_db)
    done = idle = 0
    while idle < _IDLE_TURNS:
        count = turn()
        done, idle = done + count, 0 if count else idle + 1
    return done, look(_db).since(before)


def _product_turn(side: Side) -> Callable[[], int]:
    turner = Turner(_db)
    with _db.transaction(side.partner) as tx:
        turner.shelf.get(tx, side.policy)  # compiled once a process, not once a run
    return partial(turner.turn, side.partner, "bulk", NOW)


def _bare_turn(side: Side) -> Callable[[], int]:
    specimens = range(side.first, side.first + min(side.cases, len(NIGHT)))
    template = bare.note(_db, side.partner, specimens, NOW, shapes=len(NIGHT))
    return partial(bare.turn, _db, Claimer(), template, side.partner, NOW)


def _each(spent: Spent, cases: int) -> dict[str, int]:
    """Microseconds of processor time a case."""
    return {"python": round(spent.python / cases * 1e6), "postgres": round(spent.postgres / cases * 1e6)}


def _written(owner: psycopg.Connection, rounds: list[list[Side]], *, is_bare: bool) -> dict[str, int]:
    """What a side's turns left behind, over all rounds."""
    partners = [side.partner for sides in rounds for side in sides if side.is_bare is is_bare]
    found = owner.execute(SQL.written, {"partners": partners, "now": NOW, "below": asleep.FIRST}).fetchone()
    assert found is not None
    names = ("moved", "deferred", "left", "events", "steps", "effects", "bytes")
    return dict(zip(names, found, strict=True))


def _compare(decided: Mapping[str, int], bare_loop: Mapping[str, int], cases: int) -> None:
    """Every case was moved or deferred, and both sides wrote as many rows of the same weight. Raises RuntimeError."""
    if decided["left"] or decided["moved"] + decided["deferred"] != cases:
        raise RuntimeError(f"not every case was moved or deferred: {dict(decided)}")
    for name in decided:
        if abs(decided[name] - bare_loop[name]) > _MISMATCH_MAX * decided[name]:
            raise RuntimeError(f"the bare loop wrote other rows: {dict(bare_loop)} beside {dict(decided)}")
