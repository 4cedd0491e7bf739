"""A private PostgreSQL for the flow tests, migrated once; each test has a partner of its own, so nothing is cleaned up.

Tests run as `relight_app`, the role that runs in production. `owner` sees across partners: to arrange and to look.
"""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from relight.flow.database import Database
from relight.project import roles, snapshot
from tests.counterparts import postgres

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def database_urls() -> Iterator[dict[str, str]]:
    """Connection strings of a migrated database, by role: `owner`, `app`, and the superuser `admin`."""
    with migrated() as urls:
        yield urls


@contextmanager
def migrated() -> Iterator[dict[str, str]]:
    """A private server for as long as the block lasts; connection strings of its migrated database, by role."""
    with postgres.running() as server:
        roles.provision(server.url(), database="relight")
        urls = {
            "owner": make_conninfo(server.url(roles.OWNER, "relight"), options="-c search_path=relight"),
            "app": server.url(roles.APP, "relight"),
            "admin": make_conninfo(server.url(database="relight"), options="-c search_path=relight"),
        }
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "relight.project.settings",
            "RELIGHT_OWNER_DATABASE": server.url(roles.OWNER, "relight"),
            "RELIGHT_APP_DATABASE": urls["app"],
            "RELIGHT_SECRET_KEY": "only for tests",
        }
        snapshot.load(urls["owner"])
        command = [sys.executable, "-m", "django", "migrate", "--database", "owner", "--verbosity", "0"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        yield urls


@pytest.fixture(scope="session")
def db(database_urls: dict[str, str]) -> Iterator[Database]:
    """The database as production sees it."""
    with Database(database_urls["app"], name="relight-tests") as database:
        yield database


@pytest.fixture
def owner(database_urls: dict[str, str]) -> Iterator[psycopg.Connection]:
    """A connection that commits each statement and sees every partner's rows."""
    with psycopg.connect(database_urls["owner"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def now() -> datetime:
    """The moment at which tests begin: a Monday morning in Oslo."""
    return datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def partner(owner: psycopg.Connection, now: datetime) -> int:
    """A fresh partner's id: live, Norwegian, kept in NOK, with one creditor and one brand."""
    return make_partner(owner, now)


@pytest.fixture
def other_partner(owner: psycopg.Connection, now: datetime) -> int:
    """Another one, whose rows nobody else may see."""
    return make_partner(owner, now)


def make_partner(owner: psycopg.Connection, now: datetime, *, mode: str = "live") -> int:
    """Insert a partner with a creditor and a brand; its id."""
    slug = f"nordlys-{next(_numbers)}"
    found = owner.execute(
        "INSERT INTO partner (slug, name, country, currency, language, time_zone, mode, created_at)"
        " VALUES (%s, 'Nordlys Kraft', 'NO', 'NOK', 'nb', 'Europe/Oslo', %s, %s) RETURNING id",
        (slug, mode, now),
    ).fetchone()
    assert found is not None
    owner.execute(
        "INSERT INTO creditor (partner_id, name, bank_account) VALUES (%s, 'Nordlys Kraft AS', '15032080119')", found
    )
    owner.execute(
        "INSERT INTO brand (partner_id, name, sms_sender, email_sender)"
        " VALUES (%s, 'Nordlys', 'Nordlys', 'hei@nordlys.example')",
        found,
    )
    return found[0]
