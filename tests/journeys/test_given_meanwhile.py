"""What was given after a worker read the clock, and before it held the locks, counts: the moment is the later one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from relight.flow.cases.operations import place_hold, wake
from relight.flow.database import Database
from relight.flow.road.moment import Moment, as_told, by_the_database
from relight.flow.road.release import LinkMaker, Releaser
from relight.flow.road.turn import Turner
from relight.flow.road.worker import Worker
from tests.journeys.world import Account, World

LINK = LinkMaker("https://betal.example", lambda partner_id, link_id: f"{partner_id}-{link_id}")
LATER = timedelta(milliseconds=20)


def later(_: object, now: datetime) -> Callable[[], datetime]:
    return lambda: now + LATER


def hold(world: World, account: Account) -> None:
    """A person keeps everything back, a moment after the clock was read."""
    case = world.value("SELECT id FROM dunning_case WHERE account_id = %(account)s", account=account.id)
    with world.db.transaction(world.partner) as tx:
        place_hold(
            tx, case_id=case, account_id=account.id, reason="manual", actor="kari",
            now=world.moment + timedelta(milliseconds=10),
        )  # fmt: skip


@pytest.mark.parametrize(("moment", "leaves"), [(as_told, 1), (later, 0)])
def test_what_was_due_does_not_leave(world: World, asked: Account, moment: Moment, leaves: int) -> None:
    world.decide()
    world.moment = max(world.moment, world.value("SELECT min(due_at) FROM effect WHERE state = 'pending'"))
    hold(world, asked)

    looked, jobs = Releaser(world.db, LINK, moment=moment).release(world.partner, "bulk", world.moment)

    assert (looked, len(jobs)) == (1, leaves)


@pytest.mark.parametrize(("moment", "steps"), [(as_told, ["friendly"]), (later, [])])
def test_no_step_is_taken(world: World, asked: Account, moment: Moment, steps: list[str]) -> None:
    with world.db.transaction(world.partner) as tx:
        wake(tx, [asked.id], world.moment, urgent=True)
    hold(world, asked)

    turned = Turner(world.db, moment=moment).turn(world.partner, "urgent", world.moment)

    assert (turned, world.steps(asked)) == (1, steps)


def test_workers_go_by_the_database_once_they_hold_the_locks(db: Database, partner: int) -> None:
    worker, future = Worker(db, LINK), datetime.now(UTC) + timedelta(days=1)
    with db.transaction(partner) as tx:
        before = db.clock() - timedelta(seconds=3)
        told = (by_the_database(tx, before)(), by_the_database(tx, future)())

    assert before + timedelta(seconds=3) <= told[0] <= db.clock()
    assert told[1] == future
    assert worker.turner.moment is worker.releaser.moment is by_the_database
