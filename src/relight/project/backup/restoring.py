"""The way back: a new home from a base copy and its log, up to a moment or to the end, with everything held back.

What was sent after that moment is not known any more, so nothing leaves until a person lets it: the switch is off.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from relight.project import cluster, embedded, paths, roles
from relight.project.backup.places import BackupFolder, Base
from relight.project.embedded import Server
from relight.project.errors import UnableToBackUp, UnableToStartServer

_POLL_SECONDS = 0.2
STOPPED_BY = "relight backup restore"

Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Restored:
    """A new home: of which copy, and the last commit that is in it (UTC; None where the log held none)."""

    home: Path
    base: str
    last_commit: datetime | None


def restore(folder: BackupFolder, home: Path, *, until: datetime | None, tell: Tell) -> Restored:
    """Make a home from a backup, as of `until` or of the last commit that was written down. Raises `UnableToBackUp`."""
    folder.must_exist()
    if home.exists() and any(home.iterdir()):
        raise UnableToBackUp(f"{home} is not empty.", remedy="Restore into a new folder, and set RELIGHT_HOME to it.")
    base = _choose(folder, until)
    tell(f"copying {base.folder.name}")
    data = paths.made(home) / f"postgres{base.major}"
    shutil.copytree(base.data, data, symlinks=True)
    data.chmod(0o700)
    for path in base.home.iterdir():
        shutil.copy2(path, home)
    _lay_log(folder, base, data)
    _ask_to_recover(data, until)
    tell("recovering")
    with _recovered(home, folder, until) as server:
        last = _finish(server)
    return Restored(home, base.folder.name, last)


def _choose(folder: BackupFolder, until: datetime | None) -> Base:
    bases = folder.bases()
    usable = [base for base in bases if until is None or base.complete <= until]
    if usable:
        return usable[-1]
    first = f"; the first copy was complete at {bases[0].complete:%Y-%m-%d %H:%M:%S} UTC" if bases else ""
    raise UnableToBackUp(f"No copy in {folder.path} is that old{first}.", remedy="Name a later moment.")


def _lay_log(folder: BackupFolder, base: Base, data: Path) -> None:
    """Put the log where the server looks for it; what was being written last counts as far as it goes."""
    wal = data / "pg_wal"
    whole = folder.segments()
    for path in (*folder.wal.glob("*.history"), *(path for path in whole if path.name >= base.first_segment)):
        shutil.copy2(path, wal)
    for path in folder.unfinished():
        if path.stem >= base.first_segment and folder.wal / path.stem not in whole:
            shutil.copy2(path, wal / path.stem)


def _ask_to_recover(data: Path, until: datetime | None) -> None:
    lines = ["# Written by relight backup restore.", "restore_command = 'false'"]
    if until is not None:
        lines += [f"recovery_target_time = '{until.astimezone(UTC).isoformat()}'", "recovery_target_action = 'promote'"]
    (data / "postgresql.auto.conf").write_text("\n".join([*lines, ""]))
    (data / "recovery.signal").touch(mode=0o600)


@contextmanager
def _recovered(home: Path, folder: BackupFolder, until: datetime | None) -> Iterator[Server]:
    """The server, when it has read its log; stopped again at the end."""
    try:
        with embedded.as_it_is(home) as server:
            _wait(server)
            yield server
    except (UnableToStartServer, psycopg.OperationalError) as refused:
        if until is None:
            raise
        raise UnableToBackUp(
            f"The log in {folder.path} does not reach {until.isoformat()}.",
            remedy="Leave --until out: then all that was written down is there.",
        ) from refused


def _wait(server: Server) -> None:
    stands: tuple[str, float] | None = None  # at which place of the log, and since when
    while True:
        with psycopg.connect(server.url(cluster.SUPERUSER, "postgres")) as connection:
            found = connection.execute("SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()").fetchone()
        assert found is not None
        if not found[0]:
            return
        moved = (found[1], time.monotonic())
        stands = moved if stands is None or stands[0] != moved[0] else stands
        if moved[1] - stands[1] > cluster.WAIT_SECONDS_MAX:
            raise UnableToBackUp(
                "The server stands still in its log.", remedy=f"Read the newest file in {server.home / 'log'}."
            )
        time.sleep(_POLL_SECONDS)


def _finish(server: Server) -> datetime | None:
    """Forget that it was restored from a log, and hold everything back; when its last commit was."""
    admin = server.url(cluster.SUPERUSER, "postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        found = connection.execute("SELECT pg_last_xact_replay_timestamp(), clock_timestamp()").fetchone()
        assert found is not None
        connection.execute("ALTER SYSTEM RESET ALL")
    with psycopg.connect(server.url(roles.OWNER), options="-c search_path=relight") as connection:
        connection.execute(
            "INSERT INTO installation (id, stopped_at, stopped_by) VALUES (1, %(now)s, %(by)s)"
            " ON CONFLICT (id) DO UPDATE SET stopped_at = excluded.stopped_at, stopped_by = excluded.stopped_by",
            {"now": found[1], "by": STOPPED_BY},
        )
    return found[0]
