"""What finding due work costs when a snapshot has been read for an hour: `python -m bench.snapshot --minutes 60`.

A report or a backup keeps everything that was turned meanwhile in the indices. Cases fall due and are turned at a
steady pace while the snapshot is held. Then a night run of forty batches is turned under it, and another one when it
was let go and the dead rows were cleared away; the time of each search for a batch is told, searches from the start
included. Pages do not depend on the neighbours.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import psycopg

from bench import population
from bench.decide import NOW
from bench.figures import machine
from bench.finding import claim, explained, old_snapshot, put_to_sleep, sleepers
from bench.home import private
from bench.population import NIGHT, Plan
from relight.flow.database import Database, Tx
from relight.flow.niceness import make_nice
from relight.flow.road.claiming import FROM_THE_START, Claimer
from relight.flow.road.turn import BATCH, Turner

_FIRST = 10_000_000
_NIGHT_BATCHES = 40
_EVERY_SECONDS = 10.0
_PARTNERS = 37


class _Timed(Claimer):
    """Keeps how long each search took, in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.took: list[float] = []

    def claim(self, tx: Tx, lane: str, now: Any, limit: int) -> list[tuple[int, int]]:
        """As always."""
        began = time.perf_counter()
        found = super().claim(tx, lane, now, limit)
        self.took.append((time.perf_counter() - began) * 1000)
        return found


class _Night:
    """Cases that fall due by the thousand, and the worker that turns them."""

    def __init__(self, db: Database, filling: psycopg.Connection, partner: int, policy: int):
        self.db, self.filling, self.partner, self.policy = db, filling, partner, policy
        self.next = _FIRST
        self.turner = Turner(db)
        self.turner.claimer = self.claimer = _Timed()
        self.turned = 0

    def fall_due(self, count: int) -> None:
        """So many cases more; all since the same moment, as in the morning of a due date."""
        population.fill(self.filling, self.partner, self.policy, Plan(self.next, count, NIGHT), NOW)
        self.next += count

    def turn(self, batches: int | None = None) -> None:
        """Turn all that is due, or so many batches of it."""
        while (batches is None or batches > 0) and (done := self.turner.turn(self.partner, "bulk", NOW)):
            self.turned += done
            batches = None if batches is None else batches - 1

    def measured(self) -> dict[str, Any]:
        """One more night: what its searches cost, its first batches left out."""
        self.fall_due((_NIGHT_BATCHES + 4) * BATCH["bulk"])
        self.turn(2)
        before, began = len(self.claimer.took), time.perf_counter()
        self.turn(_NIGHT_BATCHES)
        seconds, took = time.perf_counter() - began, self.claimer.took[before:]
        with self.db.transaction(None) as tx:
            partners = explained(tx, "SELECT due_partners(%(now)s, 'decide bulk')", {"now": NOW})
        with self.db.transaction(self.partner) as tx:
            going_on = claim(tx, NOW, self.claimer.since(self.partner, "bulk"))
            from_the_start = claim(tx, NOW, FROM_THE_START)
        self.turn()
        return {
            "searches": len(took),
            "search_ms": {"mean": round(mean(took), 2), "max": round(max(took), 2)},
            "share_of_turns": round(sum(took) / seconds / 1000, 4),
            "which_partners": partners,
            "going_on": going_on,
            "from_the_start": from_the_start,
        }


def main() -> int:
    """Fill in, hold the snapshot, turn, measure."""
    asked = argparse.ArgumentParser(prog="python -m bench.snapshot", description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--each-second", type=int, default=50, help="Cases that fall due while the snapshot is held.")
    asked.add_argument("--sleeping", type=int, default=100_000)
    asked.add_argument("--out", type=Path, metavar="FILE")
    given = asked.parse_args()
    with private() as home, home.owner() as owner, home.filling() as filling:
        make_nice(filling, os.getpriority(os.PRIO_PROCESS, 0))
        with Database(home.app_url, size_max=1, name="relight-bench").open() as db:
            policies = sleepers(owner, db, _PARTNERS, NOW)
            put_to_sleep(filling, policies, 0, given.sleeping, NOW)
            ours = next(iter(policies))
            night = _Night(db, filling, ours, policies[ours])
            night.measured()  # warm
            with old_snapshot(home):
                held, turned = _hold(night, given.minutes, given.each_second)
                under = night.measured()
            population.settle_down(filling)
            without = night.measured()
        result = {
            "minutes": round(held / 60, 1), "turned": turned, "sleeping": given.sleeping, "under": under,
            "without": without, "ratio": _ratio(under, without), "machine": machine(owner),
        }  # fmt: skip
    if given.out:
        given.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result))
    return 0


def _hold(night: _Night, minutes: float, each_second: int) -> tuple[float, int]:
    """Cases fall due and are turned until so many minutes have passed: seconds held, cases turned."""
    began, before = time.monotonic(), night.turned
    for at in range(round(minutes * 60 / _EVERY_SECONDS)):
        night.fall_due(round(each_second * _EVERY_SECONDS))
        night.turn()
        if at % 30 == 0:
            print(f"{night.turned - before:,} turned under the snapshot", flush=True)
        time.sleep(max(0.0, began + (at + 1) * _EVERY_SECONDS - time.monotonic()))
    return time.monotonic() - began, night.turned - before


def _ratio(under: dict[str, Any], without: dict[str, Any]) -> dict[str, float]:
    names: Sequence[str] = ("which_partners", "going_on", "from_the_start")
    pages = {name: round(under[name]["pages"] / without[name]["pages"], 2) for name in names}
    return {**pages, "search_ms": round(under["search_ms"]["mean"] / without["search_ms"]["mean"], 2)}


if __name__ == "__main__":
    sys.exit(main())
