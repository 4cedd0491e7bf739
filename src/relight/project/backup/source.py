"""The server that is backed up, and PostgreSQL's own programs that do it."""

import atexit
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from relight.flow.database import reachable
from relight.flow.watch.copies import SLOT
from relight.project import binaries, cluster, connect, embedded, paths
from relight.project.backup.places import URL_VARIABLE
from relight.project.embedded import Server
from relight.project.errors import UnableToBackUp

RECEIVER = SLOT  # one name: of the slot, and of the session that commits may wait for


@dataclass(frozen=True, slots=True)
class Source:
    """A server: where replication connects to (libpq), the programs' folder, its version, identity and timeline."""

    conninfo: str
    programs: Path
    major: int
    system: int
    timeline: int
    is_embedded: bool

    def run(self, program: str, *words: str | Path) -> None:
        """Run one of PostgreSQL's programs to its end. Raises `UnableToBackUp` with what it said."""
        done = subprocess.run(
            self.command(program, *words), capture_output=True, text=True, check=False, errors="replace"
        )
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["it did not say why"]
            raise UnableToBackUp(
                f"{program}: {said[-1]}.", remedy=f"See that there is room, and that {URL_VARIABLE} may replicate."
            )

    def clock(self) -> datetime:
        """The server's moment (UTC): moments to come back to are compared with its commits."""
        with psycopg.connect(self.conninfo) as connection:
            found = connection.execute("SELECT clock_timestamp()").fetchone()
        assert found is not None
        return found[0].astimezone(UTC)

    def command(self, program: str, *words: str | Path) -> Sequence[str]:
        """The words that run a program."""
        return [str(self.programs / program), *map(str, words)]


def source() -> Source:
    """The installation's server; one of somebody else's as `RELIGHT_BACKUP_URL`, a role that may replicate."""
    is_embedded = not os.environ.get(connect.APP_VARIABLE)
    if is_embedded:
        conninfo = _embedded().url(cluster.SUPERUSER, "postgres")
    elif given := os.environ.get(URL_VARIABLE):
        conninfo = given
    else:
        raise UnableToBackUp(
            "The database is on a server of its own, which only a role that may replicate can copy.",
            remedy=f"Set {URL_VARIABLE} to the address of one (CREATE ROLE … REPLICATION), or use your own backups.",
        )
    conninfo = make_conninfo(reachable(conninfo), application_name=RECEIVER)
    try:
        with psycopg.connect(conninfo) as connection:
            found = connection.execute(
                "SELECT (SELECT system_identifier FROM pg_control_system()),"
                " (SELECT timeline_id FROM pg_control_checkpoint())"
            ).fetchone()
            assert found is not None
            major = connection.info.server_version // 10000
    except psycopg.OperationalError as away:
        raise UnableToBackUp(
            f"The server does not let us in: {str(away).strip()}.", remedy=f"Look at {URL_VARIABLE}."
        ) from away
    return Source(conninfo, _programs(major), major, found[0], found[1], is_embedded)


def _embedded() -> Server:
    """The embedded server, as it is: preparing it anew writes, and a commit may be waiting for us to stream."""
    connect.must_be_begun()
    server = embedded.acquire_as_it_is(paths.home())
    atexit.register(server.release)
    return server


def beside(home: Path) -> list[Path]:
    """Files of home that a restored installation needs: without its secret, links that were sent do not open."""
    return [path for name in ("secret", "app-credentials.json") if (path := home / name).exists()]


def home() -> Path:
    """The installation's home."""
    return paths.home()


def _programs(major: int) -> Path:
    for one in binaries.found():
        if one.major == major and (one.folder / "pg_basebackup").exists() and (one.folder / "pg_receivewal").exists():
            return one.folder
    raise UnableToBackUp(
        f"PostgreSQL {major}'s pg_basebackup was not found.",
        remedy=f"Install its client programs (postgresql-client-{major}).",
    )
