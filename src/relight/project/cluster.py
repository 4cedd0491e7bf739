"""One PostgreSQL data folder in home: made, found, started and stopped. The caller holds the turn."""

import os
import shutil
import signal
import time
from pathlib import Path

from relight.project import binaries, launcher, paths, postmaster, server_settings
from relight.project.binaries import Binaries
from relight.project.errors import UnableToStartServer, UnableToStopServer
from relight.project.launcher import Launcher
from relight.project.locks import POLL_SECONDS

SUPERUSER = "postgres"
WAIT_SECONDS_MAX = 120


def data_folder(home: Path) -> Path | None:
    """The newest data folder, if there is one."""
    folders = [path for path in home.glob("postgres[0-9][0-9]") if path.is_dir()]
    return max(folders, default=None)


def start(home: Path, *, keep_open: int) -> None:
    """Start the server, made first if there is none; `keep_open` is a descriptor that its processes inherit."""
    data = data_folder(home)
    if data is None:
        chosen = binaries.preferred()
        data = home / f"postgres{chosen.major}"
    else:
        chosen = binaries.for_data(data, _major(data))
    runner = launcher.choose(home=home, data=data, binaries=chosen)
    socket_folder = paths.socket_folder(home)
    for folder in (socket_folder, home / "log"):
        runner.make_folder(folder)
    if data.exists():
        runner.own(data)
    else:
        _make_data(data, runner, chosen, keep_open)
    postmaster.clear_stale_files(data, socket_folder)
    _write_settings(data, runner, server_settings.rendered(socket_folder=socket_folder, log_folder=home / "log"))
    began = runner.run(
        "pg_ctl", "start", "-w", "-t", str(WAIT_SECONDS_MAX), "-D", data, "-l", home / "log" / "start.log",
        keep_open=[keep_open],
    )  # fmt: skip
    if began.returncode != 0:
        raise UnableToStartServer(
            f"PostgreSQL did not start: {began.stderr.strip() or began.stdout.strip()}.",
            remedy=f"Read the newest file in {home / 'log'}.",
        )


def _make_data(data: Path, runner: Launcher, chosen: Binaries, keep_open: int) -> None:
    """Make the cluster aside and move it in whole, so that a killed `initdb` leaves nothing that looks finished."""
    making = data.with_name(f"{data.name}.making")
    if making.exists():
        shutil.rmtree(making)
    runner.make_folder(making)
    locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    made = runner.run(
        "initdb", "-D", making, "-U", SUPERUSER, "--encoding=UTF8", "--data-checksums", "--no-instructions",
        "--auth-local=trust", "--auth-host=reject", *(locale if chosen.major >= 17 else ("--locale=C.UTF-8",)),
        keep_open=[keep_open],
    )  # fmt: skip
    if made.returncode != 0:
        raise UnableToStartServer(
            f"initdb did not make {data}: {made.stderr.strip()}.",
            remedy=f"See that there is room on the disk and that {data.parent} can be written to.",
        )
    making.rename(data)
    _sync(data.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_settings(data: Path, runner: Launcher, text: str) -> None:
    making = data / "postgresql.conf.making"
    making.write_text(text)
    making.chmod(0o600)
    runner.own(making)
    making.replace(data / "postgresql.conf")


def stop(home: Path) -> None:
    """Stop the server in good order, if one lives: connections are ended, what is committed is on disk."""
    data = data_folder(home)
    running = postmaster.read(data) if data else None
    if data is None or running is None:
        return
    # PostgreSQL's "fast shutdown". Whoever the server runs as, we started it and may send it signals.
    os.kill(running.pid, signal.SIGINT)
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while next(postmaster.processes(data), None):
        if time.monotonic() > deadline:
            raise UnableToStopServer(
                f"PostgreSQL in {data} has not stopped within {WAIT_SECONDS_MAX} s.",
                remedy=f"Read the newest file in {home / 'log'}; it may still be writing to a slow disk.",
            )
        time.sleep(POLL_SECONDS)


def _major(data: Path) -> int:
    try:
        return int((data / "PG_VERSION").read_text())
    except (FileNotFoundError, ValueError):
        raise UnableToStartServer(
            f"{data} is not a PostgreSQL data folder.", remedy="Move it away, or put its backup in its place."
        ) from None
