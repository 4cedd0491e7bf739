"""A customer on the real FreeRADIUS, and the driver that is asked about them: shared by the RADIUS tests."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from relight.core.levels import Level
from relight.drivers.radius import RadiusDriver
from relight.flow.effects.port import Attempt, Outcome
from relight.flow.supply.port import Observation, Target
from tests.counterparts import postgres
from tests.counterparts.freeradius import PASSWORD, FreeRadius, fresh_database

GARDEN_FILTER = "walled-garden"
QUICK = {"timeout_seconds": 0.5, "retries": 1, "accounting_seconds": 1.0}


@contextmanager
def running_radius(*, reject_delay: int = 0) -> Iterator[FreeRadius]:
    """FreeRADIUS on a PostgreSQL of its own."""
    with postgres.running() as server, FreeRadius(fresh_database(server), reject_delay=reject_delay) as running:
        yield running


class Household:
    """A customer, online, and a driver that can be asked about them."""

    def __init__(self, radius: FreeRadius, driver: RadiusDriver, username: str) -> None:
        self.radius, self.driver, self.username = radius, driver, username

    def apply(self, level: Level, *, password: str = PASSWORD, profile: str = "fiber-100") -> Outcome:
        return asyncio.run(self.driver.apply(self.target(password, profile), level, attempt()))

    def read(self, *, password: str = PASSWORD, profile: str = "fiber-100") -> Observation:
        return asyncio.run(self.driver.read(self.target(password, profile)))

    def target(self, password: str = PASSWORD, profile: str = "fiber-100") -> Target:
        return Target("broadband", {"username": self.username, "password": password}, profile=profile)

    def log_in(self) -> dict[str, str]:
        return self.radius.authenticate(self.username)

    def filter_in_force(self) -> str | None:
        in_force = self.radius.enforced(self.username)
        return in_force["Filter-Id"] if in_force else None

    def groups(self) -> list[str]:
        return self.radius.groups_of(self.username)


@contextmanager
def household(radius: FreeRadius, username: str, *, online: bool = True, **changes: object) -> Iterator[Household]:
    radius.add_user(username)
    if online:
        radius.start_session(username)
    with opened(radius.settings(**changes)) as driver:
        yield Household(radius, driver, username)


@contextmanager
def opened(settings: dict[str, object]) -> Iterator[RadiusDriver]:
    driver = RadiusDriver(settings)
    try:
        yield driver
    finally:
        asyncio.run(driver.aclose())


def attempt(seconds_left: float = 10) -> Attempt:
    return Attempt(key="effect-1", number=1, send_before=datetime.now(UTC) + timedelta(seconds=seconds_left))


END_SESSION = "UPDATE radacct SET acctstoptime = now() WHERE username = new.username;"
# Its log-in was accepted before the move; accounting hears of it after the driver has looked.
START_ANOTHER = """
    INSERT INTO nas_session (session_id, username, attributes) VALUES ('raced-late', new.username, '{}')
        ON CONFLICT DO NOTHING;
    INSERT INTO radacct (acctsessionid, acctuniqueid, username, nasipaddress, acctstarttime)
        SELECT 'raced-late', md5('raced,raced-late,127.0.0.1'), new.username, '127.0.0.1', now()
        ON CONFLICT DO NOTHING;"""


@contextmanager
def when_heard(radius: FreeRadius, username: str, statements: str) -> Iterator[None]:
    """Something happens the moment the access server has heard about `username`."""
    radius.execute(
        f"CREATE FUNCTION meanwhile() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statements} RETURN NULL; END $$"
    )
    radius.execute(
        "CREATE TRIGGER meanwhile AFTER INSERT ON nas_heard FOR EACH ROW "
        f"WHEN (new.username = '{username}') EXECUTE FUNCTION meanwhile()"
    )
    try:
        yield
    finally:
        radius.execute("DROP FUNCTION meanwhile CASCADE")
