"""The database as actors of a history see it: production's façade over connections that give the baton away.

Statements of a pipeline go one by one here: others may come between any two, as they may between two hosts. What the
seed adds: processes killed or standing still before a statement, lost connections, commits of which nobody hears.
"""

import re
import select
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.waiting import Ready, Wait

from relight.flow.database import _SESSION, Database, Tx, _adapted
from tests.simulation.stage import Process, Stage

STATEMENT_FAULTS = 1200  # one statement in so many stands still, and as many fail, and as many are a process's last
COMMIT_FAULTS = 250
STALLS_SECONDS = (1, 3, 20, 70, 200)
FAULTS_MAX = 12
_LOOK_SECONDS = 0.003
_HUNG_SECONDS = 60
_WRITES = re.compile(r"\bINSERT INTO\b|\bDELETE FROM\b|\bUPDATE \w+( \w+)? SET\b")


class Lost(psycopg.OperationalError):
    """The connection is gone, says the seed."""


# What a statement may end with, but for what is wrong with it: of a lost connection most, then what the server says.
_ERRORS: tuple[type[psycopg.Error], ...] = (
    Lost, Lost, errors.AdminShutdown, errors.DeadlockDetected, errors.DiskFull, errors.IdleInTransactionSessionTimeout,
    errors.LockNotAvailable, errors.QueryCanceled,
)  # fmt: skip


class Watch:
    """Looks at the server from outside: who waits for whom, and whatever invariants ask."""

    def __init__(self, conninfo: str):
        self.connection = psycopg.connect(conninfo, autocommit=True, prepare_threshold=0)

    def rows(self, statement: str, params: Any = None) -> list[tuple[Any, ...]]:
        """What is committed, of all partners."""
        return self.connection.execute(statement, params).fetchall()

    def blockers(self, pid: int) -> list[int]:
        """Whose transactions a backend waits for."""
        return self.rows("SELECT pg_blocking_pids(%s)", (pid,))[0][0]

    def cancel(self, pid: int) -> None:
        """End the statement that a backend is at."""
        self.rows("SELECT pg_cancel_backend(%s)", (pid,))


class StagedConnection(psycopg.Connection[Any]):
    """A connection whose statements are steps of the stage; without a stage it is like any other."""

    stage: Stage | None = None
    watch: Watch
    process: Process
    wrote = False
    alone = False
    _gave_up = ""

    @property
    def pid(self) -> int:
        """The server's process."""
        return self.info.backend_pid

    @contextmanager
    def pipeline(self) -> Iterator[Any]:  # type: ignore[override]
        """Each statement by itself; mostly nobody comes between them, as they travel together."""
        before = self.alone
        self.alone = self.stage is not None and self.stage.dice.draw("pipeline", 4) < 3
        yield
        self.alone = before

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        """One step: somebody else may go first, and the seed may have it fail."""
        if self.stage is None:
            return super().execute(query, params, **more)
        self.stage.step(_in_short(str(query)), alone=self.alone)
        if not self.alone:
            _statement_fault(self.stage, self.process)
        try:
            cursor = super().execute(query, params, **more)
        except errors.QueryCanceled as cancelled:
            if self._gave_up:
                self._gave_up = ""
                raise errors.DeadlockDetected("deadlock detected") from cancelled
            raise
        self.stage.note(f"{cursor.rowcount} rows")
        self.wrote = self.wrote or bool(cursor.rowcount and _WRITES.search(str(query)))
        return cursor

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the server's answer; the baton goes to others while another transaction is in the way."""
        if self.stage is None:
            return super().wait(gen, interval, timeout)
        try:
            wanted = next(gen)
            while True:
                ready = self._ready(wanted, _LOOK_SECONDS)
                if not ready and self.blockers():
                    self.stage.wait_for_lock(self)
                if ready:
                    wanted = gen.send(ready)
        except StopIteration as done:
            return done.value

    def _ready(self, wanted: Wait, seconds: float) -> int:
        fd = self.pgconn.socket
        reads, writes = [fd] if wanted & Wait.R else [], [fd] if wanted & Wait.W else []
        readable, writable, _ = select.select(reads, writes, [], seconds)
        return (Ready.R if readable else 0) | (Ready.W if writable else 0)

    def blockers(self) -> Sequence[int]:
        """Whose transactions the statement under way waits for."""
        return self.watch.blockers(self.pid)

    def is_blocked(self) -> bool:
        """Whether the statement under way waits for somebody still; waits until that is sure."""
        began = time.monotonic()
        while not self._ready(Wait.R, _LOOK_SECONDS / 10):
            if self.blockers():
                return True
            assert time.monotonic() - began < _HUNG_SECONDS, "a statement neither ends nor waits for anybody"
        return False

    def give_up_waiting(self, why: str) -> None:
        """End the statement under way as the server would."""
        self._gave_up = why
        self.watch.cancel(self.pid)

    def abandon(self) -> None:
        """What the server does when its client is gone: the statement ends, the transaction is rolled back."""
        pgconn = self.pgconn
        if pgconn.transaction_status == TransactionStatus.ACTIVE:
            self.watch.cancel(self.pid)
            while pgconn.get_result() is not None:
                pass
        pgconn.exec_(b"ROLLBACK")
        self._gave_up = ""


