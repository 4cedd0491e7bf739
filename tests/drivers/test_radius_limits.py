"""Broadband over RADIUS: what must not leave, the database away, and many at once."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest

from relight.core.levels import Level
from relight.drivers.radius import RadiusDriver
from relight.drivers.radius_sql import DatabaseOut, GroupStore
from relight.flow.effects.port import Outcome, Result
from relight.flow.supply.port import Target
from tests.counterparts.freeradius import FreeRadius
from tests.drivers.radius_household import (
    GARDEN_FILTER,
    QUICK,
    Household,
    attempt,
    household,
    opened,
    running_radius,
)

pytestmark = pytest.mark.counterpart


@pytest.fixture(scope="module")
def radius() -> Iterator[FreeRadius]:
    with running_radius() as running:
        yield running


@pytest.fixture(autouse=True)
def _access_server_behaves(radius: FreeRadius) -> Iterator[None]:
    yield
    radius.mute(0)
    radius.mute_accounting(False)
    radius.execute("DELETE FROM nas_orders")


# Nothing leaves that should not.


def test_a_release_too_old_changes_nothing(radius: FreeRadius) -> None:
    with household(radius, "stale") as home:
        outcome = asyncio.run(home.driver.apply(home.target(), Level.OFF, attempt(seconds_left=-0.001)))

        assert outcome == Outcome.late()
        assert home.groups() == ["fiber-100"]
        assert radius.heard("stale") == []


def test_an_unknown_user_is_refused(radius: FreeRadius) -> None:
    with opened(radius.settings()) as driver:
        outcome = Household(radius, driver, "nobody").apply(Level.OFF)

        assert (outcome.result, outcome.code) == (Result.REFUSED, "unknown_user")
        assert radius.groups_of("nobody") == []


def test_a_group_that_could_not_be_given_back_is_not_taken(radius: FreeRadius) -> None:
    with household(radius, "upgraded") as home:
        no_profile = home.apply(Level.OFF, profile="")
        other_profile = home.apply(Level.OFF, profile="fiber-500")
        lowered_profile = home.apply(Level.FULL, profile=GARDEN_FILTER)

        codes = [outcome.code for outcome in (no_profile, other_profile, lowered_profile)]
        assert codes == ["no_profile", "unexpected_group", "bad_profile"]
        assert home.groups() == ["fiber-100"]


def test_the_level_ready_and_an_address_without_a_name_are_refused(radius: FreeRadius) -> None:
    with household(radius, "refusals", online=False) as home:
        ready = home.apply(Level.READY)
        nameless = asyncio.run(home.driver.apply(Target("broadband", {}), Level.OFF, attempt()))

        assert (ready.result, ready.code) == (Result.REFUSED, "unsupported_level")
        assert (nameless.result, nameless.code) == (Result.REFUSED, "bad_address")


def test_reading_changes_nothing(radius: FreeRadius) -> None:
    with household(radius, "reader") as home:
        before = radius.execute("SELECT xmin::text, * FROM radusergroup WHERE username = 'reader'")

        seen = home.read()

        assert (seen.level, seen.proof) == (Level.FULL, "re-authentication")
        assert radius.execute("SELECT xmin::text, * FROM radusergroup WHERE username = 'reader'") == before
        assert radius.heard("reader") == []


# The database, and many at once.


def test_a_database_out_of_reach_is_busy(radius: FreeRadius) -> None:
    settings = radius.settings(database="host=127.0.0.1 port=1 user=radius dbname=radius", database_timeout_seconds=0.3)
    with opened(settings) as driver:
        home = Household(radius, driver, "anybody")

        outcome, seen = home.apply(Level.OFF), home.read()

        assert (outcome.result, outcome.code) == (Result.BUSY, "database_down")
        assert seen.level is None


def test_a_connection_that_the_database_ended_is_replaced_and_costs_one_question_at_most(
    radius: FreeRadius,
) -> None:
    store = GroupStore(radius.conninfo, timeout_seconds=10, connections_max=1)
    radius.add_user("replaced")
    try:
        assert store.first_group("replaced")
        (mine,) = (connection.info.backend_pid for connection in store._used_at)
        radius.execute("SELECT pg_terminate_backend(%s)", [mine])
        time.sleep(1.5)
        assert store.first_group("replaced")  # it had rested, and was asked whether it is there

        (mine,) = (connection.info.backend_pid for connection in store._used_at if not connection.closed)
        radius.execute("SELECT pg_terminate_backend(%s)", [mine])
        with suppress(DatabaseOut):  # it was used just now
            store.first_group("replaced")
        assert store.first_group("replaced")
    finally:
        store.close()


def test_a_row_locked_by_another_is_busy_and_nothing_is_sent(radius: FreeRadius) -> None:
    with (
        household(radius, "locked", database_timeout_seconds=2) as home,
        psycopg.connect(radius.conninfo) as other,
    ):
        other.execute("SELECT * FROM radusergroup WHERE username = 'locked' FOR UPDATE")

        outcome = home.apply(Level.OFF)

        assert (outcome.result, outcome.code) == (Result.BUSY, psycopg.errors.LockNotAvailable.sqlstate)
        assert radius.heard("locked") == []


def test_fifty_at_once_each_get_their_own_answer(radius: FreeRadius) -> None:
    levels = {f"many-{n}": (Level.WALLED_GARDEN, Level.LIMITED)[n % 2] for n in range(50)}
    for username in levels:
        radius.add_user(username)
        radius.start_session(username)

    async def everybody(driver: RadiusDriver) -> list[Outcome]:
        targets = [Household(radius, driver, username).target() for username in levels]
        return await asyncio.gather(
            *(driver.apply(target, level, attempt(60)) for target, level in zip(targets, levels.values(), strict=True))
        )

    with opened(radius.settings()) as driver:
        outcomes = asyncio.run(everybody(driver))

    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    assert [outcome.facts["observed"] for outcome in outcomes] == list(levels.values())
    filters = {Level.WALLED_GARDEN: GARDEN_FILTER, Level.LIMITED: "limited"}
    in_force = {session.username: session.attributes["Filter-Id"] for session in radius.sessions}
    assert {username: in_force[username] for username in levels} == {
        username: filters[level] for username, level in levels.items()
    }


def test_closing_leaves_no_socket_open(radius: FreeRadius) -> None:
    before = len(os.listdir("/proc/self/fd"))

    with household(radius, "tidy", **QUICK) as home:
        home.apply(Level.WALLED_GARDEN)
        radius.mute(60)
        home.apply(Level.FULL)

    assert len(os.listdir("/proc/self/fd")) <= before
