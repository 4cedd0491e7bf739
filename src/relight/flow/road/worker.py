"""The worker: the road's stages as loops that wait. As many processes and hosts as wanted; none leads.

Each lane has a deciding and a releasing loop. The urgent lane is told by the database (`LISTEN`) and polls as a safety
net; drivers act on the event loop, the database is spoken to in threads. A worker that dies loses nothing: a turn rolls
back, and an attempt whose lease runs out is found by any other.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import structlog

from relight.flow.apart import apart
from relight.flow.cases.opening import let_in
from relight.flow.cases.operations import URGENT_CHANNEL, review_holds
from relight.flow.claims.operations import book_months
from relight.flow.database import AWAY, Database
from relight.flow.effects.drivers import DriverRoom, NoDriver
from relight.flow.feeds.operations import sequence
from relight.flow.messages.port import Channel
from relight.flow.pacing import BatchSize
from relight.flow.partners.sessions import forget_sessions
from relight.flow.road.act import act_and_finish
from relight.flow.road.at_once import AtOnce
from relight.flow.road.bell import Bell
from relight.flow.road.desk import Desk
from relight.flow.road.due import Lookout, Only, partners
from relight.flow.road.ends import lost
from relight.flow.road.hear import Ear
from relight.flow.road.machine import look, repeat_of
from relight.flow.road.moment import by_the_database
from relight.flow.road.release import COMMAND_LEASE, Job, LinkMaker, Releaser, renew
from relight.flow.road.slots import Slots
from relight.flow.road.stopped import end_stopped
from relight.flow.road.threads import Threads
from relight.flow.road.ticker import Ticker
from relight.flow.road.turn import BATCH as TURN_BATCH
from relight.flow.road.turn import Turner
from relight.flow.road.undo.doing import go_on
from relight.flow.supply import operations as supply
from relight.flow.traces import operations as traces
from relight.telemetry import metrics

log = structlog.get_logger(__name__)

LANES = ("urgent", "bulk")
_POLL_SECONDS = {"urgent": 1.0, "bulk": 2.0}
_PAUSE_SECONDS = {"urgent": 0.02, "bulk": 0.05}  # less than a full batch takes
_RELEASE_PAUSE_SECONDS = {"urgent": 0.25, "bulk": 0.05}  # restores leave with their decisions: what is left can wait
_SLOTS = {"urgent": 200, "bulk": 200}
_BATCH_MIN = 50
_TURN_SECONDS = 0.25  # that a turn holds its accounts' locks; a full batch takes two thirds of it where there is room
_LOOPS_OF_A_LANE, _LOOPS_FOR_ALL = 2, 3  # decide and release; lost, stopped and leases: in threads of the road's own
_BUTTON_SECONDS = 5
_LOOKS_AT_ONCE = 20  # restores at the same driver shall not wait behind them
_HOUSEKEEPING_SECONDS = 5
_LOST_SECONDS = 1
_ALONE_SECONDS_MAX = 10
_BEAT_SECONDS = COMMAND_LEASE.total_seconds() / 4
_REVIEW_SECONDS = 600
_AFTER_ERROR_SECONDS = 1.0


@dataclass(slots=True)
class _Lane:
    """One lane's state: the attempts under way, and the bells that wake its loops."""

    name: str
    decide: Bell
    release: Bell
    slots: Slots
    size: BatchSize
    acting: dict[int, asyncio.Task[None]] = field(default_factory=dict[int, asyncio.Task[None]])
    jobs: dict[int, Job] = field(default_factory=dict[int, Job])


def _lane(name: str) -> _Lane:
    decide = Bell(_POLL_SECONDS[name], pause_seconds=_PAUSE_SECONDS[name])
    release = Bell(_POLL_SECONDS[name], pause_seconds=_RELEASE_PAUSE_SECONDS[name])
    return _Lane(name, decide, release, Slots(_SLOTS[name]), BatchSize(TURN_BATCH[name], _BATCH_MIN, _TURN_SECONDS))


Extra = Callable[[], Coroutine[Any, Any, None]]


