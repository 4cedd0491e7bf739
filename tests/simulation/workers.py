"""A worker of a history: production's worker, whose loops are actors here instead of coroutines.

Their bodies are the worker's own. A worker that was killed comes back after a while with nothing in its memory.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Coroutine
from datetime import timedelta
from functools import partial
from typing import Any

from relight.flow.database import AWAY
from relight.flow.effects.port import Outcome, Repeat
from relight.flow.feeds.operations import sequence
from relight.flow.payments.links import LinkKey, make
from relight.flow.road.act import act, end_of
from relight.flow.road.desk import WRITE_WITHIN, Line
from relight.flow.road.ends import Ended, finish
from relight.flow.road.moment import by_the_database
from relight.flow.road.release import Job, LinkMaker
from relight.flow.road.slots import Slots
from relight.flow.road.worker import Worker
from tests.simulation.connection import Room, StagedDatabase
from tests.simulation.outside import Outside, OutsideRoom
from tests.simulation.stage import Actor, Process, Stage

_KEY = LinkKey.of("only for tests")
LINK = LinkMaker("https://betal.nordlys.example", lambda partner, link: make(partner, link, _KEY))
_AFTER_ERROR_SECONDS = 1.0
_HEARTBEAT_SECONDS = 2.0
_SLOTS = 8


class StagedWorker:
    """One process: it decides, lets leave, keeps house, and acts on each attempt in an actor of its own."""

    def __init__(self, stage: Stage, room: Room, outside: Outside, number: int, repeat: Repeat):
        self.stage, self.outside = stage, outside
        self.process = Process(f"worker {number}")
        self.db = StagedDatabase(stage, self.process, room)
        self.jobs: dict[int, Job] = {}
        self._handed: set[int] = set()
        self.lines: dict[tuple[int, bool], Line] = {}
        self._ended: set[int] = set()
        self._is_written = defaultdict[int, bool](bool)  # by line: whether somebody is at it
        self._at_the_desk: list[Actor] = []  # who waits for them
        self.decides = self._enter("decides", self._decide)
        self.releases = self._enter("releases", self._release)
        self.keeps = self._enter("keeps house", self._keep_house)
        self.worker = Worker(self.db, LINK)
        self.worker.room = OutsideRoom(self.db, outside, repeat)
        for lane in self.worker.lanes:
            lane.slots = Slots(_SLOTS)
            lane.size.seconds = math.inf  # by the host's clock, which no history knows
        self.worker.releaser.hand = self.hand  # type: ignore[attr-defined]  # for a planted bug that hands on too early

    def ring(self, *, decide: bool, release: bool, house: bool) -> None:
        """There may be work for these loops."""
        for actor, wanted in ((self.decides, decide), (self.releases, release), (self.keeps, house)):
            if wanted:
                self.stage.ring(actor)

    def _enter(self, what: str, loop: Any) -> Actor:
        return self.stage.enter(f"{self.process.name} {what}", self.process, partial(self._kept, loop))

    def _kept(self, loop: Any) -> None:
        """As the worker keeps its loops: a lost connection is tried again."""
        while True:
            try:
                busy = loop()
            except AWAY as lost:
                self.stage.note(f"tries again after {type(lost).__name__}")
                self.stage.sleep(_AFTER_ERROR_SECONDS)
                continue
            if not busy:
                self.stage.wait_for_bell()

    def _decide(self) -> bool:
        jobs: list[Job] = []
        try:
            decided = [self.worker._decide_once(lane, None, jobs) for lane in self.worker.lanes]
        finally:
            for job in jobs:
                self.hand(job)
        return any(turned for turned, _ in decided)

    def _release(self) -> bool:
        jobs: list[Job] = []
        try:
            full = [self.worker._release_once(lane, None, jobs) for lane in self.worker.lanes]
        finally:
            for job in jobs:
                self.hand(job)
        return any(full) or bool(jobs)

    def hand(self, job: Job) -> None:
        """Give an attempt to an actor of its own, once."""
        if job.attempt_id not in self._handed:
            self._handed.add(job.attempt_id)
            self.jobs[job.attempt_id] = job
            self.worker.lanes[0].slots.take(job)
            self.stage.enter(f"{self.process.name} acts on {job.attempt_id}", self.process, partial(self._act, job))

    def _act(self, job: Job) -> None:
        try:
            self.outside.delay()
            self._write(job, *self._ask_driver(job))
        finally:
            self.worker.lanes[0].slots.give_back(job)
            self.jobs.pop(job.attempt_id, None)
            self.stage.ring(self.decides)
            self.stage.ring(self.releases)

    def _ask_driver(self, job: Job) -> tuple[Outcome, Repeat]:
        """As production does: a driver's settings may have to be read first, from a database that is away."""
        while True:
            try:
                return _run(act(self.worker.room, job))
            except AWAY:
                self.stage.sleep(_AFTER_ERROR_SECONDS)

    def _write(self, job: Job, outcome: Outcome, repeat: Repeat) -> None:
        """As the desk does: what comes while others are being written waits, and is written with the next."""
        line = self.lines.setdefault((job.partner_id, job.message is not None), Line())
        line.waiting.append(end_of(job, outcome, repeat))
        self.stage.step("hands in an end")
        while job.attempt_id not in self._ended and self._is_written[id(line)]:
            self._at_the_desk.append(self.stage.now_on)
            self.stage.wait_for_bell()
        if job.attempt_id in self._ended:
            return
        self._is_written[id(line)] = True
        try:
            while batch := line.next_batch():
                self._finish(job.partner_id, batch)
        finally:
            self._is_written[id(line)] = False
            while self._at_the_desk:
                self.stage.ring(self._at_the_desk.pop())

    def _finish(self, partner_id: int, batch: list[Ended]) -> None:
        """Kept and tried again while the database is away; what cannot be written at all is found lost one day."""
        until = self.stage.moment + timedelta(seconds=WRITE_WITHIN)
        try:
            while not self._is_finished(partner_id, batch) and self.stage.moment <= until:
                self.stage.sleep(_AFTER_ERROR_SECONDS)
        finally:
            self._ended.update(one.attempt_id for one in batch)

    def _is_finished(self, partner_id: int, batch: list[Ended]) -> bool:
        try:
            finish(self.db, partner_id, batch, self.db.clock(), moment=by_the_database)
        except AWAY as lost:
            self.stage.note(f"ends not written: {type(lost).__name__}")
            return False
        return True

    def _keep_house(self) -> bool:
        """Leases, lost attempts, the feed."""
        self.worker._beat(list(self.jobs.values()))
        self.worker._find_lost()
        for partner_id in self.worker._due("feed"):
            sequence(self.db, partner_id, limit=7)
        if self.jobs:
            self.stage.sleep(_HEARTBEAT_SECONDS)
        return bool(self.jobs)


def _run(call: Coroutine[Any, Any, tuple[Outcome, Repeat]]) -> tuple[Outcome, Repeat]:
    """A coroutine that waits for nothing but the stage."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(call)
    finally:
        loop.close()
