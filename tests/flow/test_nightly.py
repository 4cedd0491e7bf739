"""The nightly audit: due at night and by age, of everything once a week, by one process at a time, and really made."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from relight.cli import nightly
from relight.flow.database import Database
from relight.flow.watch.audits import begin, note
from tests.flow.conftest import make_partner

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TWO_AT_NIGHT = timedelta(hours=16)  # after the tests' ten in the morning, in Oslo
SECONDS_MAX = 60


def asked(db: Database, partner: int, at: datetime) -> bool | None:
    """Whether an audit of everything is due; None when none is."""
    with db.transaction(partner) as tx:
        found = begin(tx, at)
        return None if found is None else found[1]


def audited(db: Database, partner: int, at: datetime, *, is_full: bool) -> None:
    with db.transaction(partner) as tx:
        note(tx, [], at, is_full=is_full)


def test_it_is_due_the_second_night_and_at_any_hour_once_a_night_was_missed(
    db: Database, partner: int, now: datetime
) -> None:
    assert asked(db, partner, now + TWO_AT_NIGHT) is None, "the first night nothing is a day old"
    assert asked(db, partner, now + 25 * HOUR) is None, "by day it waits for the night"
    assert asked(db, partner, now + TWO_AT_NIGHT + DAY) is False
    assert asked(db, partner, now + 26 * HOUR) is False, "a host that sleeps at night audits by day"

    audited(db, partner, now + TWO_AT_NIGHT + DAY, is_full=False)

    assert asked(db, partner, now + TWO_AT_NIGHT + DAY + HOUR) is None
    assert asked(db, partner, now + TWO_AT_NIGHT + 2 * DAY) is False


def test_once_a_week_it_is_of_everything(db: Database, partner: int, now: datetime) -> None:
    night = now + TWO_AT_NIGHT + 7 * DAY
    audited(db, partner, night - DAY, is_full=False)

    assert asked(db, partner, night) is True

    audited(db, partner, night, is_full=True)

    assert asked(db, partner, night + DAY) is False


def test_who_is_only_trying_is_not_audited(db: Database, owner: psycopg.Connection, now: datetime) -> None:
    assert asked(db, make_partner(owner, now, mode="shadow"), now + 3 * DAY) is None


def test_while_one_makes_it_no_other_begins(db: Database, partner: int, now: datetime) -> None:
    with db.transaction(partner) as tx:
        assert begin(tx, now + 3 * DAY) is not None

        assert asked(db, partner, now + 3 * DAY) is None

    assert asked(db, partner, now + 3 * DAY) is False


def test_it_is_held_for_as_long_as_an_audit_takes(db: Database, partner: int, now: datetime) -> None:
    with db.transaction(partner) as tx:
        tx.run("SET LOCAL idle_in_transaction_session_timeout = '200ms'")
        assert begin(tx, now + 3 * DAY) is not None

        time.sleep(0.6)

        assert asked(db, partner, now + 3 * DAY) is None
        assert tx.value("SELECT 1") == 1, "the session is still there"


def test_a_worker_makes_it_in_a_process_of_its_own_and_the_result_is_kept(
    db: Database, partner: int, database_urls: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(database_urls, tmp_path, monkeypatch)
    begun, begin_one = list[Any](), asyncio.create_subprocess_exec

    def counted(*words: Any, **more: Any) -> Awaitable[Any]:
        begun.append(words)
        return begin_one(*words, **more)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", counted)

    asyncio.run(until(lambda: nightly.watch_over(db, {partner}, pause=0.05), lambda: bool(results(db, partner))))

    assert len(begun) == 1, "what was done once is not begun again"
    assert results(db, partner) == [(0, True)], "a week old and never audited: everything, once"


def set_up(urls: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `relight` finds the tests' database, as a worker's own processes do."""
    names = {"RELIGHT_HOME": str(home), "DATABASE_URL": urls["app"], "DATABASE_OWNER_URL": urls["owner"],
             "RELIGHT_SECRET_KEY": "only for tests"}  # fmt: skip
    for name, value in names.items():
        monkeypatch.setenv(name, value)


def results(db: Database, partner: int) -> list[tuple[int, bool]]:
    with db.transaction(partner) as tx:
        return [(row[0], row[1]) for row in tx.rows("SELECT violations, is_full FROM audit_result ORDER BY at")]


async def until(work: Callable[[], Awaitable[None]], is_so: Callable[[], bool]) -> None:
    """Let it work until something is so, and a few rounds longer."""
    task = asyncio.ensure_future(work())
    for _ in range(SECONDS_MAX * 10):
        if is_so():
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