class Worker:
    """The loops of one process. `extras` are further coroutines to keep running (polling payments, say); with
    `only`, other partners' work is left to other workers."""

    def __init__(
        self,
        db: Database,
        link: LinkMaker,
        *,
        lanes: Sequence[str] = LANES,
        extras: Sequence[tuple[str, Extra]] = (),
        only: Only = None,
    ):
        self.db, self.extras = db, extras
        self.lanes = [_lane(name) for name in lanes]
        self.only, self.lookout = only, Lookout(db, only)
        self.ticker = Ticker(db)
        self.room = DriverRoom(db, clock=self.ticker)
        self.desk = Desk(db, self.ticker.earliest, moment=by_the_database)
        self.turner = Turner(db, only=only, moment=by_the_database)
        self.releaser = Releaser(db, link, shelf=self.turner.shelf, moment=by_the_database)
        self.threads = Threads(_LOOPS_OF_A_LANE * len(self.lanes) + _LOOPS_FOR_ALL)
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop`; then let what is begun end, and close the drivers."""
        loops = [self._kept(f"listen {lane.name}", partial(self._listen, lane)) for lane in self.lanes]
        for lane in self.lanes:
            loops.append(self._kept(f"decide {lane.name}", partial(self._decide, lane)))
            loops.append(self._kept(f"release {lane.name}", partial(self._release, lane)))
        loops += [self._kept("lost", self._lost), self._kept("stopped", self._stopped)]
        # Whoever sends listens too: receipts and answers may come by the very link that a message left by.
        loops.append(self._kept("ears", self._ears))
        if any(lane.name == "bulk" for lane in self.lanes):
            loops += [self._kept("feed", self._feed)]
            loops += [self._kept("reviews", self._reviews), self._kept("undos", self._undos)]
            loops += [self._kept(name, extra) for name, extra in self.extras]
        if any(lane.name == "urgent" for lane in self.lanes):
            loops.append(self._kept("buttons", self._buttons))
        self.threads.begin()
        tasks = [asyncio.create_task(loop) for loop in loops]
        leases = asyncio.create_task(self._kept("leases", self._leases))
        await self.stopping.wait()
        await _end(*tasks)
        await asyncio.gather(*(task for lane in self.lanes for task in lane.acting.values()), return_exceptions=True)
        await _end(leases)  # last: what is under way is ours until it has ended
        await self.room.aclose()
        self.threads.end()

    def stop(self) -> None:
        """Come to rest: nothing new is taken."""
        self.stopping.set()

    async def _kept(self, name: str, loop: Extra) -> None:
        """Run a loop for good: a lost connection is tried again, and a bug is logged and does not end the others."""
        while True:
            try:
                await loop()
            except asyncio.CancelledError:
                raise
            except AWAY as lost_connection:
                log.warning("database_away", loop=name, error=type(lost_connection).__name__)
                metrics.failed(name, "database away")
            except Exception as bug:
                log.exception("loop_failed", loop=name)
                metrics.failed(name, type(bug).__name__)
            await asyncio.sleep(_AFTER_ERROR_SECONDS)

    async def _decide(self, lane: _Lane) -> None:
        while True:
            metrics.came_round(f"decide {lane.name}")
            jobs: list[Job] = []
            try:
                turned, full = await self.threads.to_its_end(self._decide_once, lane, lane.decide.take(), jobs)
            finally:  # what is on record is acted on, also when another partner's turn fails, or when we are to stop
                for job in jobs:
                    self._start(lane, job)
            if turned:
                lane.decide.found_work(more=bool(full))
                lane.release.ring(*turned)
                lane.decide.ring(*full)
            await lane.decide.wait()

    def _decide_once(self, lane: _Lane, called: Only, jobs: list[Job]) -> tuple[list[int], list[int]]:
        """One batch of every partner with due cases, so that none waits for another's million: whose were decided, and
        whose batches were full, so there may be more. Restores leave with their decisions: they are added to `jobs`."""
        now = self.db.clock()
        due = sorted(self._whose(f"decide {lane.name}", called, now))
        turned, full = list[int](), list[int]()
        for partner_id in due:
            if self.stopping.is_set():
                break
            with apart(f"decide {lane.name}", partner_id):
                limit, began = lane.size.now, time.perf_counter()
                at_once = self._at_once(lane, partner_id, waiting=len(due), begun=len(jobs))
                try:
                    count = self.turner.turn(partner_id, lane.name, now, limit=limit, at_once=at_once)
                finally:
                    jobs += at_once.jobs if at_once else []
                if not count:
                    continue
                lane.size.took(count, time.perf_counter() - began)
                turned.append(partner_id)
                if count >= limit:
                    full.append(partner_id)
        return turned, full

    def _at_once(self, lane: _Lane, partner_id: int, *, waiting: int, begun: int) -> AtOnce | None:
        """Restores are urgent; of what bulk decisions do, nothing leaves without release's guards."""
        if lane.name != "urgent":
            return None
        return AtOnce(self.releaser, lane.slots.left(partner_id, waiting=waiting, begun=begun))

    async def _release(self, lane: _Lane) -> None:
        while True:
            metrics.came_round(f"release {lane.name}")
            if len(lane.acting) >= lane.slots.size:
                await asyncio.wait(
                    lane.acting.values(), timeout=_POLL_SECONDS[lane.name], return_when=asyncio.FIRST_COMPLETED
                )
                continue
            jobs: list[Job] = []
            try:
                full = await self.threads.to_its_end(self._release_once, lane, lane.release.take(), jobs)
            finally:
                for job in jobs:
                    self._start(lane, job)
            if jobs:
                lane.release.found_work(more=bool(full))
            if alone := [lane.acting[job.attempt_id] for job in jobs if job.alone]:
                await asyncio.wait(alone, timeout=_ALONE_SECONDS_MAX)
                lane.release.ring(*(job.partner_id for job in jobs if job.alone))
            lane.release.ring(*full)
            await lane.release.wait()

    def _release_once(self, lane: _Lane, called: Only, jobs: list[Job]) -> list[int]:
        """One batch of every partner with due effects, each within its share: whose batches were full, so there may
        be more. What to act on is added to `jobs`. Who had no room is called again when one of its attempts ends."""
        now = self.db.clock()
        due = lane.slots.in_turn(self._whose(f"release {lane.name}", called, now))
        full = list[int]()
        for partner_id in due:
            room = lane.slots.room(partner_id, waiting=len(due), begun=len(jobs))
            if room <= 0:
                continue
            if self.stopping.is_set():
                break
            with apart(f"release {lane.name}", partner_id):
                load, messages = lane.slots.load(partner_id), lane.slots.messages_left(jobs)
                looked, batch = self.releaser.release(
                    partner_id, lane.name, now, limit=room, load=load, messages=messages
                )
                jobs += batch
                if looked >= room:
                    full.append(partner_id)
        return full

    def _start(self, lane: _Lane, job: Job) -> None:
        task = asyncio.create_task(act_and_finish(self.desk, self.room, job))
        lane.acting[job.attempt_id], lane.jobs[job.attempt_id] = task, job
        lane.slots.take(job)
        task.add_done_callback(lambda ended: self._ended(lane, job, ended))

    def _ended(self, lane: _Lane, job: Job, task: asyncio.Task[None]) -> None:
        lane.acting.pop(job.attempt_id, None)
        lane.jobs.pop(job.attempt_id, None)
        lane.slots.give_back(job)
        if not task.cancelled() and task.exception() is not None:
            log.error("outcome_not_written", effect=job.effect_id, error=type(task.exception()).__name__)
        lane.decide.ring(job.partner_id)
        lane.release.ring(job.partner_id)

    async def _listen(self, lane: _Lane) -> None:
        if lane.name != "urgent":
            await asyncio.Event().wait()
        connection = await psycopg.AsyncConnection.connect(self.db.conninfo, autocommit=True)
        async with connection:
            await connection.execute(f"LISTEN {URGENT_CHANNEL}")
            async for told in connection.notifies():
                partner_id = int(told.payload)
                if self.only is None or partner_id in self.only:
                    lane.decide.ring(partner_id)

    async def _leases(self) -> None:
        """Attempts that take longer than their lease keep it while we live; and the clock is set."""
        while True:
            metrics.came_round("leases")
            await asyncio.sleep(_BEAT_SECONDS)
            await self.threads.run(self._beat, self._under_way())

    def _under_way(self) -> list[Job]:
        """The attempts that are ours."""
        return [job for lane in self.lanes for job in lane.jobs.values()]

    def _beat(self, under_way: Sequence[Job]) -> None:
        self.ticker.set()
        by_partner = defaultdict[int, list[Job]](list)
        for job in under_way:
            by_partner[job.partner_id].append(job)
        for partner_id, jobs in by_partner.items():
            renew(self.db, partner_id, jobs, self.db.clock())

    async def _lost(self) -> None:
        """Look for attempts that nobody holds any more. At first, and when the database was away, others get time to
        say that they live: nobody could meanwhile."""
        await asyncio.sleep(2 * _BEAT_SECONDS)
        while True:
            metrics.came_round("lost")
            await self.threads.run(self._find_lost)
            await asyncio.sleep(_LOST_SECONDS)

    def _find_lost(self) -> None:
        now = self.db.clock()
        for partner_id in self._due("lost"):
            with apart("lost", partner_id):
                lost(self.db, partner_id, repeat_of(self.room, partner_id), now, moment=by_the_database)

    async def _stopped(self) -> None:
        """Others' sessions, since who is stopped cannot look. In every worker: one of them may be the one."""
        while True:
            metrics.came_round("stopped")
            await self.threads.run(end_stopped, self.db)
            await asyncio.sleep(_HOUSEKEEPING_SECONDS)

    async def _reviews(self) -> None:
        while True:
            await asyncio.to_thread(self._review_holds)
            await asyncio.to_thread(self._forget_sessions)
            await asyncio.sleep(_REVIEW_SECONDS)

    def _review_holds(self) -> None:
        for partner_id in self._partners():
            with apart("reviews", partner_id):
                self._review(partner_id)

    def _review(self, partner_id: int) -> None:
        with self.db.transaction(partner_id) as tx:
            review_holds(tx, self.db.clock())
            traces.forget(tx, self.db.clock())
        while self._let_in(partner_id):
            pass
        book_months(self.db, partner_id, self.db.clock())

    def _let_in(self, partner_id: int) -> int:
        """A batch of the cases that waited for room under a policy's cap; how many."""
        with self.db.transaction(partner_id) as tx:
            return let_in(tx, self.db.clock())

    def _forget_sessions(self) -> None:
        """Those of the console that are over, a batch a transaction."""
        while self._forget_batch():
            pass

    def _forget_batch(self) -> int:
        with self.db.transaction(None) as tx:
            return forget_sessions(tx, self.db.clock())

    async def _undos(self) -> None:
        while True:
            for partner_id in await asyncio.to_thread(self._partners):
                with apart("undos", partner_id):
                    await asyncio.to_thread(go_on, self.db.by_its_own_clock(), partner_id, self.db.clock)
            await asyncio.sleep(_HOUSEKEEPING_SECONDS)

    async def _feed(self) -> None:
        while True:
            metrics.came_round("feed")
            if not await asyncio.to_thread(self._give_positions):
                await asyncio.sleep(0.5)

    def _give_positions(self) -> int:
        given = 0
        for partner_id in self._due("feed"):
            with apart("feed", partner_id):
                given += sequence(self.db, partner_id)
        return given

    async def _buttons(self) -> None:
        while True:
            metrics.came_round("buttons")
            for partner_id in await asyncio.to_thread(self._partners):
                with apart("buttons", partner_id):
                    waiting = await asyncio.to_thread(self._waiting, partner_id)
                    for at in range(0, len(waiting), _LOOKS_AT_ONCE):
                        few = waiting[at : at + _LOOKS_AT_ONCE]
                        await asyncio.gather(*(look(self.db, self.room, partner_id, one, self.db.clock) for one in few))
            await asyncio.sleep(_BUTTON_SECONDS)

    def _waiting(self, partner_id: int) -> list[supply.Waiting]:
        now = self.db.clock()
        with self.db.transaction(partner_id) as tx:
            before = now - timedelta(seconds=_BUTTON_SECONDS)
            return supply.waiting_for_button(tx, before=before, now=now, limit=100, patient=True)

    async def _ears(self) -> None:
        """Listen on every partner's message drivers; partners that come later are found within a minute."""
        listening: dict[tuple[int, str], asyncio.Task[None]] = {}
        try:
            while True:
                for partner_id in await asyncio.to_thread(self._partners):
                    for name in await asyncio.to_thread(self.room.names, partner_id, "messages"):
                        key = (partner_id, name)
                        if name in set(Channel) and (key not in listening or listening[key].done()):
                            listening[key] = asyncio.create_task(self._hear(partner_id, name))
                await asyncio.sleep(60)
        finally:
            for task in listening.values():
                task.cancel()

    async def _hear(self, partner_id: int, name: str) -> None:
        """Hear one channel; what ends it is told, and within a minute it is heard again."""
        try:
            driver = await asyncio.to_thread(self.room.get, partner_id, "messages", name)
            await driver.listen(Ear(self.db.by_its_own_clock(), partner_id, self.db.clock))
        except (NoDriver, ValueError) as wrong:
            log.warning("cannot_listen", partner=partner_id, channel=name, error=str(wrong))
            metrics.failed("ears", type(wrong).__name__)
        except AWAY as away:
            log.warning("database_away", loop="ears", partner=partner_id, channel=name, error=type(away).__name__)
        except Exception as bug:
            log.exception("cannot_listen", partner=partner_id, channel=name, error=type(bug).__name__)
            metrics.failed("ears", type(bug).__name__)

    def _whose(self, what: str, called: Only, now: datetime) -> Collection[int]:
        """Who was called; else whom the database names."""
        return self.lookout.partners(what, now) if called is None else called

    def _due(self, what: str) -> list[int]:
        return self.lookout.partners(what, self.db.clock())

    def _partners(self) -> list[int]:
        return partners(self.db, self.only)


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
