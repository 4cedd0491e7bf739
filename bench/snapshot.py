"""What finding due work costs when a snapshot has been read for an hour: `python -m bench.snapshot --minutes 60`.

A report or a backup keeps everything that was done meanwhile in the indices. Cases fall due and are turned, and
messages and commands leave, at a steady pace while the snapshot is held. Then a night run of forty batches is turned
under it, and another one when it was let go and the dead rows were cleared away; the time of each search for a batch is
told, searches from the start included. So is what it costs to find what leaves next. Pages do not depend on the
neighbours.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import mean
from typing import Any

import psycopg

from bench import population
from bench.decide import NOW
from bench.figures import machine
from bench.finding import claim, explained, old_snapshot, put_to_sleep, sleepers, who_is_due
from bench.home import private
from bench.population import NIGHT, Plan
from relight.flow.database import Database, Tx
from relight.flow.effects import rests
from relight.flow.niceness import make_nice
from relight.flow.road.claiming import Claimer, EffectClaimer, bulk_effects
from relight.flow.road.due import Known
from relight.flow.road.release import BATCH as RELEASE_BATCH
from relight.flow.road.release import LinkMaker, Releaser
from relight.flow.road.searching import FROM_THE_START, Search, Since
from relight.flow.road.turn import BATCH, Turner

_FIRST = 10_000_000
_NIGHT_BATCHES = 40
_EVERY = timedelta(seconds=10)
_PARTNERS = 37
_LINK = LinkMaker("https://betal.example", lambda partner_id, link_id: f"{partner_id}-{link_id}")
# Nobody answers here: the messages that left are done.
_ANSWERED = "UPDATE effect SET state = 'done', finished_at = %s WHERE partner_id = %s AND state = 'in_flight'"


class _Timed(Claimer):
    """Keeps how long each search took, in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.took: list[float] = []

    def claim(self, tx: Tx, lane: str, now: datetime, limit: int) -> list[tuple[int, int]]:
        """As always."""
        began = time.perf_counter()
        found = super().claim(tx, lane, now, limit)
        self.took.append((time.perf_counter() - began) * 1000)
        return found


class _TimedEffects(EffectClaimer):
    """The same for effects."""

    def __init__(self) -> None:
        super().__init__()
        self.took: list[float] = []

    def claim(self, tx: Tx, lane: str, now: datetime, limit: int, load: rests.Load) -> list[int]:
        """As always."""
        began = time.perf_counter()
        found = super().claim(tx, lane, now, limit, load)
        self.took.append((time.perf_counter() - began) * 1000)
        return found


