"""What commands may ask of an installation; the project provides it, so that commands need not know how it is made."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from relight.flow.database import Database
from relight.flow.road.release import LinkMaker


class CheckResult(Protocol):
    """One of doctor's checks."""

    name: str
    ok: bool
    found: str
    remedy: str


class BackupMade(Protocol):
    """A base copy."""

    folder: Path
    complete: datetime


class BackupChecked(Protocol):
    """What a folder of backups holds: from when to when, how many copies and segments of the log, what is wrong."""

    since: datetime | None
    until: datetime | None
    bases: int
    segments: int
    problems: Sequence[str]


class BackupRestored(Protocol):
    """A new home: of which copy, and its last commit."""

    home: Path
    base: str
    last_commit: datetime | None


class Backups(Protocol):
    """A folder of backups, and what can be done with it. Refusals are the installation's own, each with a remedy."""

    def make(self, *, keep: int) -> BackupMade:
        """A base copy of the database as it runs; the newest `keep` stay."""
        ...

    def stream(self, *, nothing_lost: bool, is_up: Callable[[], object]) -> None:
        """Write the log of every commit until it is ended; `is_up` is called once it is being written."""
        ...

    def check(self) -> BackupChecked:
        """Whether it could be restored from."""
        ...

    def restore(self, home: Path, *, until: datetime | None, tell: Callable[[str], object]) -> BackupRestored:
        """A new home from it."""
        ...


class Installation(Protocol):
    """A running installation: made at the first question that needs one."""

    def database(self, *, size_max: int = 8) -> Database:
        """The database as the role that runs in production; migrated, with at least one partner."""
        ...

    def go_gently(self) -> None:
        """From now on this process gives way to those that others wait for, and so do the sessions that it opens."""
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

    def keep_database(self, is_up: Callable[[], object]) -> None:
        """Keep the embedded database up until we are ended; `is_up` is called once it answers."""
        ...

    def backups(self, folder: Path) -> Backups:
        """A folder of backups of this installation."""
        ...

    def now(self) -> datetime:
        """The host's moment, for those that have no database yet."""
        ...
