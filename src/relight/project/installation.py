"""The installation that commands work on."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from relight.cli.main import may_begin
from relight.cli.output import news
from relight.flow.database import Database
from relight.flow.niceness import go_gently
from relight.flow.payments.links import LinkKey, make
from relight.flow.road.release import LinkMaker
from relight.project import boot, checks, connect, embedded, paths, readiness
from relight.project.backup import Backups
from relight.project.errors import UnableToProvideDatabase

_LOOKS_EVERY_SECONDS = 1.0


class Installed:
    """See `relight.cli.installation.Installation`."""

    def database(self, *, size_max: int = 8) -> Database:
        """The database as the role that runs in production."""
        _start()
        return boot.open_database(size_max=size_max)

    def go_gently(self) -> None:
        """See `relight.flow.niceness`."""
        go_gently()

    def owner_url(self) -> str:
        """The address for the role that owns the tables."""
        return _start().owner

    def checks(self) -> Sequence[checks.Check]:
        """What doctor looks at, once what can be put in place is in place."""
        with suppress(UnableToProvideDatabase, psycopg.Error):  # the checks say what is wrong, and the remedy
            _start()
        return checks.run_checks()

    def migrate(self) -> None:
        """Bring the tables up to date."""
        _start()

    def pay_link(self, base_url: str) -> LinkMaker:
        """A maker of pay links' addresses, signed with the installation's secret."""
        _start()
        key = LinkKey.of(os.environ["RELIGHT_SECRET_KEY"])
        return LinkMaker(base_url, lambda partner_id, link_id: make(partner_id, link_id, key))

    def serve(self, *, host: str, port: int, workers: int) -> None:
        """Serve the web until it is ended."""
        from relight.project.serve import serve

        _start()
        serve(host=host, port=port, workers=workers)

    def make_user(self, *, username: str, password: str, partner: str, role: str) -> None:
        """A user with a role at a partner."""
        from relight.project.users import make_user

        _start()
        make_user(username=username, password=password, partner=partner, role=role)

    def keep_database(self, is_up: Callable[[], object]) -> None:
        """Keep the embedded database up until we are ended; `is_up` is called once it answers."""
        _start()
        server = connect.resolve().server
        if server is None:
            raise UnableToProvideDatabase(
                "The database is a server of its own (DATABASE_URL).", remedy="Leave `relight database` out."
            )
        is_service = readiness.ready()
        is_up()
        try:
            while True:
                time.sleep(_LOOKS_EVERY_SECONDS)
                if not embedded.is_running(server.home):
                    server.ensure_running()
        finally:
            if is_service:  # what a service leaves behind is killed: others that use the server lose it in good order
                server.stop()

    def backups(self, folder: Path) -> Backups:
        """A folder of backups of this installation."""
        return Backups(folder)

    def now(self) -> datetime:
        """The host's moment."""
        return datetime.now(UTC)


def _start() -> boot.Started:
    """Everything in place; where nothing is yet, only for a command that may begin it, and then it is told."""
    is_there = bool(os.environ.get(connect.APP_VARIABLE)) or connect.is_begun()
    if not may_begin():
        connect.must_be_begun()
    started = boot.start()
    if not is_there:
        news(f"A new installation, with a database of its own, is in {paths.home()}.")
    return started
