"""Imports that are killed, and imports that meet: the end is the same as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from relight.flow.database import Database
from relight.flow.road import runs
from relight.flow.road.intake import import_invoices, import_payments
from tests.flow import ledger
from tests.flow.importing import books, counts, write_csv

ROWS = 600
BATCH = 200
ACCOUNTS = 60
LAST = "Z1"  # stands in the last row only
SECONDS_MAX = 60
HEADER = ("number", "account", "amount", "due_date", "credits", "name", "mobile", "disputed")
_PROCESS = """
import sys
from datetime import datetime
from pathlib import Path
from relight.flow.database import Database
from relight.flow.road import intake, runs
conninfo, partner, kind, path, now, name, batch = sys.argv[1:]
runs.BATCH_ROWS = int(batch)
with Database(conninfo, name=name) as db:
    done = getattr(intake, "import_" + kind)(db, int(partner), Path(path), now=datetime.fromisoformat(now))
    print(done.read, done.accepted, done.unchanged, done.other, done.rejected)
"""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BATCH_ROWS", BATCH)


@pytest.fixture
def invoices(tmp_path: Path) -> Path:
    """Invoices and credit notes of sixty accounts in three batches; every hundredth row is wrong."""
    return write_csv(tmp_path / "invoices.csv", HEADER, map(_row, range(ROWS)))


def _row(at: int) -> tuple[object, ...]:
    account = f"A{at % ACCOUNTS:04}" if at < ROWS - 1 else LAST
    if at % 100 == 7:
        return (f"F{at}", account, "ten", "2026-02-01", "", "", "", "no")
    if at % 50 == 9:
        return (f"F{at}", account, "-20", "2026-02-01", f"F{at - ACCOUNTS}" if at > ACCOUNTS else "", "", "", "no")
    disputed = "yes" if at % 10 == 0 else "no"
    return (
        f"F{at}",
        account,
        f"{100 + at % 37}.50",
        "2026-02-01",
        "",
        f"Kari {account}",
        f"9{at % ACCOUNTS:07}",
        disputed,
    )


@pytest.fixture
def payments(tmp_path: Path) -> Path:
    rows = ((f"P{at}", f"{100 + at % 37}.50", "2026-02-10", f"F{at}") for at in range(ROWS))
    return write_csv(tmp_path / "payments.csv", ("ref", "amount", "value_date", "reference"), rows)


@contextmanager
def importing(
    urls: dict[str, str], partner: int, path: Path, now: datetime, *, kind: str = "invoices", name: str = "importer"
) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that imports a file; killed at the end if it still runs."""
    command = [
        sys.executable,
        "-c",
        _PROCESS,
        urls["app"],
        str(partner),
        kind,
        str(path),
        now.isoformat(),
        name,
        str(BATCH),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, f"in {SECONDS_MAX} seconds it did not come to: {what}"
        time.sleep(0.01)


@pytest.fixture
def admin(database_urls: dict[str, str]) -> Iterator[psycopg.Connection]:
    """A superuser, who sees what other roles' sessions wait for."""
    with psycopg.connect(database_urls["admin"], autocommit=True) as connection:
        yield connection


def waits(admin: psycopg.Connection, name: str = "importer") -> bool:
    """Whether the importing process stands at a lock."""
    found = admin.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'", (name,)
    ).fetchone()
    return bool(found and found[0])


def stored(db: Database, partner: int, table: str) -> int:
    with db.transaction(partner) as tx:
        return tx.value(f"SELECT count(*) FROM {table}")  # noqa: S608 - names from this file


def kill(process: subprocess.Popen[str], admin: psycopg.Connection, lock: psycopg.Connection) -> None:
    """kill -9 at the lock, let go of it, and wait until the server has noticed: it only looks once it goes on."""
    process.send_signal(signal.SIGKILL)
    process.wait()
    lock.rollback()
    wait_for(
        lambda: admin.execute("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'importer')")
        .fetchone() == (True,),
        "the killed import's sessions are gone",
    )  # fmt: skip


