"""The road run by hand: everything due at one moment, decided, released, acted on and answered, until nothing is left.

`relight run --as-of` and the demo's fast motion use it; a worker does the same with loops that wait. One loop object
is kept for its whole life, since drivers keep connections on it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from relight.flow.cases.opening import let_in
from relight.flow.cases.operations import lock_accounts, review_holds, wake
from relight.flow.claims.operations import book_months
from relight.flow.database import Database
from relight.flow.effects.drivers import DriverRoom
from relight.flow.effects.port import Repeat
from relight.flow.feeds.operations import sequence
from relight.flow.road.act import act_and_finish, gather_all
from relight.flow.road.desk import Desk
from relight.flow.road.due import Only, due_partners, due_work, partners
from relight.flow.road.ends import lost
from relight.flow.road.release import BATCH as RELEASE_BATCH
from relight.flow.road.release import Job, LinkMaker, Releaser, agency_driver
from relight.flow.road.turn import BATCH as TURN_BATCH
from relight.flow.road.turn import Turner
from relight.flow.road.undo.doing import go_on
from relight.flow.supply import operations as supply

log = structlog.get_logger(__name__)

LANES = ("urgent", "bulk")
_KINDS = tuple(f"{stage} {lane}" for stage in ("decide", "release") for lane in LANES)
ROUNDS_MAX = 1000
LOOK_WITHIN = 30.0  # seconds; drivers have time-outs of their own, and this ends one that forgot


class NeverAtRest(RuntimeError):
    """What is done makes more to do, again and again. All that was done stays done; somebody has to look."""


@dataclass(slots=True)
class Done:
    """What one run did."""

    decisions: int = 0
    attempts: int = 0
    rounds: int = 0


class Machine:
    """One worker's parts without its loops, for `only` these partners if given. Close it: drivers hold connections."""

    def __init__(self, db: Database, link: LinkMaker, clock: Callable[[], datetime], *, only: Only = None):
        self.db, self.clock, self.only = db, clock, only
        self.room = DriverRoom(db, clock=clock)
        self.turner = Turner(db, only=only)
        self.releaser = Releaser(db, link, shelf=self.turner.shelf)
        self.desk = Desk(db, clock)
        self._loop = asyncio.Runner()

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the drivers and the loop."""
        self._loop.run(self.room.aclose())
        self._loop.close()

    def run(self) -> Done:
        """Do everything that is due at the clock's moment; raises `NeverAtRest`."""
        done = Done()
        for partner_id in partners(self.db, self.only):
            go_on(self.db, partner_id, self.clock)
        for _ in range(ROUNDS_MAX):
            done.rounds += 1
            decisions = attempts = 0
            for kind, partner_id in due_work(self.db, _KINDS, self.clock(), self.only):
                stage, lane = kind.split()
                if stage == "decide":
                    decisions += self._decide(partner_id, lane)
                else:
                    attempts += self._release(partner_id, lane)
            done.decisions += decisions
            done.attempts += attempts
            if not decisions and not attempts and not self._let_in():
                self._come_to_rest()
                return done
        raise NeverAtRest(
            f"After {ROUNDS_MAX} rounds at {self.clock():%Y-%m-%d %H:%M} something is still due at once. What was done"
            " stays done. Look with `relight doctor`; `relight stop` holds warnings and cuts back meanwhile."
        )

    def look_at_buttons(self) -> int:
        """Ask the services that wait for their button whether it was pressed; how many were back."""
        now = self.clock()
        back = 0
        for partner_id in partners(self.db, self.only):
            with self.db.transaction(partner_id) as tx:
                waiting = supply.waiting_for_button(tx, before=now, now=now, limit=500)
            for one in waiting:
                back += self._loop.run(look(self.db, self.room, partner_id, one, self.clock))
        return back

    def find_lost(self) -> int:
        """End the attempts whose lease ran out."""
        now = self.clock()
        found = due_partners(self.db, "lost", now, self.only)
        return sum(lost(self.db, partner_id, repeat_of(self.room, partner_id), now) for partner_id in found)

    def _decide(self, partner_id: int, lane: str) -> int:
        """A partner's due cases; what a batch that was not full has left, or woken, is for the next round."""
        total = 0
        while decided := self.turner.turn(partner_id, lane, self.clock()):
            total += decided
            if decided < TURN_BATCH[lane]:
                break
        return total

    def _release(self, partner_id: int, lane: str) -> int:
        """A partner's due effects, in the same way."""
        attempts = 0
        while True:
            seen, jobs = self.releaser.release(partner_id, lane, self.clock())
            if jobs:
                self._loop.run(self._act(jobs))
            attempts += len(jobs)
            if seen < RELEASE_BATCH[lane]:
                return attempts

    async def _act(self, jobs: list[Job]) -> None:
        await gather_all([act_and_finish(self.desk, self.room, job) for job in jobs])

    def _let_in(self) -> int:
        """A batch of each partner's cases that waited for room under a policy's cap; how many."""
        opened = 0
        for partner_id in partners(self.db, self.only):
            with self.db.transaction(partner_id) as tx:
                opened += let_in(tx, self.clock())
        return opened

    def _come_to_rest(self) -> None:
        """What comes last: the events' places in the feed, and the holds that are to be looked at again."""
        for partner_id in partners(self.db, self.only):
            with self.db.transaction(partner_id) as tx:
                review_holds(tx, self.clock())
            book_months(self.db, partner_id, self.clock())
        for partner_id in due_partners(self.db, "feed", self.clock(), self.only):
            while sequence(self.db, partner_id):
                pass


