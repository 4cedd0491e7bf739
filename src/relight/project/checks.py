"""What `relight doctor` looks at on the ground floor: this host, the home folder, the server and its two roles."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import dict_row

from relight.cli import compiled
from relight.project import connect, paths, roles
from relight.project.backup import places
from relight.project.binaries import MAJOR_MIN
from relight.project.connect import DatabaseUrls
from relight.project.errors import UnableToProvideDatabase

PYTHON_MIN = (3, 11)
FREE_BYTES_MIN = 1024**3
SKEW_SECONDS_MAX = 2.0
BACKUP_HOURS_MAX = 36
_GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: `found` in words either way, `remedy` only when it is not well."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def run_checks() -> list[Check]:
    """All checks, with the database when it can be had. Nothing here raises: what is broken is what is reported."""
    checks = [python_version(sys.version_info[:3]), compiled_core(compiled.state())]
    try:
        checks += [*home_checks(paths.home()), backup_is_fresh(_newest_copy(), datetime.now(UTC))]
        urls = connect.resolve()
    except UnableToProvideDatabase as refused:
        return [*checks, Check("database", False, refused.found, refused.remedy)]
    return checks + list(database_checks(urls))


def _newest_copy() -> tuple[Path, datetime] | None:
    return None if places.are_made_by_others(os.environ) else places.last(paths.home())


def python_version(version: tuple[int, ...]) -> Check:
    """Python 3.11 or later."""
    found = ".".join(map(str, version))
    return Check(
        "python", version >= PYTHON_MIN, found, "" if version >= PYTHON_MIN else "Install Python 3.11 or later."
    )


def compiled_core(state: compiled.State) -> Check:
    """Which core what-ifs and night runs decide with. Both come to the same, so that plain Python is well too."""
    found = {
        "ready": "compiled, from these very sources, for what-ifs and the bulk lane; all else is plain Python",
        "stale": "plain Python; the compiled one is of other sources and not used (`relight compile` makes it anew)",
        "none": "plain Python; compiled, what-ifs take a third of the time and night runs less (`relight compile`)",
    }
    return Check("core", True, found[state])


def home_checks(home: Path) -> list[Check]:
    """The home folder: closed to others, with room, and near enough to the root for a socket."""
    return [home_is_private(home), disk_has_room(shutil.disk_usage(home).free, home), socket_path_fits(home)]


def home_is_private(home: Path) -> Check:
    """Others may at most pass through (0711: where PostgreSQL has to run as another account), never look or write."""
    mode = home.stat().st_mode & 0o777
    ok = not mode & 0o066
    return Check("home", ok, f"{home}, mode {mode:04o}", "" if ok else f"Close it to others: chmod 0700 {home}")


def disk_has_room(free_bytes: int, home: Path) -> Check:
    """At least 1 GiB free; PostgreSQL stops when it cannot write its log."""
    ok = free_bytes >= FREE_BYTES_MIN
    remedy = f"Free some space on the disk of {home}, or move it: set {paths.HOME_VARIABLE}."
    return Check("disk", ok, f"{free_bytes / _GIB:.1f} GiB free", "" if ok else remedy)


def socket_path_fits(home: Path) -> Check:
    """The socket's path is short enough; a home too deep for it has its socket elsewhere."""
    folder = paths.socket_folder(home)
    length_bytes = paths.socket_path_bytes(folder)
    ok = paths.is_fit_for_socket(folder)
    remedy = f"Set {paths.HOME_VARIABLE} to a folder with a shorter path."
    return Check("socket", ok, f"{folder}, {length_bytes} bytes", "" if ok else remedy)


def backup_is_fresh(newest: tuple[Path, datetime] | None, now: datetime) -> Check:
    """A base copy of the last day and a half, if copies are made by Relight at all."""
    if newest is None:
        return Check("backup", True, "none by Relight (`relight backup base FOLDER` makes one)")
    folder, complete = newest
    hours = (now - complete) / timedelta(hours=1)
    if not folder.exists():
        return Check("backup", False, f"{folder} is gone", "Put it back, or make a new one: relight backup base FOLDER")
    ok = hours <= BACKUP_HOURS_MAX
    found = f"{hours:.0f} h old, in {folder}"
    return Check("backup", ok, found, "" if ok else "See why none is made: relight backup base FOLDER")


