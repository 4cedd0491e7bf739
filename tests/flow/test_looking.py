"""Looking whether a button was pressed: a driver that fails, in whatever way, holds up nobody else's look."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, cast

import psycopg
import pytest

from relight.core.levels import Level
from relight.flow.database import Database
from relight.flow.effects.drivers import DriverRoom, NoDriver
from relight.flow.road import machine
from relight.flow.road.machine import look
from relight.flow.supply.operations import Waiting, waiting_for_button
from relight.flow.supply.port import Observation, Target
from tests.flow.factories import make_account, make_service

Read = Callable[[Target], Awaitable[Any]]


async def hangs(_: Target) -> None:
    await asyncio.Event().wait()


async def raises_of_its_own(_: Target) -> None:
    raise RuntimeError("a driver that somebody else wrote")


async def lacks_a_key(_: Target) -> None:
    raise KeyError("level")


async def is_cut_off(_: Target) -> None:
    raise ConnectionResetError


async def tells_nothing(_: Target) -> None:
    return None


class Driver:
    """Reads as a test has it."""

    def __init__(self, read: Read):
        self.read = read


class Room:
    """Two drivers: one that fails, and one that sees light."""

    def __init__(self, failing: Read, now: datetime):
        async def sees_light(_: Target) -> Observation:
            return Observation(Level.FULL, now, proof="control_state")

        self._drivers = {"failing": Driver(failing), "good": Driver(sees_light)}

    def get(self, partner_id: int, section: str, name: str) -> Driver:
        """As `DriverRoom.get`."""
        if name not in self._drivers:
            raise NoDriver(name)
        return self._drivers[name]


@pytest.fixture
def waiting(db: Database, partner: int, now: datetime) -> dict[str, Waiting]:
    """Services that wait for their button, by their driver."""
    with db.transaction(partner) as tx:
        for name in ("failing", "good", "missing"):
            service = make_service(tx, make_account(tx, now), now, kind="electricity_grid", driver=name)
            tx.run(
                "UPDATE supply SET desired = 'full', observed = 'ready', observed_at = %(now)s, proof = 'control_state'"
                " WHERE service_id = %(s)s",
                {"s": service, "now": now},
            )
    return {one.driver: one for one in waits(db, partner, now)}


def waits(db: Database, partner: int, now: datetime, *, limit: int = 9) -> list[Waiting]:
    with db.transaction(partner) as tx:
        return waiting_for_button(tx, before=now, now=now, limit=limit)


async def look_at(db: Database, room: Room, partner: int, now: datetime, *many: Waiting) -> list[bool]:
    """All at once, as a worker does. The clock is the database's, which may be away: no loop waits for it."""
    drivers = cast(DriverRoom, room)

    def clock() -> datetime:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return now

    return await asyncio.gather(*(look(db, drivers, partner, one, clock) for one in many))


@pytest.mark.parametrize("failing", [hangs, raises_of_its_own, lacks_a_key, is_cut_off, tells_nothing])
def test_a_driver_that_does_not_tell_holds_up_no_other_look(
    waiting: dict[str, Waiting], db: Database, partner: int, now: datetime, monkeypatch: pytest.MonkeyPatch,
    failing: Read,
) -> None:  # fmt: skip
    monkeypatch.setattr(machine, "LOOK_WITHIN", 0.05)
    later = now + timedelta(seconds=5)

    back = asyncio.run(look_at(db, Room(failing, now), partner, later, waiting["failing"], waiting["good"]))

    assert back == [False, True]
    assert [one.driver for one in waits(db, partner, later)] == ["missing", "failing"]


def test_what_could_not_be_read_is_as_it_was_seen_last(
    waiting: dict[str, Waiting], db: Database, owner: psycopg.Connection, partner: int, now: datetime
) -> None:
    room = Room(raises_of_its_own, now)

    back = asyncio.run(look_at(db, room, partner, now + timedelta(seconds=5), waiting["failing"], waiting["missing"]))

    assert back == [False, False]
    seen = owner.execute("SELECT DISTINCT observed, observed_at, proof FROM supply WHERE partner_id = %s AND read_at"
                         " IS NOT NULL", (partner,)).fetchall()  # fmt: skip
    assert seen == [("ready", now, "control_state")]


def test_a_worker_that_stops_is_not_held_by_a_look(
    waiting: dict[str, Waiting], db: Database, partner: int, now: datetime
) -> None:
    reached = asyncio.Event()

    async def is_reached_and_hangs(target: Target) -> None:
        reached.set()
        await hangs(target)

    async def stopped() -> None:
        task = asyncio.create_task(look_at(db, Room(is_reached_and_hangs, now), partner, now, waiting["failing"]))
        await asyncio.wait_for(reached.wait(), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 30)

    asyncio.run(stopped())


@pytest.mark.parametrize("meanwhile", ["generation = generation + 1", "observed = 'off'"])
def test_what_a_look_saw_does_not_count_where_another_command_was_sent_meanwhile(
    waiting: dict[str, Waiting], db: Database, owner: psycopg.Connection, partner: int, now: datetime, meanwhile: str
) -> None:
    service = waiting["good"].service_id
    owner.execute(f"UPDATE supply SET {meanwhile} WHERE service_id = %s", (service,))  # noqa: S608 - ours
    row = "SELECT observed, generation FROM supply WHERE service_id = %s"
    before = owner.execute(row, (service,)).fetchone()

    back = asyncio.run(look_at(db, Room(hangs, now), partner, now + timedelta(seconds=5), waiting["good"]))

    assert back == [False]
    assert owner.execute(row, (service,)).fetchone() == before
