"""The server's log, written down as it happens, so that a lost host costs moments and not a day."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from relight.project.backup.places import BackupFolder
from relight.project.backup.slot import Tell, made_ready
from relight.project.backup.source import RECEIVER, Source
from relight.project.errors import UnableToBackUp

_LOOKS_EVERY_SECONDS = 0.1
_ASKS_EVERY_SECONDS = 1.0


def stream(
    source: Source, folder: BackupFolder, *, nothing_lost: bool, is_up: Callable[[], object], tell: Tell
) -> None:
    """Write the log until it is ended (SIGINT, SIGTERM). A server that is away is waited for; `tell` is told where
    the log has a hole. Raises `UnableToBackUp` when it cannot go on for any other reason.

    With `nothing_lost` a commit is answered only when it is in the folder too: while nobody streams, nobody commits.
    `is_up` is called once, when the log is being written.
    """
    if nothing_lost and not source.is_embedded:
        raise UnableToBackUp(
            "Only the embedded server is told by us to wait.",
            remedy=f"Set synchronous_standby_names = '{RECEIVER}' on your server, and leave --nothing-lost out.",
        )
    folder.claim(source.system, source.timeline, follows=not source.is_embedded)
    place = _ready(source, folder, tell)
    with _told_to_end() as end, _commits_wait(source, wanted=nothing_lost):
        _receive(source, folder, end, place, is_up=cache(is_up), tell=tell)


class _End:
    """Whether we were told to end. The receiver that runs is told as well, and ends in good order."""

    def __init__(self) -> None:
        self.is_told = False
        self._receiver: subprocess.Popen[bytes] | None = None

    def tell(self, *_: object) -> None:
        """End."""
        self.is_told = True
        if self._receiver is not None:
            self._receiver.send_signal(signal.SIGINT)

    @contextmanager
    def running(self, words: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        """The receiver; it does not outlive the block."""
        with subprocess.Popen(words) as receiver:
            self._receiver = receiver
            try:
                if self.is_told:
                    receiver.send_signal(signal.SIGINT)
                yield receiver
            finally:
                self._receiver = None
                receiver.send_signal(signal.SIGINT)  # nothing when it has ended


@contextmanager
def _told_to_end() -> Iterator[_End]:
    """Signals are heard as a word to end, for as long as the block lasts."""
    end = _End()
    is_main = threading.current_thread() is threading.main_thread()
    before = {one: signal.signal(one, end.tell) for one in ((signal.SIGINT, signal.SIGTERM) if is_main else ())}
    try:
        yield end
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _receive(
    source: Source, folder: BackupFolder, end: _End, place: int, *, is_up: Callable[[], object], tell: Tell
) -> None:
    """Run the receiver, again and again for as long as each run brings the log further or the server was away."""
    while True:
        code, has_written = _run(source, folder, end, is_up)
        if end.is_told or code == 0:
            return
        was_away = _wait_for(source, end)
        before, place = place, _ready(source, folder, tell, until=end)
        if end.is_told:
            return
        if not was_away and not (has_written and place > before):
            raise UnableToBackUp(f"pg_receivewal ended with {code}.", remedy="Read what it said above.")
        time.sleep(_ASKS_EVERY_SECONDS)


def _run(source: Source, folder: BackupFolder, end: _End, is_up: Callable[[], object]) -> tuple[int, bool]:
    """The receiver until it ends; its exit code, and whether it has written anything."""
    before = _written(folder)
    words = source.command(
        "pg_receivewal", "-d", source.conninfo, "-D", folder.wal, "--slot", RECEIVER, "--synchronous", "--no-loop",
        "--no-password",
    )  # fmt: skip
    with end.running(words) as receiver:
        while receiver.poll() is None and _written(folder) == before:
            time.sleep(_LOOKS_EVERY_SECONDS)
        if has_written := receiver.poll() is None:
            is_up()
        return receiver.wait(), has_written


def _written(folder: BackupFolder) -> set[tuple[str, int]]:
    """What lies there of the log, and when it was last written to: each start writes its segment from its beginning."""
    found = set()
    for path in folder.wal.iterdir():
        with suppress(FileNotFoundError):  # a segment that is full gets its own name
            found.add((path.name, path.stat().st_mtime_ns))
    return found


def _ready(source: Source, folder: BackupFolder, tell: Tell, *, until: _End | None = None) -> int:
    """`made_ready`, tried again while the server is away; without `until` it has to be there."""
    while True:
        try:
            return made_ready(source, folder, tell)
        except OSError as full:
            raise UnableToBackUp(
                f"The log cannot be written to {folder.path}: {full.strerror}.", remedy="Look at the disk."
            ) from full
        except psycopg.Error as refused:
            if until is not None and _wait_for(source, until):
                if until.is_told:
                    return 0
                continue
            raise UnableToBackUp(
                f"The server does not keep its log for us: {str(refused).strip()}.",
                remedy="See that no other `relight backup stream` runs, and that the role may replicate.",
            ) from refused


def _wait_for(source: Source, end: _End) -> bool:
    """Wait until the server is there, or we are told to end; whether it was away."""
    was_away = False
    while _is_away(source) and not end.is_told:
        was_away = True
        time.sleep(_ASKS_EVERY_SECONDS)
    return was_away


def _is_away(source: Source) -> bool:
    """Whether no server answers that lets anybody in; of several, none of the kind that the address asks for."""
    if psycopg.pq.PGconn.ping(source.conninfo.encode()) != psycopg.pq.Ping.OK:
        return True
    if "target_session_attrs" not in conninfo_to_dict(source.conninfo):
        return False
    try:
        psycopg.connect(source.conninfo).close()
    except psycopg.OperationalError:
        return True
    return False


@contextmanager
def _commits_wait(source: Source, *, wanted: bool) -> Iterator[None]:
    """Commits wait for the receiver, for as long as it is there in good order."""
    if not wanted:
        if source.is_embedded:  # one that was killed may have left them waiting
            _let_go(source)
        yield
        return
    _set(source, sql.SQL("ALTER SYSTEM SET synchronous_standby_names = {}").format(sql.Literal(RECEIVER)))
    try:
        yield
    finally:
        _let_go(source)


def _let_go(source: Source) -> None:
    try:
        _set(source, sql.SQL("ALTER SYSTEM RESET synchronous_standby_names"))
    except psycopg.OperationalError as away:
        raise UnableToBackUp(
            f"Whether commits wait for us is not known, since the server does not answer: {str(away).strip()}.",
            remedy="Once it is up, run relight backup stream again: with --nothing-lost, or without to let them go on.",
        ) from away


def _set(source: Source, statement: sql.Composed | sql.SQL) -> None:
    with psycopg.connect(source.conninfo, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = local")
        connection.execute(statement)
        connection.execute("SELECT pg_reload_conf()")