def undisturbed(db: Database, partner: int, now: datetime, invoices: Path, payments: Path | None = None) -> object:
    """The books of a partner at whom nothing was killed."""
    import_invoices(db, partner, invoices, now=now)
    if payments:
        import_payments(db, partner, payments, now=now)
    return books(db, partner)


@pytest.mark.parametrize("table", ["account", "claim", "claim_line", "transfer", "import_rejection"])
def test_an_import_killed_within_its_batch_leaves_nothing_half_done(
    database_urls: dict[str, str],
    db: Database,
    admin: psycopg.Connection,
    partner: int,
    other_partner: int,
    now: datetime,
    invoices: Path,
    table: str,
) -> None:
    wanted = undisturbed(db, other_partner, now, invoices)

    with importing(database_urls, partner, invoices, now) as process, psycopg.connect(database_urls["owner"]) as lock:
        lock.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        wait_for(lambda: waits(admin), f"the import waits at {table}")
        kill(process, admin, lock)
    left = [stored(db, partner, name) for name in ("account", "claim", "transfer", "import_rejection")]
    report = import_invoices(db, partner, invoices, now=now)

    assert left == [0, 0, 0, 0]
    assert counts(report) == (ROWS, ROWS - ROWS // 100, 0, 0, ROWS // 100)
    assert books(db, partner) == wanted


def test_an_import_killed_between_its_batches_goes_on_where_it_was(
    database_urls: dict[str, str],
    db: Database,
    admin: psycopg.Connection,
    partner: int,
    other_partner: int,
    now: datetime,
    invoices: Path,
    payments: Path,
    tmp_path: Path,
) -> None:
    first = write_csv(tmp_path / "first.csv", HEADER, [("F-1", LAST, "10", "2026-02-01", "", "", "", "no")])
    for one in (partner, other_partner):
        import_invoices(db, one, first, now=now)
    wanted = undisturbed(db, other_partner, now, invoices, payments)

    with psycopg.connect(database_urls["owner"]) as lock:
        lock.execute("SELECT FROM account WHERE partner_id = %s AND ref = %s FOR NO KEY UPDATE", (partner, LAST))
        with importing(database_urls, partner, invoices, now) as process:
            wait_for(lambda: waits(admin), "the last batch waits for its account")
            kill(process, admin, lock)
    left = stored(db, partner, "claim WHERE number <> 'F-1'")
    again = import_invoices(db, partner, invoices, now=now)
    import_payments(db, partner, payments, now=now)

    assert left == 2 * BATCH - 2 * BATCH // 100
    assert (again.unchanged, again.accepted) == (left, ROWS - ROWS // 100 - left)
    assert books(db, partner) == wanted
    with db.transaction(partner) as tx:
        runs_told = tx.rows("SELECT file_name, read, finished_at IS NULL FROM import_run ORDER BY id")
        assert runs_told[:3] == [("first.csv", 1, False), ("invoices.csv", 0, True), ("invoices.csv", ROWS, False)]


@pytest.mark.parametrize("table", ["payment", "transfer", "source"])
def test_payments_killed_anywhere_count_once_and_leave_their_source_incomplete(
    database_urls: dict[str, str],
    db: Database,
    admin: psycopg.Connection,
    partner: int,
    other_partner: int,
    now: datetime,
    invoices: Path,
    payments: Path,
    table: str,
) -> None:
    wanted = undisturbed(db, other_partner, now, invoices, payments)
    import_invoices(db, partner, invoices, now=now)
    with db.transaction(partner) as tx:
        tx.run("INSERT INTO source (partner_id, name, kind) VALUES (%(p)s, 'bank', 'bank')", {"p": partner})

    with psycopg.connect(database_urls["owner"]) as lock:
        lock.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        with importing(database_urls, partner, payments, now, kind="payments") as process:
            wait_for(lambda: waits(admin), f"the import waits at {table}")
            kill(process, admin, lock)
    complete = stored(db, partner, "source WHERE complete_until IS NOT NULL")
    import_payments(db, partner, payments, now=now)

    assert complete == 0
    assert books(db, partner) == wanted


def test_two_imports_of_one_file_at_once_come_to_the_same_end(
    database_urls: dict[str, str],
    db: Database,
    admin: psycopg.Connection,
    partner: int,
    other_partner: int,
    now: datetime,
    invoices: Path,
    payments: Path,
) -> None:
    wanted = undisturbed(db, other_partner, now, invoices, payments)

    for kind, path, table in (("invoices", invoices, "claim"), ("payments", payments, "payment")):
        with (
            importing(database_urls, partner, path, now, kind=kind, name="one") as one,
            importing(database_urls, partner, path, now, kind=kind, name="other") as other,
        ):
            with psycopg.connect(database_urls["owner"]) as lock:
                lock.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
                wait_for(lambda: waits(admin, "one") and waits(admin, "other"), "both wait in the same batch")
            told = [process.communicate(timeout=SECONDS_MAX) for process in (one, other)]
        assert [process.returncode for process in (one, other)] == [0, 0], told
        sums = [sum(column) for column in zip(*(map(int, out.split()) for out, _ in told), strict=True)]
        assert (sums[0], sums[1] + sums[2] + sums[3] + sums[4]) == (2 * ROWS, 2 * ROWS)
        if kind == "invoices":
            assert sums[1] == sums[2] == ROWS - ROWS // 100  # each row was new to one of them, and known to the other

    assert books(db, partner) == wanted
    with db.transaction(partner) as tx:
        assert ledger.differences(tx) == []


def test_a_source_that_another_import_is_just_making_is_found(
    database_urls: dict[str, str],
    db: Database,
    admin: psycopg.Connection,
    partner: int,
    other_partner: int,
    now: datetime,
    invoices: Path,
    payments: Path,
) -> None:
    wanted = undisturbed(db, other_partner, now, invoices, payments)
    import_invoices(db, partner, invoices, now=now)

    with ExitStack() as beside:
        with db.transaction(partner) as tx:
            tx.run("INSERT INTO source (partner_id, name, kind) VALUES (%(p)s, 'bank', 'bank')", {"p": partner})
            process = beside.enter_context(importing(database_urls, partner, payments, now, kind="payments"))
            wait_for(lambda: waits(admin), "the import waits for the source that is being made")
        told = process.communicate(timeout=SECONDS_MAX)

    assert process.returncode == 0, told
    assert books(db, partner) == wanted


def test_files_that_meet_at_a_number_are_both_read_to_their_end(
    database_urls: dict[str, str], db: Database, admin: psycopg.Connection, partner: int, now: datetime, tmp_path: Path
) -> None:
    header = ("number", "account", "amount", "due_date")
    mine = write_csv(tmp_path / "mine.csv", header, [("F1", "A1", "10", "2026-02-01"), ("F2", "A1", "5", "2026-02-01")])
    theirs = write_csv(tmp_path / "theirs.csv", header, [("F1", "B1", "10", "2026-02-01")])

    with psycopg.connect(database_urls["owner"]) as lock:
        lock.execute("LOCK TABLE claim IN SHARE ROW EXCLUSIVE MODE")
        with (
            importing(database_urls, partner, mine, now, name="one") as one,
            importing(database_urls, partner, theirs, now, name="other") as other,
        ):
            wait_for(lambda: waits(admin, "one") and waits(admin, "other"), "both wait with the same new number")
            lock.commit()
            told = [process.communicate(timeout=SECONDS_MAX) for process in (one, other)]

    assert [process.returncode for process in (one, other)] == [0, 0], told
    rejected = [int(out.split()[4]) for out, _ in told]
    assert sorted(rejected) == [0, 1]
    assert stored(db, partner, "claim WHERE number = 'F1'") == 1
    assert stored(db, partner, "claim WHERE number = 'F2'") == 1
