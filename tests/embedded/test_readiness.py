"""The database as a service: whoever started it is told when it is up, so that nobody else starts the server first."""

import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from relight.project import embedded, readiness, roles
from tests.embedded.commands import wait_until

_SECONDS_MAX = 120


@pytest.fixture(params=["a path", "an abstract name"])
def manager(request: pytest.FixtureRequest, ground: Path) -> Iterator[tuple[socket.socket, str]]:
    """A service manager's socket, and what its services find in NOTIFY_SOCKET. It sees who sends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        listening.settimeout(_SECONDS_MAX)
        if request.param == "a path":
            listening.bind(str(ground / "notify"))
            yield listening, str(ground / "notify")
        else:
            name = f"relight-test-{os.getpid()}"
            listening.bind(f"\0{name}")
            yield listening, f"@{name}"


def heard(listening: socket.socket) -> tuple[bytes, int]:
    """The next that is told, and the id of the process that told it."""
    told, ancillary, _, _ = listening.recvmsg(1024, socket.CMSG_SPACE(struct.calcsize("3i")))
    return told, struct.unpack("3i", ancillary[0][2])[0]


@contextmanager
def service(home: Path, address: str, *asked: str) -> Iterator[subprocess.Popen[str]]:
    """A command of `relight` as its unit runs it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RELIGHT_", "DATABASE_"))}
    environment = {**kept, "RELIGHT_HOME": str(home), "NOTIFY_SOCKET": address}
    words = [sys.executable, "-m", "relight.project.main", *asked]
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.communicate(timeout=_SECONDS_MAX)


def test_the_database_says_that_it_is_up_when_its_tables_answer_and_goes_in_good_order(
    manager: tuple[socket.socket, str], home: Path
) -> None:
    listening, address = manager
    with service(home, address, "database") as process:
        told, by = heard(listening)
        with embedded.server(home) as user:
            with psycopg.connect(user.url(roles.OWNER)) as connection:
                partners = connection.execute("SELECT count(*) FROM relight.partner").fetchone()

            process.send_signal(signal.SIGTERM)
            code = process.wait(_SECONDS_MAX)
            wait_until(lambda: not embedded.is_running(home))

    log = "".join(path.read_text() for path in sorted((home / "log").iterdir()))
    assert (told, by) == (b"READY=1", process.pid)
    assert partners == (1,)
    assert code == 128 + signal.SIGTERM
    assert "received fast shutdown request" in log
    assert "database system is shut down" in log


def test_a_backup_says_that_it_is_up_when_the_log_is_being_written(
    manager: tuple[socket.socket, str], ground: Path, home: Path
) -> None:
    listening, address = manager
    log = ground / "backup" / "wal"
    with embedded.server(home), service(home, address, "backup", "stream", str(log.parent)) as process:
        told, by = heard(listening)
        (written,) = log.iterdir()

        process.send_signal(signal.SIGTERM)
        code = process.wait(_SECONDS_MAX)

    assert (told, by) == (b"READY=1", process.pid)
    assert written.suffix == ".partial"
    assert code == 0


def test_nobody_is_told_where_nobody_asked() -> None:
    assert readiness.ready({}) is False
    assert readiness.ready({"NOTIFY_SOCKET": ""}) is False


def test_a_manager_that_has_gone_is_an_error(ground: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        readiness.ready({"NOTIFY_SOCKET": str(ground / "gone")})
