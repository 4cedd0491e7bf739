"""`relight partner limits`: what may be cut an hour and a day, what was, and which drivers rest."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from relight.cli.main import relight
from relight.flow.database import Database
from tests.flow.test_rates_command import Connected

Command = Callable[..., Any]


@pytest.fixture
def limits(database_urls: dict[str, str], owner: psycopg.Connection, partner: int) -> Command:
    """The command for the test's partner; what it answers."""
    slug = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone()
    assert slug is not None

    def run(*words: str) -> Any:
        arguments = ["partner", "limits", slug[0], *words, "--json"]
        done = CliRunner().invoke(relight, arguments, obj=Connected(database_urls["app"]), catch_exceptions=False)
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_limits_are_set_one_by_one(limits: Command) -> None:
    before = limits()
    limits("--cuts-per-hour", "7")
    after = limits("--cuts-per-day", "30")

    assert before["cuts"] == {"per_hour": 50, "per_day": 200, "last_hour": 0, "last_day": 0}
    assert (after["cuts"]["per_hour"], after["cuts"]["per_day"]) == (7, 30)


def test_a_resting_driver_is_shown(limits: Command, owner: psycopg.Connection, db: Database, partner: int) -> None:
    now = db.clock()
    owner.execute(
        "INSERT INTO driver_rest (partner_id, kind, name, state, failures, rests, rest_until, code, since)"
        " VALUES (%s, 'supply', 'radius', 'resting', 9, 1, %s, 'timeout', %s)",
        (partner, now + timedelta(minutes=1), now),
    )

    (driver,) = limits()["drivers"]

    assert (driver["driver"], driver["state"], driver["failures"], driver["code"]) == (
        "radius",
        "resting",
        9,
        "timeout",
    )
