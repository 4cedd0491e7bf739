"""What a connection is set to, whatever the server's own settings are."""

from collections.abc import Iterator
from datetime import UTC, timedelta

import psycopg
import pytest

from relight.flow.database import Database


@pytest.fixture
def elsewhere(owner: psycopg.Connection, db: Database) -> Iterator[Database]:
    """The database of somebody whose server lives in the Pacific, a day ahead."""
    name = psycopg.conninfo.conninfo_to_dict(db.conninfo)["dbname"]
    owner.execute(f"ALTER DATABASE \"{name}\" SET timezone = 'Pacific/Kiritimati'")
    yield db
    owner.execute(f'ALTER DATABASE "{name}" RESET timezone')


def test_days_are_not_counted_in_the_servers_zone(elsewhere: Database, owner: psycopg.Connection) -> None:
    with psycopg.connect(elsewhere.conninfo) as plain:
        (theirs,) = plain.execute("SHOW timezone").fetchone() or ("",)

    with Database(elsewhere.conninfo) as ours, ours.transaction(None) as tx:
        day, moment = tx.rows("SELECT '2026-03-01T20:00Z'::timestamptz::date::text, '2026-03-01T20:00Z'::timestamptz")[
            0
        ]

    assert theirs == "Pacific/Kiritimati"
    assert day == "2026-03-01"
    assert moment.utcoffset() == timedelta()
    assert moment.astimezone(UTC).hour == 20
