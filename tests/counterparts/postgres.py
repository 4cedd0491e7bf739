"""Debian's PostgreSQL 15 as a counterpart: a private cluster in a temporary folder, gone when the block ends.

    with postgres.running() as server:
        psycopg.connect(server.url())

It runs as an account that is not root and listens on a Unix socket; with `tcp=True` on a free port of 127.0.0.1 too.
"""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import make_conninfo

from relight.project import launcher, paths, postmaster
from relight.project.binaries import Binaries
from relight.project.launcher import Launcher

MAJOR = 15
SUPERUSER = "postgres"
PASSWORD = "only-on-this-machine"
PROGRAMS = Path(f"/usr/lib/postgresql/{MAJOR}/bin")


class MissingCounterpart(Exception):
    """What a test talks to is not installed."""


@dataclass(frozen=True)
class Postgres:
    """A running cluster. `host` is the socket's folder, or 127.0.0.1 with `tcp=True`."""

    folder: Path
    host: str
    port: int
    password: str | None

    def url(self, user: str = SUPERUSER, database: str = "postgres", password: str | None = None) -> str:
        """Connection string (libpq); the superuser's own password, where one is asked for, need not be said."""
        known = password or (self.password if user == SUPERUSER else None)
        parts = {"host": self.host, "port": str(self.port), "user": user, "dbname": database}
        return make_conninfo("", **parts, **({"password": known} if known else {}))


@contextmanager
def running(
    *, tcp: bool = False, asks_password: bool = False, settings: dict[str, str] | None = None
) -> Iterator[Postgres]:
    """A fresh cluster with a superuser `postgres`. `asks_password` demands SCRAM from everybody; fsync is off."""
    if not (PROGRAMS / "postgres").exists():
        raise MissingCounterpart(f"PostgreSQL {MAJOR} is not in {PROGRAMS}: run `make counterparts`.")
    folder = Path(tempfile.mkdtemp(prefix="relight-pg15-"))
    (folder / paths.MADE_BY_RELIGHT).touch()
    runner = _runner(folder)
    try:
        _make(folder, runner, asks_password=asks_password)
        server = Postgres(
            folder=folder,
            host="127.0.0.1" if tcp else str(folder / "run"),
            port=_free_port() if tcp else 5432,
            password=PASSWORD if asks_password else None,
        )
        _start(server, runner, {"listen_addresses": "127.0.0.1" if tcp else "", **(settings or {})})
        yield server
    finally:
        _stop(folder, runner)
        shutil.rmtree(folder)


@contextmanager
def following(first: Postgres) -> Iterator[Postgres]:
    """A replica of a cluster that is reached by its socket; it may take over by `promote`."""
    folder = Path(tempfile.mkdtemp(prefix="relight-pg15-"))
    (folder / paths.MADE_BY_RELIGHT).touch()
    runner = _runner(folder)
    try:
        runner.make_folder(folder)
        runner.make_folder(folder / "run")
        _must(runner, "pg_basebackup", "-d", first.url(), "-D", folder / "data", "-R", "--checkpoint=fast", "--no-sync")
        server = Postgres(folder=folder, host=str(folder / "run"), port=5432, password=None)
        _start(server, runner, {})
        yield server
    finally:
        _stop(folder, runner)
        shutil.rmtree(folder)


def promote(server: Postgres) -> None:
    """The replica takes over."""
    _must(_runner(server.folder), "pg_ctl", "promote", "-w", "-D", server.folder / "data")


def kill(server: Postgres) -> None:
    """A cluster is gone without a word."""
    _stop(server.folder, _runner(server.folder))


def _runner(folder: Path) -> Launcher:
    return launcher.choose(home=folder, data=folder / "data", binaries=Binaries(folder=PROGRAMS, major=MAJOR))


def _make(folder: Path, runner: Launcher, *, asks_password: bool) -> None:
    for name in ("data", "run"):
        runner.make_folder(folder / name)
    secret = folder / "run" / "password"
    secret.write_text(PASSWORD)
    runner.own(secret)
    words = ("-D", folder / "data", "-U", SUPERUSER, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
    _must(runner, "initdb", *words, f"--pwfile={secret}", "--auth=scram-sha-256" if asks_password else "--auth=trust")


def _start(server: Postgres, runner: Launcher, settings: dict[str, str]) -> None:
    data = server.folder / "data"
    wanted = {
        "fsync": "off",
        "port": str(server.port),
        "unix_socket_directories": str(server.folder / "run"),
        "timezone": "UTC",
        **settings,
    }
    with (data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in wanted.items())
    _must(runner, "pg_ctl", "start", "-w", "-D", data, "-l", data / "start.log")


def _stop(folder: Path, runner: Launcher) -> None:
    if postmaster.read(folder / "data"):
        _must(runner, "pg_ctl", "stop", "-w", "-m", "immediate", "-D", folder / "data")
    postmaster.end_orphans(folder / "data")


def _must(runner: Launcher, program: str, *words: str | Path) -> None:
    done = runner.run(program, *words)
    if done.returncode != 0:
        raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
