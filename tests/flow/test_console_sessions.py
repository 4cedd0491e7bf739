"""Sessions of the console that are over are taken away by a worker, in batches, and the others are left alone."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from relight.flow.database import Database
from relight.flow.partners.sessions import BATCH, forget_sessions
from relight.flow.road.release import LinkMaker
from relight.flow.road.worker import Worker

LINK = LinkMaker("https://betal.example", lambda partner_id, link_id: f"{partner_id}-{link_id}")


@pytest.fixture
def now(owner: psycopg.Connection) -> datetime:
    """The moment itself; nobody else's sessions are there."""
    owner.execute("DELETE FROM django_session")
    return datetime.now(UTC)


def add_sessions(owner: psycopg.Connection, number: int, expires_at: datetime) -> None:
    owner.execute(
        "INSERT INTO django_session (session_key, session_data, expire_date)"
        " SELECT md5(random()::text || n), '', %s FROM generate_series(1, %s) AS n",
        (expires_at, number),
    )


def left(owner: psycopg.Connection) -> int:
    found = owner.execute("SELECT count(*) FROM django_session").fetchone()
    assert found
    return found[0]


def test_a_batch_of_those_that_are_over_goes_at_once_and_the_oldest_first(
    db: Database, owner: psycopg.Connection, now: datetime
) -> None:
    add_sessions(owner, BATCH, now - timedelta(days=30))
    add_sessions(owner, 3, now - timedelta(seconds=1))
    add_sessions(owner, 2, now + timedelta(seconds=1))

    counts = list[int]()
    for _ in range(3):
        with db.transaction(None) as tx:
            counts.append(forget_sessions(tx, now))

    assert counts == [BATCH, 3, 0]
    assert left(owner) == 2


def test_a_worker_takes_away_all_of_them_and_none_that_is_in_use(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime
) -> None:
    add_sessions(owner, BATCH + 3, now - timedelta(days=30))
    add_sessions(owner, 2, now + timedelta(hours=12))
    worker = Worker(db, LINK, only={partner}, lanes=("bulk",))

    asyncio.run(one_round(worker, owner))

    assert left(owner) == 2


async def one_round(worker: Worker, owner: psycopg.Connection) -> None:
    """Let it work until a round of its housekeeping is done."""
    running = asyncio.create_task(worker.run())
    while left(owner) > 2:
        await asyncio.sleep(0.05)
    worker.stop()
    await running