def database_checks(urls: DatabaseUrls) -> Iterator[Check]:
    """The server and the role that runs in production, asked as that role itself."""
    try:
        with psycopg.connect(urls.app, autocommit=True, row_factory=dict_row) as app:
            yield from (ask(app) for ask in _ASKED)
    except psycopg.Error as refused:
        yield Check("database", False, str(refused).strip(), "See that the server runs, and read its log.")


def server_version(app: Connection[dict[str, Any]]) -> Check:
    """PostgreSQL 15 or later answers."""
    version = app.info.server_version
    ok = version >= MAJOR_MIN * 10000
    return Check(
        "database", ok, f"PostgreSQL {version // 10000}.{version % 10000}", "" if ok else "Upgrade the server."
    )


def role_is_powerless(app: Connection[dict[str, Any]]) -> Check:
    """Neither the role that logged in nor the current one, nor any they can become, is above row-level security."""
    held = app.execute(_query("powers")).fetchall()
    powers = [f"{power} (as {row['via']})" for row in held for power in row["powers"]]
    remedy = f"Let Relight run as {roles.APP}: give its address in DATABASE_URL, and take these powers from it."
    found = ", ".join(powers) or f"{app.info.user} has no power over row-level security"
    return Check("runtime role", not powers, found, remedy if powers else "")


def role_is_refused(app: Connection[dict[str, Any]]) -> Check:
    """Tried, not read: the role must be refused when it makes a table or becomes the owner."""
    allowed = [attempt for attempt in _FORBIDDEN if not _is_refused(app, attempt)]
    remedy = f"Take these rights from {app.info.user}."
    found = f"may: {'; '.join(allowed)}" if allowed else "may not make tables or become the owner"
    return Check("role tried", not allowed, found, remedy if allowed else "")


def tables_are_protected(app: Connection[dict[str, Any]]) -> Check:
    """Every table with a partner has row-level security and a policy, in force for this role, and no view evades it."""
    open_ones = [row["name"] for name in ("unprotected", "leaking_views") for row in app.execute(_query(name))]
    number = app.execute(_query("tables")).fetchall()[0]["number"]
    found = (
        f"open: {', '.join(open_ones)}" if open_ones else f"{number} tables with a partner, all with row-level security"
    )
    return Check("row-level security", not open_ones, found, "Run `relight migrate` again." if open_ones else "")


def writes_are_durable(app: Connection[dict[str, Any]]) -> Check:
    """A commit is on disk when it is answered."""
    names = ("fsync", "full_page_writes", "synchronous_commit")
    off = [
        name for name in names if app.execute("SELECT current_setting(%s) AS is", [name]).fetchall()[0]["is"] == "off"
    ]
    remedy = f"Set {', '.join(off)} to on: an accepted payment could be lost when the power fails."
    return Check("durability", not off, f"{', '.join(off)} off" if off else "fsync on", remedy if off else "")


def clocks_agree(app: Connection[dict[str, Any]]) -> Check:
    """The database's clock is the only one that counts, but a host that is far off misleads its readers."""
    began = time.monotonic()
    theirs: datetime = app.execute("SELECT clock_timestamp() AS moment").fetchall()[0]["moment"]
    round_trip_seconds = time.monotonic() - began
    skew_seconds = abs((datetime.now(UTC) - theirs).total_seconds() - round_trip_seconds / 2)
    ok = skew_seconds <= SKEW_SECONDS_MAX
    remedy = "Keep both hosts on network time (for instance with chrony)."
    return Check("clock", ok, f"{skew_seconds:.1f} s from the database's", "" if ok else remedy)


_ASKED: tuple[Callable[[Connection[dict[str, Any]]], Check], ...] = (
    server_version,
    role_is_powerless,
    role_is_refused,
    tables_are_protected,
    writes_are_durable,
    clocks_agree,
)

_FORBIDDEN = (
    f"CREATE TABLE {roles.SCHEMA}.doctor_was_here ()",
    f"SET LOCAL ROLE {roles.OWNER}",
    f"ALTER ROLE {roles.APP} BYPASSRLS",
)


def _is_refused(app: Connection[Any], attempt: str) -> bool:
    try:
        with app.transaction(force_rollback=True):
            app.execute(attempt)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


def _query(name: str) -> str:
    text = (Path(__file__).parent / "check_queries.sql").read_text()
    return next(part.split("\n", 1)[1] for part in text.split("-- name: ")[1:] if part.startswith(f"{name}\n"))
