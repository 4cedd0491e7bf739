"""The server's log, written down as it happens, so that a lost host costs moments and not a day."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from relight.project.backup.places import BackupFolder
from relight.project.backup.source import RECEIVER, Source
from relight.project.errors import UnableToBackUp

_SLOT = RECEIVER
_LOOKS_EVERY_SECONDS = 0.1


def stream(source: Source, folder: BackupFolder, *, nothing_lost: bool, is_up: Callable[[], object]) -> None:
    """Write the log until it is ended (SIGINT, SIGTERM). A server that is away is waited for.

    With `nothing_lost` a commit is answered only when it is in the folder too: while nobody streams, nobody commits.
    `is_up` is called once, when the log is being written.
    """
    folder.claim(source.system, source.timeline)
    source.run("pg_receivewal", "-d", source.conninfo, "--slot", _SLOT, "--create-slot", "--if-not-exists")
    words: list[str | Path] = [
        "-d",
        source.conninfo,
        "-D",
        folder.wal,
        "--slot",
        _SLOT,
        "--synchronous",
        "--no-password",
    ]
    before = _written(folder)
    with (
        _commits_wait(source, wanted=nothing_lost),
        _ended_with_us(source.command("pg_receivewal", *words)) as receiver,
    ):
        while receiver.poll() is None and _written(folder) == before:
            time.sleep(_LOOKS_EVERY_SECONDS)
        if receiver.poll() is None:
            is_up()
        code = receiver.wait()
    if code > 0:
        raise UnableToBackUp(f"pg_receivewal ended with {code}.", remedy="Read what it said above.")


def _written(folder: BackupFolder) -> set[tuple[str, int]]:
    """What lies there of the log, and when it was last written to: each start writes its segment from its beginning."""
    found = set()
    for path in folder.wal.iterdir():
        with suppress(FileNotFoundError):  # a segment that is full gets its own name
            found.add((path.name, path.stat().st_mtime_ns))
    return found


@contextmanager
def _ended_with_us(words: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The receiver, which ends in good order when we are told to."""
    with subprocess.Popen(words) as receiver:
        is_main = threading.current_thread() is threading.main_thread()
        told = (signal.SIGINT, signal.SIGTERM) if is_main else ()
        before = {one: signal.signal(one, lambda *_: receiver.send_signal(signal.SIGINT)) for one in told}
        try:
            yield receiver
        finally:
            receiver.send_signal(signal.SIGINT)  # nothing when it has ended
            for one, handler in before.items():
                signal.signal(one, handler)


@contextmanager
def _commits_wait(source: Source, *, wanted: bool) -> Iterator[None]:
    """Commits wait for the receiver, for as long as it is there in good order."""
    if not wanted:
        if source.is_embedded:  # one that was killed may have left them waiting
            _let_go(source)
        yield
        return
    if not source.is_embedded:
        raise UnableToBackUp(
            "Only the embedded server is told by us to wait.",
            remedy=f"Set synchronous_standby_names = '{RECEIVER}' on your server, and leave --nothing-lost out.",
        )
    _set(source, sql.SQL("ALTER SYSTEM SET synchronous_standby_names = {}").format(sql.Literal(RECEIVER)))
    try:
        yield
    finally:
        _let_go(source)


def _let_go(source: Source) -> None:
    _set(source, sql.SQL("ALTER SYSTEM RESET synchronous_standby_names"))


def _set(source: Source, statement: sql.Composed | sql.SQL) -> None:
    with psycopg.connect(source.conninfo, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = local")
        connection.execute(statement)
        connection.execute("SELECT pg_reload_conf()")
