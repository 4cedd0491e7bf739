"""Backups of an installation of its own: commands, the stream, and a server whose log grows at a word."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from relight.project import cluster, embedded, roles
from tests.embedded.commands import wait_until


def command(home: Path, *words: str, **given: str) -> subprocess.CompletedProcess[str]:
    """`relight` with its home there, and only these settings, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "relight.project.main", *words],
        env=environment(home, **given),
        capture_output=True,
        text=True,
    )


def answer(home: Path, *words: str) -> dict[str, Any]:
    """What a command that succeeds says with --json."""
    done = command(home, *words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def environment(home: Path, **given: str) -> dict[str, str]:
    """That home, and only these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RELIGHT_", "DATABASE_"))}
    return {**kept, "RELIGHT_HOME": str(home), **given}


@contextmanager
def streaming(home: Path, folder: Path, *words: str, **given: str) -> Iterator[subprocess.Popen[bytes]]:
    """`relight backup stream` from when it receives until it is ended."""
    asked = [sys.executable, "-m", "relight.project.main", "backup", "stream", str(folder), *words]
    with (
        said_by_stream(folder).open("w") as log,
        subprocess.Popen(asked, env=environment(home, **given), stderr=log, start_new_session=True) as stream,
    ):
        try:
            wait_until(lambda: f"Every commit is written to {folder}" in said_by_stream(folder).read_text(), seconds=60)
            yield stream
        finally:
            if stream.poll() is None:
                os.killpg(stream.pid, signal.SIGTERM)
            stream.wait(30)


def said_by_stream(folder: Path) -> Path:
    """What the last stream into a folder said."""
    return folder.with_name("stream.log")


def rows(server: embedded.Server, statement: str) -> list[tuple[object, ...]]:
    """What the owner of the tables sees."""
    with psycopg.connect(server.url(roles.OWNER)) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def run(server: embedded.Server, *lines: str) -> None:
    """Statements of the server's own superuser, one after another, each by itself."""
    with psycopg.connect(server.url(cluster.SUPERUSER, "postgres"), autocommit=True) as connection:
        for line in lines:
            connection.execute(line)  # type: ignore[arg-type]


def fill_segments(server: embedded.Server, count: int) -> None:
    """So many segments of the server's log are full."""
    run(server, *["SELECT txid_current()", "SELECT pg_switch_wal()", "CHECKPOINT"] * count)


def segments_of(folder: Path) -> list[Path]:
    """The whole segments of the log, oldest first."""
    return sorted(path for path in (folder / "wal").iterdir() if len(path.name) == 24)
