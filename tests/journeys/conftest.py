"""Journeys use the flow tests' database and partners; streets are worlds on real counterparts."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from relight.flow.database import Database
from tests.counterparts.meter import MeterPark
from tests.counterparts.smsc import Smsc
from tests.flow.conftest import database_urls, db, now, owner, partner
from tests.flow.factories import Account
from tests.journeys.processes import Workers
from tests.journeys.street import Street, Town, running_town
from tests.journeys.world import World

__all__ = ["database_urls", "db", "now", "owner", "partner"]


@pytest.fixture
def world(db: Database, owner: psycopg.Connection, partner: int, now: datetime) -> Iterator[World]:
    """One partner's days, with simulated devices and an inbox."""
    made = World(db, owner, partner, now)
    yield made
    made.close()


@pytest.fixture
def asked(world: World) -> Account:
    """Somebody with a bill that is asked for today."""
    world.policy("broadband-no")
    account = world.customer(contacts={"sms": "+4790000200"})
    world.invoice(account, due=world.moment.date() - timedelta(days=5))
    return account


@pytest.fixture(scope="session")
def town(database_urls: dict[str, str]) -> Iterator[Town]:
    """FreeRADIUS and the mail relay of all streets."""
    with running_town(database_urls["owner"]) as running:
        yield running


@pytest.fixture
def street(
    town: Town, db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path
) -> Iterator[Street]:
    """One partner's days on the real counterparts, with an SMSC and meters of its own."""
    letters = tmp_path / "letters"
    letters.mkdir()
    with Smsc() as smsc, MeterPark(16) as park:
        made = Street(town, smsc, park, letters, db, owner, partner, now)
        yield made
        made.close()
        town.radius.execute("DELETE FROM nas_orders")
        town.radius.mute(0)


@pytest.fixture
def workers(database_urls: dict[str, str], tmp_path: Path) -> Iterator[Workers]:
    """Worker processes on the tests' database."""
    folder = tmp_path / "workers"
    folder.mkdir()
    made = Workers(database_urls, folder)
    yield made
    made.end()
