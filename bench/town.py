"""What benchmarks restore on: a real FreeRADIUS with its SQL module, and electricity meters in a process of their own.

Both come from tests/counterparts. FreeRADIUS's database lies on the same server as Relight's, so all moments are read
from one clock.
"""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bench.home import Home
from relight.flow.database import statements
from tests.counterparts.freeradius import GROUPS, PASSWORD, FreeRadius
from tests.counterparts.meter import MeterPark

SQL = statements("bench", "restore.sql")


@dataclass(frozen=True)
class Town:
    """The counterparts, and the moment at which each first heard of a restore."""

    radius: FreeRadius
    park: MeterPark
    password = PASSWORD  # every broadband customer's

    @property
    def drivers(self) -> Mapping[str, Any]:
        """A partner's settings for supply here; `sim` is for those whose supply nobody touches."""
        return {
            "radius": {"driver": "radius", **self.radius.settings()},
            "dlms": {"driver": "dlms"},
            "sim": {"driver": "simulator"},
        }

    def move_in(self, username: str, level: str) -> None:
        """A broadband customer whose line is at a lowered level; one in the walled garden is online there."""
        self.radius.add_user(username, profile=GROUPS[level])
        if level != "off":
            self.radius.start_session(username)

    def watch(self) -> None:
        """From now on, keep when each customer's group is first touched."""
        self.radius.execute(SQL.watch_groups)

    def radius_heard(self) -> dict[str, datetime]:
        """When FreeRADIUS's database was first changed for each customer, by its own server's clock."""
        return {str(row[0]): row[1] for row in self.radius.execute(SQL.groups_touched)}

    def meter_heard(self, number: int) -> datetime | None:
        """When a meter was first connected to."""
        first = self.park.meters[number].state()["first_heard"]
        return datetime.fromtimestamp(first, UTC) if first else None


@contextmanager
def running_town(home: Home, meters: int) -> Iterator[Town]:
    """FreeRADIUS with a database of its own beside Relight's, and meters whose breakers are open."""
    name = f"radius_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(home.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        with (
            FreeRadius(make_conninfo(home.admin_url, dbname=name)) as radius,
            MeterPark(meters, state="disconnected") as park,
        ):
            yield Town(radius, park)
    finally:
        with psycopg.connect(home.admin_url, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