class StagedTx(Tx):
    """A transaction that waits by the history's clock: the host's would make two of one seed differ."""

    def __init__(self, connection: StagedConnection, partner_id: int | None, db: "StagedDatabase"):
        super().__init__(connection, partner_id)
        self.db = db

    def later_together(self, now: datetime) -> Callable[[], datetime]:
        """The history's moment, as a statement of its own."""
        self.db.stage.step("SELECT clock_timestamp()", alone=self.connection.alone)
        found = max(now, self.db.clock())
        return lambda: found

    def seconds(self) -> float:
        """The history's."""
        return self.db.stage.moment.timestamp()


class StagedDatabase(Database):
    """Production's façade for one process of the history."""

    def __init__(self, stage: Stage, process: Process, room: "Room"):
        self.conninfo = room.conninfo
        self.stage, self.process, self.room = stage, process, room

    @contextmanager
    def transaction(self, partner_id: int | None) -> Iterator[Tx]:
        """See `Database.transaction`."""
        connection = self.room.take(self.stage, self.process)
        try:
            connection.alone = True
            connection.execute("SELECT set_config('relight.partner', %s, true)", (str(partner_id or ""),))
            connection.alone = False
            tx = StagedTx(connection, partner_id, self)
            if self._goes_by_its_own_clock:
                tx.by_its_own_clock()
            yield tx
            self._commit(connection)
        except BaseException:
            connection.stage = None
            connection.abandon()
            self.stage.released = True
            raise
        finally:
            self.room.give(connection)

    def _commit(self, connection: StagedConnection) -> None:
        self.stage.step("COMMIT", alone=not connection.wrote)
        fault = _commit_fault(self.stage, self.process) if connection.wrote else ""
        if fault == "killed before":
            self.stage.kill(self.process)
        if fault == "lost before":
            raise Lost("the connection was lost before the commit")
        connection.stage = None
        connection.commit()
        self.stage.released = True
        if connection.wrote:
            self.room.committed()
        if fault == "killed after":
            self.stage.kill(self.process)
        if fault == "lost after":
            raise Lost("the connection was lost during the commit")

    def clock(self) -> datetime:
        """The history's moment."""
        return self.stage.moment + self.room.clock_is_off

    def open(self) -> "StagedDatabase":
        """Nothing to open."""
        return self

    def close(self) -> None:
        """Nothing to close."""


class Room:
    """The connections of a history's processes, and what is looked at after each commit."""

    def __init__(self, conninfo: str, watch: Watch):
        self.conninfo, self.watch = conninfo, watch
        self.clock_is_off = timedelta(0)
        self.on_commit: Any = None
        self._free: list[StagedConnection] = []

    def take(self, stage: Stage, process: Process) -> StagedConnection:
        """A connection that nobody has."""
        connection = self._free.pop() if self._free else self._new()
        connection.stage, connection.process, connection.wrote = stage, process, False
        connection.alone = False
        return connection

    def give(self, connection: StagedConnection) -> None:
        """Nobody has it any more."""
        connection.stage = None
        self._free.append(connection)

    def committed(self) -> None:
        """Look at what is committed now."""
        if self.on_commit is not None:
            self.on_commit()

    def close(self) -> None:
        """End all connections."""
        for connection in self._free:
            connection.close()
        self._free.clear()

    def _new(self) -> StagedConnection:
        made = StagedConnection.connect(self.conninfo, options=_SESSION, prepare_threshold=0)
        _adapted(made)
        made.watch = self.watch
        return made


def _in_short(query: str) -> str:
    lines = [line for line in query.splitlines() if not line.lstrip().startswith("--")]
    return " ".join(" ".join(lines).split())[:70]


def _statement_fault(stage: Stage, process: Process) -> None:
    drawn = stage.dice.draw("statement", STATEMENT_FAULTS)
    if drawn < STATEMENT_FAULTS - 3 or not _may_fault(stage):
        return
    if drawn == STATEMENT_FAULTS - 1:
        _count(stage, "crash")
        stage.kill(process)
    if drawn == STATEMENT_FAULTS - 2:
        _count(stage, "database error")
        wrong = _ERRORS[stage.dice.draw("error", len(_ERRORS))]
        stage.note(f"ends with {wrong.__name__}")
        raise wrong("simulated")
    _count(stage, "stall")
    stage.stall(process, STALLS_SECONDS[stage.dice.draw("stall", len(STALLS_SECONDS))])


def _commit_fault(stage: Stage, process: Process) -> str:
    drawn = stage.dice.draw("commit", COMMIT_FAULTS)
    kinds = ("killed before", "lost before", "killed after", "lost after")
    if drawn < COMMIT_FAULTS - len(kinds) or not _may_fault(stage):
        return ""
    fault = kinds[COMMIT_FAULTS - 1 - drawn]
    _count(stage, f"commit {fault}")
    return fault


def _count(stage: Stage, fault: str) -> None:
    stage.faults[fault] += 1
    stage.database_faults += 1


def _may_fault(stage: Stage) -> bool:
    """Whether there is something left of a history's share: what drivers and clocks do is not counted here."""
    return stage.faulty and stage.database_faults < FAULTS_MAX
