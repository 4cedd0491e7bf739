"""The database as every stage sees it: one partner a transaction, named statements, and the only clock.

Stages take a `Tx` and never commit: the caller owns the transaction. Statements live in `.sql` files beside the stage,
each under a line `-- name: why this plan`, and are loaded with `statements(__package__, "queries.sql")`.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from types import SimpleNamespace
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

import psycopg
from psycopg import errors
from psycopg.adapt import Dumper
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from relight.flow.arrays import ColumnDumper
from relight.flow.niceness import as_nice_as_we
from relight.telemetry import pools

_STREAMED = 1000
_NAMED = re.compile(r"^-- (\w+): .*$", re.MULTILINE)

Params = Mapping[str, Any]
T = TypeVar("T")

# What is raised when the database, or only this session, is away: what was under way is undone and may be tried again.
# Of a session that stood still for too long the server says so (25P03), and one that lost its place only reads (25006).
AWAY = (psycopg.OperationalError, errors.IdleInTransactionSessionTimeout, errors.ReadOnlySqlTransaction)

# Days are counted in UTC or in a partner's own zone, never in the server's. The same few statements are asked all day,
# by keys that fit one plan: planning anew takes longer than running them.
_SESSION = "-c search_path=relight -c timezone=UTC -c plan_cache_mode=force_generic_plan"

# A server that went without a word (its host died, a link was cut) is missed within seconds, and another one asked.
# What stands in the address itself wins.
_ALIVE = {"connect_timeout": 5, "keepalives_idle": 4, "keepalives_interval": 2, "keepalives_count": 2,
          "tcp_user_timeout": 8000}  # fmt: skip
_TRIES_MAX = 4
_WAITED_SECONDS_MIN = 1.0  # less is the time that any statement takes
_PREPARED_MAX = 500  # all that a worker ever asks: what is forgotten has to be planned anew, again and again
_NEED_NOT_WAIT = "SELECT set_config('synchronous_commit', 'off', true)"
_CLOCK = "SELECT clock_timestamp()"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NOTIFY = "SELECT pg_notify(channel, %(partner)s) FROM unnest(%(channels)s::text[]) AS channel"


def reachable(conninfo: str) -> str:
    """An address with which a server that went without a word is missed within ten seconds."""
    return make_conninfo("", **{**_ALIVE, **conninfo_to_dict(conninfo)})


def statements(package: str, file_name: str) -> SimpleNamespace:
    """The named statements of a `.sql` file, as attributes. Raises ValueError for a name given twice."""
    text = files(package).joinpath(file_name).read_text("utf-8")
    pieces = _NAMED.split(text)
    found: dict[str, str] = {}
    for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
        if name in found:
            raise ValueError(f"{package}/{file_name}: {name} is there twice")
        found[name] = body.strip()
    return SimpleNamespace(**found)


class FloatRefused(Dumper):
    """The database rounds a float silently where an amount is expected, so none is sent there at all."""

    def dump(self, obj: Any) -> bytes:
        """Raises TypeError."""
        raise TypeError(f"{obj!r} is a float: amounts are whole minor units, and spans are timedeltas")


def _adapted(connection: psycopg.Connection[TupleRow]) -> None:
    connection.adapters.register_dumper(float, FloatRefused)
    connection.adapters.register_dumper(list, ColumnDumper)
    connection.prepared_max = _PREPARED_MAX
    as_nice_as_we(connection)


@contextmanager
def _alone(connection: psycopg.Connection[TupleRow]) -> Iterator[None]:
    """Statements that need no transaction around them: one round trip instead of three."""
    connection.autocommit = True
    try:
        yield
    finally:
        if not connection.closed:
            connection.autocommit = False


class Tx:
    """One open transaction, scoped to one partner (or to none: then no partner's rows are visible)."""

    __slots__ = ("_latest", "_waited", "channels", "clock", "connection", "partner_id", "zone")

    def __init__(self, connection: psycopg.Connection[TupleRow], partner_id: int | None):
        self.connection, self.partner_id = connection, partner_id
        self.channels = set[str]()
        self._waited, self._latest = 0.0, _LONG_AGO
        self.clock: Callable[[], datetime] | None = None
        self.zone: ZoneInfo | None = None  # the partner's, once somebody asked

    def rows(self, statement: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        """All rows of a statement, as tuples."""
        return self.connection.execute(statement, params).fetchall()

    def stream(self, statement: str, params: Params | None = None) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement a thousand at a time, for answers that grow with the partner. The transaction must
        last as long as they are read."""
        with self.connection.cursor(name="stream") as cursor:
            cursor.itersize = _STREAMED
            cursor.execute(statement, params)
            yield from cursor

    def row(self, statement: str, params: Params | None = None) -> tuple[Any, ...] | None:
        """The first row, or None."""
        return self.connection.execute(statement, params).fetchone()

    def value(self, statement: str, params: Params | None = None) -> Any:
        """The first column of the first row, or None."""
        found = self.row(statement, params)
        return found[0] if found else None

    def many(self, questions: Sequence[str], params: Params) -> list[list[tuple[Any, ...]]]:
        """All rows of several statements with the same parameters, which travel together in one round trip."""
        with self.connection.pipeline():
            cursors = [self.connection.execute(statement, params) for statement in questions]
        return [cursor.fetchall() for cursor in cursors]

    def run(self, statement: str, params: Params | None = None) -> int:
        """Run a statement; how many rows it touched (not known within `together`)."""
        return self.connection.execute(statement, params).rowcount

    @contextmanager
    def together(self) -> Iterator[None]:
        """Statements that need not wait for each other's answers travel together; an error is raised at the latest at
        the end."""
        with self.connection.pipeline():
            yield

    def run_together(self, statement: str, params: Params | None = None) -> Callable[[], int]:
        """Run a statement within `together`; what is returned tells after the end how many rows it touched."""
        cursor = self.connection.execute(statement, params)
        return lambda: cursor.rowcount

    def lock(self, statement: str, params: Params | None = None) -> list[tuple[Any, ...]]:
        """All rows of a statement that takes locks. Who had to wait for them writes later moments: `after_waiting`."""
        began = self.seconds()
        rows = self.rows(statement, params)
        waited = self.seconds() - began
        self._waited += waited if waited > _WAITED_SECONDS_MIN else 0.0
        return rows

    def after_waiting(self, now: datetime) -> datetime:
        """The moment for what is written under locks: `now`, later by as long as they were waited for; where a `clock`
        was given (a file's batches take their time before they lock), what it says now. Who asks again gets no earlier
        one, and a later one only for what was waited since.

        Somebody decided while he held them, perhaps for as long as a replica was away, and could not see what we write:
        it must not bear a moment from before that decision, nor one that is still to come: a hold would not count yet.
        """
        if self.clock:
            return max(now, self.clock())
        if self._waited:
            self._latest, self._waited = max(now, self._latest) + timedelta(seconds=self._waited), 0.0
        return max(now, self._latest)

    def rows_together(self, statement: str, params: Params | None = None) -> Callable[[], list[tuple[Any, ...]]]:
        """Ask within `together`; what is returned gives the rows after the end."""
        return self.connection.execute(statement, params).fetchall

    def later_together(self, now: datetime) -> Callable[[], datetime]:
        """Within `together`: `now`, or the database's moment where that is later. Asked once the locks are held:
        whatever others have committed about what is locked bears an earlier one, however long ago `now` was read."""
        found = self.rows_together(_CLOCK)
        return lambda: max(now, found()[0][0])

    def seconds(self) -> float:
        """For how long things take: the host's clock that only goes forward."""
        return time.monotonic()

    def need_not_wait(self) -> None:
        """Neither the disk nor a replica need have this transaction when its commit is answered: for decisions and rows
        of a file, of which nobody outside has been told, and which come anew should they be lost. Everything else
        waits; the log is in order, so what it rests on is then there too."""
        self.connection.execute(_NEED_NOT_WAIT)

    def by_its_own_clock(self) -> None:
        """From now on what is written under locks bears a moment that was read while they were held: whoever was told
        his by this database before may have stood still since, and others have decided meanwhile."""

        def read() -> datetime:
            return self.later_together(_LONG_AGO)()

        self.clock = read

    def notify(self, channel: str) -> None:
        """Tell whoever listens there, once this is committed, that there is work of the partner's."""
        self.channels.add(channel)


class Database:
    """Connections for the role that runs in production. `transaction` is the only way in."""

    _goes_by_its_own_clock = False

    def __init__(self, conninfo: str, *, size_max: int = 8, name: str = "relight", wait_seconds: float = 30):
        self.conninfo = reachable(conninfo)
        self._pool = ConnectionPool(
            self.conninfo,
            min_size=1,
            max_size=size_max,
            timeout=wait_seconds,
            open=False,
            name=name,
            configure=_adapted,
            kwargs={"application_name": name, "options": _SESSION, "prepare_threshold": 0},
        )

    def by_its_own_clock(self) -> Self:
        """The same connections, for those who take every moment from this database (a request, a poll): see
        `Tx.by_its_own_clock`. Not for whoever goes by a calendar of their own."""
        same = copy(self)
        same._goes_by_its_own_clock = True
        return same

    def open(self) -> "Database":
        """Connect; raises psycopg.OperationalError within 30 seconds when there is no server."""
        self._pool.open(wait=True, timeout=30)
        pools.watch(self._pool)
        return self

    def close(self) -> None:
        """Give up all connections."""
        self._pool.close()

    def __enter__(self) -> "Database":
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self, partner_id: int | None) -> Iterator[Tx]:
        """One READ COMMITTED transaction that sees one partner's rows; commits at the end, rolls back on error."""
        with self._pool.connection() as connection:  # which commits or rolls back, as it is given back
            with connection.pipeline():  # BEGIN and the partner in one round trip
                connection.execute(
                    "SELECT set_config('relight.partner', %s, true)", (str(partner_id) if partner_id else "",)
                )
            tx = Tx(connection, partner_id)
            if self._goes_by_its_own_clock:
                tx.by_its_own_clock()
            yield tx
            if tx.channels:
                connection.commit()
                _tell(connection, tx)

    def work(self, partner_id: int | None, do: Callable[[Tx], T]) -> T:
        """What `do` answers in a transaction of its own; done again where two were in each other's way."""
        for _ in range(_TRIES_MAX - 1):
            with suppress(errors.DeadlockDetected, errors.SerializationFailure), self.transaction(partner_id) as tx:
                return do(tx)
        with self.transaction(partner_id) as tx:
            return do(tx)

    def clock(self) -> datetime:
        """The database's moment: the only clock that decisions know."""
        with self._pool.connection() as connection:
            with _alone(connection):
                found = connection.execute(_CLOCK).fetchone()
            assert found is not None
            return found[0]


def _tell(connection: psycopg.Connection[TupleRow], tx: Tx) -> None:
    """Notify after the commit: within it the server would make all that notify wait for one another, and each for the
    disk. A bell that is not heard is nothing lost, since whoever listens looks every second."""
    with suppress(psycopg.Error), _alone(connection):
        connection.execute(_NOTIFY, {"channels": sorted(tx.channels), "partner": str(tx.partner_id)})
