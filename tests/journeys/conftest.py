"""Journeys use the flow tests' database and partners."""

from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest

from relight.flow.database import Database
from tests.flow.conftest import database_urls, db, now, owner, partner

from tests.journeys.world import World

__all__ = ["database_urls", "db", "now", "owner", "partner"]


@pytest.fixture
def world(db: Database, owner: psycopg.Connection, partner: int, now: datetime) -> Iterator[World]:
    """One partner's days, with simulated devices and an inbox."""
    made = World(db, owner, partner, now)
    yield made
    made.close()