def repeat_of(room: DriverRoom, partner_id: int) -> Callable[[str], Repeat]:
    """What each of a partner's drivers promises about repeating, by the name an attempt keeps."""

    def tell(name: str) -> Repeat:
        if name.startswith(agency_driver("")):
            return room.repeat(partner_id, "handover", name.removeprefix(agency_driver("")))
        section = "messages" if name in ("sms", "email", "letter") else "supply"
        return room.repeat(partner_id, section, name)

    return tell


async def look(
    db: Database, room: DriverRoom, partner_id: int, one: supply.Waiting, clock: Callable[[], datetime]
) -> bool:
    """Read one waiting service back; when it is on, its case thinks again. One that cannot be read is looked at again
    when it is its turn: it goes to the end of those that wait, and holds up none of them."""
    seen = await _seen(room, partner_id, one)
    if seen is None:
        await asyncio.to_thread(_pass_over, db, partner_id, one, clock)
        return False
    return await asyncio.to_thread(_keep, db, partner_id, one, *seen, clock)


async def _seen(room: DriverRoom, partner_id: int, one: supply.Waiting) -> tuple[str, str] | None:
    """The level that a driver reads, and how it was seen; None where it does not tell, whatever it does instead."""
    about = {"partner": partner_id, "driver": one.driver, "service": one.service_id}
    try:
        driver = room.get(partner_id, "supply", one.driver)
        async with asyncio.timeout(LOOK_WITHIN):
            seen = await driver.read(one.target)
        return (seen.level.value if seen.level is not None else "ready"), seen.proof
    except TimeoutError:
        log.error("driver_hangs", **about)
    except (LookupError, ValueError, OSError) as wrong:
        log.warning("button_not_read", **about, error=type(wrong).__name__)
    except Exception:
        log.exception("driver_raised", **about)
    return None


def _pass_over(db: Database, partner_id: int, one: supply.Waiting, clock: Callable[[], datetime]) -> None:
    now = clock()
    with db.transaction(partner_id) as tx:
        lock_accounts(tx, [one.account_id])
        supply.looked_in_vain(tx, one.service_id, now)


def _keep(
    db: Database, partner_id: int, one: supply.Waiting, level: str, proof: str, clock: Callable[[], datetime]
) -> bool:
    now = clock()
    with db.transaction(partner_id) as tx:
        lock_accounts(tx, [one.account_id])
        counts = supply.looked(tx, one, level, proof, now)
        if counts and level != "ready":
            wake(tx, [one.account_id], now, urgent=True)
    return counts and level == "full"