class _Night:
    """Cases that fall due by the thousand, the worker that turns them, and the messages that leave. `now` goes on."""

    def __init__(self, db: Database, filling: psycopg.Connection, partner: int, policy: int):
        self.db, self.filling, self.partner, self.policy = db, filling, partner, policy
        self.now, self.next = NOW, _FIRST
        self.turner, self.releaser = Turner(db), Releaser(db, _LINK)
        self.turner.claimer = self.claimer = _Timed()
        self.releaser.claimer = self.effects = _TimedEffects()
        self.turned = self.left = 0

    def fall_due(self, count: int) -> None:
        """So many cases more; all since the same moment, as in the morning of a due date."""
        self.now += _EVERY
        population.fill(self.filling, self.partner, self.policy, Plan(self.next, count, NIGHT), self.now)
        self.next += count

    def turn(self, batches: int | None = None) -> None:
        """Turn all that is due, or so many batches of it."""
        while (batches is None or batches > 0) and (done := self.turner.turn(self.partner, "bulk", self.now)):
            self.turned += done
            batches = None if batches is None else batches - 1

    def let_leave(self, batches: int | None = None) -> None:
        """Let all messages leave whose moment has come, or so many batches of them."""
        while batches is None or batches > 0:
            seen, jobs = self.releaser.release(self.partner, "bulk", self.now)
            self.filling.execute(_ANSWERED, (self.now, self.partner))
            self.left += len(jobs)
            if seen < RELEASE_BATCH["bulk"]:
                return
            batches = None if batches is None else batches - 1

    def measured(self) -> dict[str, Any]:
        """One more night: what its searches cost, its first batches left out."""
        self.fall_due((_NIGHT_BATCHES + 4) * BATCH["bulk"])
        self.turn(2)
        before, began = len(self.claimer.took), time.perf_counter()
        self.turn(_NIGHT_BATCHES)
        seconds, took = time.perf_counter() - began, self.claimer.took[before:]
        with self.db.transaction(None) as tx:
            partners = who_is_due(tx, self.now, self._known())
            partners_anew = who_is_due(tx, self.now, Known())
        with self.db.transaction(self.partner) as tx:
            going_on = claim(tx, self.now, self.claimer.search(self.partner, "bulk").since())
            from_the_start = claim(tx, self.now, FROM_THE_START)
        self.turn()
        return {
            "searches": len(took),
            "search_ms": {"mean": round(mean(took), 2), "max": round(max(took), 2)},
            "share_of_turns": round(sum(took) / seconds / 1000, 4),
            "which_partners": partners,
            "which_partners_from_the_start": partners_anew,
            "going_on": going_on,
            "from_the_start": from_the_start,
            "leaving": self._effects(),
        }

    def _known(self) -> Known:
        """What a worker knows that asked a batch ago."""
        return Known(self.now - _EVERY, {self.partner: self.claimer.search(self.partner, "bulk").since()})

    def _effects(self) -> dict[str, Any]:
        """The same for what leaves next; messages fall due within an hour."""
        self.now += timedelta(hours=1)
        self.let_leave(2)
        before = len(self.effects.took)
        self.let_leave(_NIGHT_BATCHES)
        took = self.effects.took[before:]
        search = self.effects.search(self.partner, "bulk")
        going_on, from_the_start = self._leaving(search.since), self._leaving(Search(search.patience).since)
        self.let_leave()
        return {
            "searches": len(took),
            "search_ms": {"mean": round(mean(took), 2), "max": round(max(took), 2)},
            "going_on": going_on,
            "from_the_start": from_the_start,
        }

    def _leaving(self, since: Since) -> dict[str, Any]:
        with self.db.transaction(self.partner) as tx:
            room = rests.room(tx, {}, self.now, limit=RELEASE_BATCH["bulk"])
            return explained(tx, *bulk_effects(room, self.now, RELEASE_BATCH["bulk"], since))


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
            night.left = 0
            with old_snapshot(home):
                held, turned, left = _hold(night, given.minutes, given.each_second)
                under = night.measured()
            population.settle_down(filling)
            without = night.measured()
        result = {
            "minutes": round(held / 60, 1), "turned": turned, "left": left, "sleeping": given.sleeping, "under": under,
            "without": without, "ratio": _ratio(under, without), "machine": machine(owner),
        }  # fmt: skip
    if given.out:
        given.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result))
    return 0


def _hold(night: _Night, minutes: float, each_second: int) -> tuple[float, int, int]:
    """Cases fall due and are turned, and messages leave, until so many minutes have passed: seconds held, cases turned,
    messages that left."""
    began, before, every = time.monotonic(), night.turned, _EVERY.total_seconds()
    for at in range(round(minutes * 60 / every)):
        night.fall_due(round(each_second * every))
        night.turn()
        night.let_leave()
        if at % 30 == 0:
            print(f"{night.turned - before:,} turned, {night.left:,} left under the snapshot", flush=True)
        time.sleep(max(0.0, began + (at + 1) * every - time.monotonic()))
    return time.monotonic() - began, night.turned - before, night.left


def _ratio(under: dict[str, Any], without: dict[str, Any]) -> dict[str, float]:
    names: Sequence[str] = ("which_partners", "which_partners_from_the_start", "going_on", "from_the_start")
    pages = {name: round(under[name]["pages"] / without[name]["pages"], 2) for name in names}
    leaving, others = under["leaving"], without["leaving"]
    return {
        **pages,
        "search_ms": round(under["search_ms"]["mean"] / without["search_ms"]["mean"], 2),
        "leaving_going_on": round(leaving["going_on"]["pages"] / others["going_on"]["pages"], 2),
        "leaving_search_ms": round(leaving["search_ms"]["mean"] / others["search_ms"]["mean"], 2),
    }


if __name__ == "__main__":
    sys.exit(main())
