"""The web's way to the database, one for the process: transactions, and reads that take one round trip.

A read is a pipeline outside any transaction block: its statements travel together and the server runs them as one
implicit transaction up to the Sync message, so `set_config(…, true)` holds for all of them and for nobody after
(PostgreSQL, "Message Flow: Pipelining"). BEGIN and COMMIT would cost two more waits for the network.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from relight.flow.database import Database, Tx, reachable
from relight.flow.payments.queries import Question, begin
from relight.telemetry import pools

ADDRESS_VARIABLE = "RELIGHT_APP_DATABASE"

Row = dict[str, Any]

_READS_MAX = 8
_PREPARE_AFTER = 1  # the pages ask the same few questions again and again
# Each question finds one link by its key, so one plan fits all; planning anew takes longer than running it.
_SESSION = "-c search_path=relight -c timezone=UTC -c plan_cache_mode=force_generic_plan -c jit=off"


class WebDatabase:
    """Connections of one web process, made when they are first needed."""

    def __init__(self, conninfo: str):
        self.transactions = Database(conninfo, size_max=8, name="relight-web").by_its_own_clock()
        self._reads: ConnectionPool[Any] = ConnectionPool(
            reachable(conninfo),
            min_size=1,
            max_size=_READS_MAX,
            timeout=10,
            open=False,
            name="relight-pages",
            kwargs={
                "application_name": "relight-pages",
                "options": _SESSION,
                "autocommit": True,
                "prepare_threshold": _PREPARE_AFTER,
                "row_factory": dict_row,
            },
        )

    def open(self) -> "WebDatabase":
        """Connect; raises psycopg.OperationalError when there is no server."""
        self.transactions.open()
        self._reads.open(wait=True, timeout=30)
        pools.watch(self._reads)
        return self

    def close(self) -> None:
        """Give up all connections."""
        self._reads.close()
        self.transactions.close()

    @contextmanager
    def transaction(self, partner_id: int | None) -> Iterator[Tx]:
        """One transaction of one partner; see `Database.transaction`."""
        with self.transactions.transaction(partner_id) as tx:
            yield tx

    def ask(self, partner_id: int | None, *questions: Question) -> tuple[datetime, list[list[Row]]]:
        """The moment, and the rows of each question, in one round trip, seeing one partner's rows (or none's)."""
        with self._reads.connection() as connection:
            with connection.pipeline():
                moment = connection.execute(*begin(partner_id))
                cursors = [connection.execute(statement, params) for statement, params in questions]
            # Fetched after the pipeline: its one Sync has brought all answers.
            rows = [cursor.fetchall() if cursor.description else [] for cursor in cursors]
            return moment.fetchall()[0]["now"], rows


_lock = threading.Lock()
_open: dict[str, WebDatabase] = {}


def database() -> WebDatabase:
    """The process's database, by `RELIGHT_APP_DATABASE`; opened at the first call and kept."""
    address = os.environ[ADDRESS_VARIABLE]
    found = _open.get(address)
    if found is None:
        with _lock:
            found = _open.get(address) or WebDatabase(address).open()
            _open[address] = found
    return found


def close() -> None:
    """Give up the process's connections: at the end of a process, and before a test's server goes."""
    with _lock:
        while _open:
            _open.popitem()[1].close()
