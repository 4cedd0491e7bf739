"""The embedded PostgreSQL: started by the first command that needs it, stopped by the last that used it.

Three locks in home's `locks` folder say who may do what. `turn` is held while the server is started or stopped.
`users` is shared by every command that uses the server; whoever gets it alone was the last. `server` is inherited by
the server's own processes, so that it is free only when all of them are gone. Whoever is killed lets go by dying.
"""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import make_conninfo

from relight.project import cluster, paths, postmaster, roles
from relight.project.errors import UnableToStartServer
from relight.project.locks import POLL_SECONDS, FileLock, exclusive

DATABASE = "relight"
# Orphans of a killed server end by themselves within moments, except one in the middle of a long statement.
_ORPHAN_GRACE_SECONDS = 3


@dataclass(slots=True)
class Server:
    """A running server that this process uses until `release()`. Safe to hold more than once in a process."""

    home: Path
    _use: FileLock

    def url(self, role: str = roles.APP, database: str = DATABASE) -> str:
        """Connection string (libpq) for `role` on `database`. No password: the socket's folder lets in only us."""
        return make_conninfo(
            "", host=str(paths.socket_folder(self.home)), port=5432, user=role, dbname=database, connect_timeout=10
        )

    @property
    def is_held(self) -> bool:
        """Whether this process still uses the server."""
        return self._use.descriptor >= 0

    def ensure_running(self) -> None:
        """Start the server again if it was killed; for long-lived processes that have lost their connection."""
        with _turn(self.home):
            _ensure_running(self.home)

    def stop(self) -> None:
        """Stop it for everybody, in good order: who uses it loses the connection."""
        with _turn(self.home):
            cluster.stop(self.home)

    def release(self) -> None:
        """Stop using the server; the last user stops it, forked children included. A second call does nothing."""
        if not self.is_held:
            return
        with _turn(self.home):
            self._use.close()
            # A lock of our own, because a forked child may share the one just closed.
            last = FileLock(_lock(self.home, "users"))
            try:
                if last.try_exclusive():
                    cluster.stop(self.home)
            finally:
                last.close()


@contextmanager
def server(home: Path | None = None) -> Iterator[Server]:
    """Use the embedded server for the length of a `with` block. `home` defaults to Relight's own."""
    held = acquire(home)
    try:
        yield held
    finally:
        held.release()


def acquire(home: Path | None = None) -> Server:
    """Use the embedded server until `release()`: made, started, and given Relight's database and roles as needed."""
    held = acquire_as_it_is(paths.home() if home is None else paths.made(home))
    try:
        roles.provision(held.url(cluster.SUPERUSER, "postgres"), database=DATABASE)
    except BaseException:
        held.release()
        raise
    return held


@contextmanager
def as_it_is(home: Path) -> Iterator[Server]:
    """Use a server whose data was put there by somebody else: started, and not touched."""
    held = acquire_as_it_is(home)
    try:
        yield held
    finally:
        held.release()


def acquire_as_it_is(home: Path) -> Server:
    """Use the embedded server until `release()`: started as needed, and nothing is prepared in it."""
    (home / "locks").mkdir(mode=0o700, exist_ok=True)
    with _turn(home):
        _ensure_running(home)
        use = FileLock(_lock(home, "users"))
        is_shared = use.try_shared()
        # Somebody has it alone only within a turn, and the turn is ours.
        assert is_shared
        return Server(home, use)


def is_running(home: Path) -> bool:
    """Whether a server lives on this home's data."""
    data = cluster.data_folder(home)
    return data is not None and postmaster.read(data) is not None


def _turn(home: Path) -> AbstractContextManager[None]:
    return exclusive(_lock(home, "turn"), wait_seconds=cluster.WAIT_SECONDS_MAX)


def _lock(home: Path, name: str) -> Path:
    return home / "locks" / name


def _ensure_running(home: Path) -> None:
    life = FileLock(_lock(home, "server"))
    try:
        if _is_ready_or_gone(home, life):
            return
        cluster.start(home, keep_open=life.descriptor)
    finally:
        life.close()


def _is_ready_or_gone(home: Path, life: FileLock) -> bool:
    """True when a server is ready; False, with `life` ours alone, when none lives. Waits out all that is between."""
    began = time.monotonic()
    while True:
        data = cluster.data_folder(home)
        running = postmaster.read(data) if data else None
        if running and running.status == "ready":
            return True
        if running is None and life.try_exclusive():
            return False
        waited_seconds = time.monotonic() - began
        if waited_seconds > cluster.WAIT_SECONDS_MAX:
            raise UnableToStartServer(
                f"A server that is neither ready nor gone has held {data} for {cluster.WAIT_SECONDS_MAX} s.",
                remedy=f"Read its log in {home / 'log'}; if it runs in another container, stop that one first.",
            )
        if data and running is None and waited_seconds > _ORPHAN_GRACE_SECONDS:
            postmaster.end_orphans(data)
        time.sleep(POLL_SECONDS)
