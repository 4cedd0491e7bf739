"""Who stops everything waits for the batches under way, so that what leaves has left before the moment of the stop."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from relight.flow.database import Database, Tx
from relight.flow.partners import stopping
from relight.flow.road.release import LinkMaker, Releaser
from relight.flow.road.turn import Turner
from tests.journeys.processes import wait_for
from tests.journeys.world import Account, World

LINK = LinkMaker("https://betal.example", lambda partner_id, link_id: f"{partner_id}-{link_id}")
WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 8212 AND NOT granted"


class Person:
    """Somebody who stops the partner while a batch is under way."""

    def __init__(self, world: World, pool: ThreadPoolExecutor):
        self.world, self.pool = world, pool
        self.stopped: Future[datetime] | None = None
        self.waited = False
        self.batch_read_clock_at: datetime | None = None

    def comes_in(self, tx: Tx, now: datetime) -> Callable[[], datetime]:
        """What a batch asks for its moment. It goes on when the stop waits for it, or is over."""
        tx.rows("SELECT")  # in a pipeline: what was sent before has been done
        self.stopped = self.pool.submit(self._stop)
        while not self.stopped.done() and not self.world.value(WAITS):
            time.sleep(0.01)
        self.waited = not self.stopped.done()
        later = tx.later_together(now)

        def moment() -> datetime:
            self.batch_read_clock_at = later()
            return now

        return moment

    def _stop(self) -> datetime:
        with self.world.db.transaction(self.world.partner) as tx:
            return stopping.stop(tx, self.world.db.clock(), "kari")

    def since(self) -> datetime:
        """From when on everything stands still."""
        assert self.stopped is not None
        return self.stopped.result(timeout=30)


@pytest.fixture
def person(world: World) -> Iterator[Person]:
    with ThreadPoolExecutor(1) as pool:
        yield Person(world, pool)


def test_what_leaves_has_left_when_the_stop_is_in_force(world: World, asked: Account, person: Person) -> None:
    world.decide()
    world.moment = max(world.moment, world.value("SELECT min(due_at) FROM effect WHERE state = 'pending'"))

    _, jobs = Releaser(world.db, LINK, moment=person.comes_in).release(world.partner, "bulk", world.moment)

    assert len(jobs) == 1
    assert person.waited
    assert person.batch_read_clock_at is not None
    assert person.batch_read_clock_at < person.since()
    assert world.value("SELECT stopped_at FROM partner WHERE id = %(id)s", id=world.partner) == person.since()


def test_a_step_is_taken_before_the_stop_or_not_at_all(world: World, asked: Account, person: Person) -> None:
    Turner(world.db, moment=person.comes_in).turn(world.partner, "bulk", world.moment)

    assert person.waited
    assert person.since()
    assert world.steps(asked) == ["friendly"]


def test_restores_do_not_stand_in_line_behind_a_stop(world: World, db: Database, person: Person) -> None:
    with db.transaction(world.partner) as batch:
        stopping.heed_stops(batch)
        person.comes_in(batch, world.moment)
        urgent: list[Any] = [
            Turner(world.db).turn(world.partner, "urgent", world.moment),
            Releaser(world.db, LINK).release(world.partner, "urgent", world.moment),
        ]
        waits_still = person.stopped is not None and not person.stopped.done()

    assert (urgent, waits_still) == ([0, (0, [])], True)
    assert person.since()


def test_the_shadow_waits_as_the_stop_does(world: World, db: Database) -> None:
    def into_shadow() -> None:
        with world.db.transaction(world.partner) as tx:
            stopping.set_mode(tx, "shadow")

    with ThreadPoolExecutor(1) as pool, db.transaction(world.partner) as batch:
        stopping.heed_stops(batch)
        done = pool.submit(into_shadow)
        wait_for(lambda: done.done() or world.value(WAITS), "the shadow waits")
        assert not done.done()
        batch.connection.commit()
        done.result(timeout=30)

    assert world.value("SELECT mode FROM partner WHERE id = %(id)s", id=world.partner) == "shadow"
