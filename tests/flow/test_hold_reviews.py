"""A hold that protects somebody does not end by itself: at its review date a person is asked to look."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest

from relight.flow.cases import operations as cases
from relight.flow.database import Database
from tests.journeys.world import World


@pytest.fixture
def world(db: Database, owner: psycopg.Connection, partner: int, now: datetime) -> Iterator[World]:
    made = World(db, owner, partner, now)
    yield made
    made.close()


def reviews(world: World) -> list[tuple[str, str]]:
    return [
        (row[0], row[1])
        for row in world.rows("SELECT state, params->>'reason' FROM task WHERE code = 'hold_review' ORDER BY id")
    ]


def test_a_protective_hold_becomes_a_task_at_its_review_date_and_goes_on(world: World) -> None:
    account = world.customer()
    world.service(account)
    world.invoice(account)
    world.days(20)
    in_a_month = world.moment.date() + timedelta(days=30)
    hold = world.hold(account, "medical", protective=True, review_date=in_a_month)
    world.hold(account, "promise", ends_at=world.moment + timedelta(days=3))
    steps = world.steps(account)

    world.days(29)
    before = reviews(world)
    world.days(3)
    asked = reviews(world)
    world.days(20)
    later = reviews(world)
    world.do_tasks(account, "hold_review")
    world.days(14)
    again = reviews(world)

    assert (before, asked, later) == ([], [("open", "medical")], [("open", "medical")])
    assert again == [("done", "medical"), ("open", "medical")]
    assert world.steps(account) == steps
    with world.db.transaction(world.partner) as tx:
        cases.end_hold(tx, hold_id=hold, actor="bente", now=world.moment)
    assert reviews(world) == [("done", "medical"), ("done", "medical")]
    world.days(60)
    assert len(reviews(world)) == 2
    assert len(world.steps(account)) > len(steps)
