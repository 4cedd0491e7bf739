"""A process that was stopped in the middle of a transaction lets go of what it has locked; others are left alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg
import pytest

from relight.flow.database import Database
from relight.flow.road.stopped import end_stopped
from tests.flow.factories import make_account
from tests.journeys.processes import wait_for

_LOCK = "SELECT id FROM account WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED"
_PARTNER = "SELECT set_config('relight.partner', %s, false)"
SHORT = timedelta(milliseconds=200)


@pytest.fixture
def account(db: Database, partner: int, now: datetime) -> int:
    """Somebody's account."""
    with db.transaction(partner) as tx:
        return make_account(tx, now).id


@contextmanager
def session(urls: dict[str, str], partner: int) -> Iterator[psycopg.Connection]:
    """A session of the role that runs in production."""
    with psycopg.connect(urls["app"], autocommit=True) as made:
        made.execute(_PARTNER, (str(partner),))
        yield made


def is_free(urls: dict[str, str], partner: int, account: int) -> bool:
    with session(urls, partner) as other:
        return bool(other.execute(_LOCK, (account,)).fetchall())


def test_a_session_stopped_between_statements_that_travel_together_lets_go(
    db: Database, database_urls: dict[str, str], partner: int, account: int
) -> None:
    def stands_still() -> None:
        with session(database_urls, partner) as stopped, stopped.transaction(), stopped.pipeline():
            stopped.execute(_LOCK, (account,))
            stopped.pgconn.send_flush_request()
            stopped.pgconn.flush()  # and here it stands, before it says that this was all
            wait_for(lambda: not is_free(database_urls, partner, account), "the account is locked")
            wait_for(lambda: end_stopped(db, after=SHORT), "it is ended")

    with pytest.raises(psycopg.OperationalError):
        stands_still()
    assert is_free(database_urls, partner, account)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("SELECT count(*) FROM account", id="who only reads"),
        pytest.param("SELECT pg_try_advisory_xact_lock(8211, 1)", id="who makes an audit"),
    ],
)
def test_who_holds_nothing_is_left_alone(
    db: Database, database_urls: dict[str, str], partner: int, statement: str
) -> None:
    with session(database_urls, partner) as reader, reader.transaction():
        reader.execute(statement)

        assert end_stopped(db, after=timedelta(0)) == 0

        reader.execute("SELECT 1")


def test_who_copies_is_left_alone(db: Database, database_urls: dict[str, str], partner: int) -> None:
    with session(database_urls, partner) as importing, importing.transaction():
        importing.execute("CREATE TEMPORARY TABLE staged (number integer) ON COMMIT DROP")
        with importing.cursor().copy("COPY staged FROM STDIN") as copy:
            copy.write_row((1,))

            assert end_stopped(db, after=timedelta(0)) == 0

            copy.write_row((2,))
        assert importing.execute("SELECT count(*) FROM staged").fetchone() == (2,)


def test_who_is_at_work_is_left_alone(db: Database, database_urls: dict[str, str], partner: int, account: int) -> None:
    with session(database_urls, partner) as working, working.transaction():
        working.execute(_LOCK, (account,))

        assert end_stopped(db) == 0

        working.execute("SELECT 1")
