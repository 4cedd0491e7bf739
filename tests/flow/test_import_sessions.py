"""A file of invoices taken in by two sessions at once: the end is that of one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from relight.flow.database import Database
from relight.flow.road import runs
from relight.flow.road.intake import import_invoices
from tests.flow import ledger
from tests.flow.importing import books, counts, write_csv
from tests.flow.test_import_crash import wait_for

ROWS, ACCOUNTS = 600, 60
HEADER = ("number", "account", "amount", "due_date", "credits")
_WAITING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'relight-tests' AND wait_event_type = 'Lock'"


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BATCH_ROWS", 100)


@pytest.fixture
def admin(database_urls: dict[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_urls["admin"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def invoices(tmp_path: Path) -> Path:
    """Invoices and credit notes of sixty accounts; every fiftieth row is wrong, and every ninetieth repeats."""
    return write_csv(tmp_path / "invoices.csv", HEADER, map(_row, range(ROWS)))


def _row(at: int) -> tuple[object, ...]:
    account = f"A{at % ACCOUNTS:04}"
    if at % 50 == 7:
        return f"F{at}", account, "ten", "2026-02-01", ""
    if at % 30 == 9 and at > ACCOUNTS:
        return f"F{at}", account, "-20", "2026-02-01", f"F{at - ACCOUNTS}"
    if at % 90 == 80:
        return _row(at - 1)
    return f"F{at}", account, f"{100 + at % 37}.50", "2026-02-01", ""


def test_it_comes_to_the_same_as_with_one(
    db: Database, partner: int, other_partner: int, now: datetime, invoices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(runs, "BATCH_ROWS", 200)  # as many as two sessions take together
        one = import_invoices(db, other_partner, invoices, now=now)

    two = import_invoices(db, partner, invoices, now=now, sessions=2)
    again = import_invoices(db, partner, invoices, now=now, sessions=2)

    assert counts(two) == counts(one)
    assert two.errors == sorted(one.errors, key=lambda problem: problem.line)
    assert two.totals == one.totals
    assert books(db, partner) == books(db, other_partner)
    assert (again.accepted, again.unchanged) == (0, two.accepted + two.unchanged)
    with db.transaction(partner) as tx:
        assert ledger.differences(tx) == []


def test_who_waits_for_a_customer_does_not_hold_the_others_up(
    database_urls: dict[str, str], db: Database, admin: psycopg.Connection, partner: int, now: datetime, invoices: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    _know(db, partner, now, tmp_path)

    with ThreadPoolExecutor(1) as pool, psycopg.connect(database_urls["owner"]) as lock:
        lock.execute("SELECT FROM account WHERE partner_id = %s AND ref = 'A0000' FOR NO KEY UPDATE", (partner,))
        coming = pool.submit(import_invoices, db, partner, invoices, now=now, sessions=2)
        wait_for(lambda: admin.execute(_WAITING).fetchall(), "one session waits for its customer")
        wait_for(lambda: _claims(db, partner), "the other one has committed")
        lock.rollback()

    assert coming.result().accepted == _claims(db, partner)


def test_a_session_that_ends_leaves_its_part_for_the_next_time(
    database_urls: dict[str, str], db: Database, admin: psycopg.Connection, partner: int, other_partner: int,
    now: datetime, invoices: Path, tmp_path: Path,
) -> None:  # fmt: skip
    for one in (partner, other_partner):
        _know(db, one, now, tmp_path)
    import_invoices(db, other_partner, invoices, now=now, sessions=2)

    with ThreadPoolExecutor(1) as pool, psycopg.connect(database_urls["owner"]) as lock:
        lock.execute("SELECT FROM account WHERE partner_id = %s AND ref = 'A0000' FOR NO KEY UPDATE", (partner,))
        coming = pool.submit(import_invoices, db, partner, invoices, now=now, sessions=2)
        wait_for(lambda: _claims(db, partner), "one part has come in")
        wait_for(lambda: _end(admin), "the other one's session was ended")
        with pytest.raises(psycopg.OperationalError):
            coming.result()
    left = _claims(db, partner)
    again = import_invoices(db, partner, invoices, now=now, sessions=2)

    assert 0 < left < 200
    assert again.accepted == _claims(db, partner) - left
    assert books(db, partner) == books(db, other_partner)


def test_rows_that_tell_of_homes_and_meters_keep_the_order_of_the_file(
    db: Database, partner: int, now: datetime, tmp_path: Path
) -> None:
    """The old tenant's row, and further down the new one's with the new meter of the same flat."""
    header = ("number", "account", "amount", "due_date", "access_point", "meter_serial")
    rows = [(f"F{k}-{at}", f"A{k}-{at}", "10", "2026-02-01", f"K{k}", f"M{at}") for at in range(2) for k in range(80)]
    path = write_csv(tmp_path / "invoices.csv", header, rows)

    report = import_invoices(db, partner, path, now=now, sessions=2)

    assert counts(report) == (160, 160, 0, 0, 0)
    with db.transaction(partner) as tx:
        serials = tx.rows("SELECT DISTINCT serial FROM device WHERE ends_at IS NULL")
    assert serials == [("M1",)]


def _know(db: Database, partner: int, now: datetime, folder: Path) -> None:
    """All customers are known, by a file of one invoice each that owes nothing any more."""
    rows = [(f"G{at}", f"A{at:04}", "1", "2026-01-01", "") for at in range(ACCOUNTS)]
    import_invoices(db, partner, write_csv(folder / "known.csv", HEADER, rows), now=now)


def _claims(db: Database, partner: int) -> int:
    with db.transaction(partner) as tx:
        count: int = tx.value("SELECT count(*) FROM claim WHERE number LIKE 'F%%'", {})
        return count


def _end(admin: psycopg.Connection) -> bool:
    return bool(admin.execute(f"SELECT pg_terminate_backend(pid) FROM ({_WAITING}) w").fetchall())  # noqa: S608
