"""A message names what the bank matches on: the oldest bill's payment reference, the same as on the pay page."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest

from relight.flow.database import Database
from tests.flow.factories import Account
from tests.journeys.world import World

KID = "2345676"


@pytest.fixture
def world(db: Database, owner: psycopg.Connection, partner: int, now: datetime) -> Iterator[World]:
    made = World(db, owner, partner, now)
    yield made
    made.close()


def texts(world: World, account: Account) -> list[str]:
    return [
        row[0]
        for row in world.rows(
            "SELECT b.text FROM sent_message m JOIN message_body b ON b.message_id = m.id"
            " WHERE m.account_id = %(a)s AND m.channel = 'sms' ORDER BY m.id",
            a=account.id,
        )
    ]


@pytest.mark.parametrize(("reference", "asked"), [(KID, KID), ("", "F-1")])
def test_one_bill_is_asked_for_by_its_reference_or_else_its_number(world: World, reference: str, asked: str) -> None:
    account = world.customer()
    world.service(account)
    world.invoice(account, number="F-1", reference=reference)

    world.days(21)

    assert texts(world, account)
    assert all(f"KID {asked}" in text for text in texts(world, account))


def test_several_bills_are_asked_for_by_the_oldest_ones_reference(world: World) -> None:
    account = world.customer()
    world.service(account)
    world.invoice(account, number="F-2", reference="9999993", due=world.moment.date() - timedelta(days=1))
    world.invoice(account, number="F-1", reference=KID, due=world.moment.date() - timedelta(days=2))

    world.days(21)

    assert all(f"KID {KID}" in text for text in texts(world, account))
    assert texts(world, account)
