"""On the road: the customer's group and open sessions in FreeRADIUS's own SQL tables (PostgreSQL).

Relight writes one table, `radusergroup`, and reads four; the schema is FreeRADIUS's. A customer may be in other groups
too (a static address, say): only the row that is one of the realm's levels, or the customer's own profile, is moved.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from relight.drivers.radius_settings import Attributes, nas_address_of

Row = tuple[int, str]
_CHECKED_AFTER_SECONDS = 1.0  # what was used lately is there, and a round trip costs as much as most questions

# Two commands for one customer must not both find "no row" and insert twice; FreeRADIUS's table has no unique key.
_LOCK_USER = "SELECT pg_advisory_xact_lock(hashtextextended('relight.radusergroup.' || %s, 0))"
_GROUP_ROWS = "SELECT id, groupname FROM radusergroup WHERE username = %s ORDER BY priority, id FOR UPDATE"
_IS_KNOWN = "SELECT EXISTS (SELECT FROM radcheck WHERE username = %s)"
_MOVE = "UPDATE radusergroup SET groupname = %s WHERE id = %s AND groupname <> %s"
_DROP_TWINS = "DELETE FROM radusergroup WHERE id = ANY(%s)"
_INSERT = "INSERT INTO radusergroup (username, groupname, priority) VALUES (%s, %s, 1)"
_PUT_BACK = "UPDATE radusergroup SET groupname = %s WHERE username = %s AND groupname = %s"
_TAKE_OUT = "DELETE FROM radusergroup WHERE username = %s AND groupname = %s"
# The same order as FreeRADIUS's group_membership_query: the first group answers, unless it falls through.
_FIRST_GROUP = "SELECT groupname FROM radusergroup WHERE username = %s ORDER BY priority, id LIMIT 1"
_REPLIES = "SELECT groupname, attribute, value FROM radgroupreply WHERE groupname = ANY(%s) ORDER BY id"
# xmin changes with every accounting record, where acctupdatetime has whole seconds and may not.
_SESSIONS = """
    SELECT acctuniqueid, acctsessionid, host(nasipaddress), xmin::text, acctstoptime IS NULL,
           coalesce(acctupdatetime, acctstarttime)
      FROM radacct
     WHERE username = %s AND (acctstoptime IS NULL OR acctuniqueid = ANY(%s))
     ORDER BY radacctid DESC LIMIT 64"""


class DatabaseOut(Exception):
    """FreeRADIUS's database did not do what was asked. `code` is the SQLSTATE, or `database_down` when out of reach."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UnableToMove(Exception):
    """The customer's group is not ours to change. `code` and the text go into the outcome."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Session:
    """A session as accounting has it. `version` changes with every accounting record about it."""

    unique_id: str
    session_id: str
    nas_address: str
    version: str
    is_open: bool
    heard_at: datetime | None


class GroupStore:
    """The customer's group and sessions, over a small pool; safe to use from many threads."""

    def __init__(self, conninfo: str, *, timeout_seconds: float, connections_max: int) -> None:
        self._timeout_seconds = timeout_seconds
        self._used_at = WeakKeyDictionary[psycopg.Connection, float]()
        self._pool = ConnectionPool(
            conninfo,
            kwargs={"autocommit": True, "connect_timeout": max(2, round(timeout_seconds))},
            configure=self._configure,
            check=self._check,
            min_size=1,
            max_size=connections_max,
            timeout=timeout_seconds,
            open=False,
        )

    def move(
        self, username: str, *, to: str, ours: Sequence[str], profile: str, before_write: Callable[[], None]
    ) -> str:
        """Put the customer in group `to`, in one transaction, and return the group from before ('' for none).

        `before_write` runs right before the first change and may raise to stop it. Asked twice, changes nothing.
        Raises UnableToMove (unknown_user, unexpected_group) and DatabaseOut; then nothing has changed.
        """
        with self._connection() as connection, connection.transaction():
            connection.execute(_LOCK_USER, [username])
            rows: list[Row] = connection.execute(_GROUP_ROWS, [username]).fetchall()
            level_rows = [row for row in rows if row[1] in ours or row[1] == profile]
            self._check_is_movable(connection, username, rows, level_rows)
            before_write()
            if not level_rows:
                connection.execute(_INSERT, [username, to])
                return ""
            (row_id, former), *twins = level_rows
            connection.execute(_MOVE, [to, row_id, to])
            if twins:
                connection.execute(_DROP_TWINS, [[twin_id for twin_id, _ in twins]])
            return former

    def put_back(self, username: str, *, group: str, former: str) -> None:
        """Undo a move: whoever is still in `group` returns to `former`, or to no group when that is ''."""
        with self._connection() as connection:
            if former:
                connection.execute(_PUT_BACK, [former, username, group])
            else:
                connection.execute(_TAKE_OUT, [username, group])

    def first_group(self, username: str) -> str:
        """The group FreeRADIUS would look at first; '' when the customer has none."""
        with self._connection() as connection:
            row = connection.execute(_FIRST_GROUP, [username]).fetchone()
            return row[0] if row else ""

    def replies(self, groups: Sequence[str]) -> Mapping[str, Attributes]:
        """What FreeRADIUS sends to a customer in each of `groups`."""
        with self._connection() as connection:
            rows = connection.execute(_REPLIES, [list(groups)]).fetchall()
        found: dict[str, dict[str, tuple[str | int, ...]]] = {group: {} for group in groups}
        for group, attribute, value in rows:
            found[group][attribute] = (*found[group].get(attribute, ()), value)
        return found

    def sessions(self, username: str, also: Sequence[str] = ()) -> list[Session]:
        """The open sessions, newest first (at most 64), and those named in `also` whether open or not."""
        with self._connection() as connection:
            rows = connection.execute(_SESSIONS, [username, list(also)]).fetchall()
        return [
            Session(unique, session, nas_address_of(nas), version, is_open, heard_at)
            for unique, session, nas, version, is_open, heard_at in rows
        ]

    def close(self) -> None:
        """End the connections."""
        self._pool.close()

    @staticmethod
    def _check_is_movable(
        connection: psycopg.Connection, username: str, rows: Sequence[Row], level_rows: Sequence[Row]
    ) -> None:
        if level_rows:
            return
        if rows:
            raise UnableToMove(
                "unexpected_group",
                "the customer is in a group that is neither a level nor the profile: correct the profile or the group",
            )
        known = connection.execute(_IS_KNOWN, [username]).fetchone()
        if known is None or not known[0]:
            raise UnableToMove("unknown_user", "the user is in neither radcheck nor radusergroup")

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        try:
            self._pool.open()
            with self._pool.connection() as connection:
                yield connection
                self._used_at[connection] = time.monotonic()
        except PoolTimeout as error:
            raise DatabaseOut("database_down") from error
        except psycopg.Error as error:
            raise DatabaseOut(error.sqlstate or "database_down") from error

    def _check(self, connection: psycopg.Connection) -> None:
        """Raises psycopg.OperationalError when a connection that has rested is no more."""
        if time.monotonic() - self._used_at.get(connection, 0.0) > _CHECKED_AFTER_SECONDS:
            ConnectionPool.check_connection(connection)

    def _configure(self, connection: psycopg.Connection) -> None:
        milliseconds = round(self._timeout_seconds * 1000)
        # Half for locks, so that a row held by another is told from a slow database.
        connection.execute(
            "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false)",
            [str(milliseconds), str(milliseconds // 2)],
        )
