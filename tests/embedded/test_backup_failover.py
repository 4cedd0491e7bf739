"""The log of commits, when a replica takes over: it goes on in the same folder, by a new stream too."""

from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from tests.counterparts import postgres
from tests.counterparts.postgres import Postgres
from tests.embedded.backing_up import answer, command, said_by_stream, segments_of, streaming
from tests.embedded.commands import wait_until


def grow(server: Postgres, count: int) -> None:
    """So many segments of the server's log are full."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for _ in range(count):
            connection.execute("SELECT txid_current()")
            connection.execute("SELECT pg_switch_wal()")


def is_fetched(server: Postgres) -> bool:
    """Whether the stream is there."""
    with psycopg.connect(server.url()) as connection:
        found = connection.execute("SELECT FROM pg_replication_slots WHERE slot_name = 'relight_backup' AND active")
        return found.fetchone() is not None


def test_the_log_goes_on_with_the_replica_that_took_over(ground: Path, home: Path, folder: Path) -> None:
    home.mkdir()
    with postgres.running() as first, postgres.following(first) as second:
        both = make_conninfo(
            "",
            host=f"{first.host},{second.host}",
            port=f"{first.port},{second.port}",
            user=postgres.SUPERUSER,
            dbname="postgres",
            target_session_attrs="read-write",
        )
        there = {"DATABASE_URL": both, "RELIGHT_BACKUP_URL": both}
        made = command(home, "backup", "base", str(folder), **there)
        with streaming(home, folder, **there) as stream:
            grow(first, 2)
            wait_until(lambda: len(segments_of(folder)) >= 2)
            postgres.kill(first)
            postgres.promote(second)
            wait_until(lambda: is_fetched(second), seconds=60)
            grow(second, 2)
            wait_until(lambda: any(path.name.startswith("00000002") for path in segments_of(folder)))
            ended = stream.poll()
        with psycopg.connect(second.url()) as connection:
            connection.execute("CREATE TABLE kept ()")
        with streaming(home, folder, **there):
            copied = command(home, "backup", "base", str(folder), **there)
        checked = answer(home, "backup", "check", str(folder))

    assert made.returncode == 0, made.stderr
    assert ended is None, said_by_stream(folder).read_text()
    assert copied.returncode == 0, copied.stderr
    assert (checked["ok"], checked["bases"]) == (True, 2)
