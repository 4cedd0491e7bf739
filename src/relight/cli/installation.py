"""What commands may ask of an installation; the project provides it, so that commands need not know how it is made."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from relight.flow.database import Database
from relight.flow.road.release import LinkMaker


class CheckResult(Protocol):
    """One of doctor's checks."""

    name: str
    ok: bool
    found: str
    remedy: str


class Installation(Protocol):
    """A running installation: made at the first question that needs one."""

    def database(self, *, size_max: int = 8) -> Database:
        """The database as the role that runs in production; migrated, with at least one partner."""
        ...

    def owner_url(self) -> str:
        """The address for the role that owns the tables: for making partners and measuring raw limits."""
        ...

    def checks(self) -> Sequence[CheckResult]:
        """What doctor looks at."""
        ...

    def migrate(self) -> None:
        """Bring the tables up to date."""
        ...

    def pay_link(self, base_url: str) -> LinkMaker:
        """A maker of pay links' addresses."""
        ...

    def serve(self, *, host: str, port: int, workers: int) -> None:
        """Serve the web until it is ended."""
        ...

    def make_user(self, *, username: str, password: str, partner: str, role: str) -> None:
        """A user with a role at a partner."""
        ...

    def now(self) -> datetime:
        """The host's moment, for those that have no database yet."""
        ...
