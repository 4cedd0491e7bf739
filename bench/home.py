"""A private installation for a benchmark: its own home and database, gone afterwards.

Without DATABASE_URL it is the embedded PostgreSQL, durable as in production; with it, a database of its own name on
that server, which the role in DATABASE_URL must be allowed to create.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from relight.flow.database import Database
from relight.project import cluster, connect, paths

_Server = tuple[connect.DatabaseUrls, str, dict[str, str]]
"""The two roles' addresses, the administrator's, and what children need in their environment."""

_RELIGHT = (sys.executable, "-m", "relight.project.main")


@dataclass(frozen=True, slots=True)
class Home:
    """A migrated installation. `environment` is what its processes run in."""

    folder: Path
    owner_url: str
    app_url: str
    admin_url: str
    environment: Mapping[str, str]

    def command(self, *words: str) -> list[str]:
        """`relight …` as a command line."""
        return [*_RELIGHT, *words]

    def owner(self) -> psycopg.Connection:
        """A connection that commits each statement and sees every partner's rows."""
        return psycopg.connect(self.owner_url, autocommit=True, options="-c search_path=relight")

    @contextmanager
    def filling(self) -> Iterator[psycopg.Connection]:
        """The owner's connection to put rows in by. Where the server's administrator may, foreign keys are not looked
        up row by row and triggers rest: what is put in is history, long since checked and long since in the feed."""
        with psycopg.connect(self.admin_url, autocommit=True, options="-c search_path=relight") as connection:
            with suppress(psycopg.errors.InsufficientPrivilege):
                connection.execute("SET session_replication_role = replica")
            yield connection

    def database(self, *, size_max: int = 4) -> Database:
        """The database as production sees it; not yet open."""
        return Database(self.app_url, size_max=size_max, name="relight-bench")


@contextmanager
def private() -> Iterator[Home]:
    """An installation that only this benchmark knows."""
    folder = Path(tempfile.mkdtemp(prefix="relight-bench-"))
    (folder / paths.MADE_BY_RELIGHT).touch()
    given = os.environ.get(connect.APP_VARIABLE)
    try:
        with _on_server(given) if given else _embedded(folder) as (urls, admin, more):
            environment = {**os.environ, **more, "RELIGHT_SECRET_KEY": secrets.token_urlsafe(50)}
            subprocess.run([*_RELIGHT, "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL)
            yield Home(folder, urls.owner, urls.app, admin, environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _embedded(folder: Path) -> Iterator[_Server]:
    before = os.environ.get(paths.HOME_VARIABLE)
    os.environ[paths.HOME_VARIABLE] = str(folder)
    try:
        urls = connect.resolve()
        assert urls.server is not None
        try:
            yield urls, urls.server.url(cluster.SUPERUSER), {}
        finally:
            urls.server.release()
    finally:
        if before is None:
            del os.environ[paths.HOME_VARIABLE]
        else:
            os.environ[paths.HOME_VARIABLE] = before


@contextmanager
def _on_server(given: str) -> Iterator[_Server]:
    """Keeps the home, where the roles' passwords may lie; only the database is another."""
    name = f"relight_bench_{secrets.token_hex(4)}"
    own = make_conninfo(given, dbname=name)
    environment = {connect.APP_VARIABLE: own}
    try:
        yield connect.resolve({**os.environ, **environment}), own, environment
    finally:
        with psycopg.connect(given, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
