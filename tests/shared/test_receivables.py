"""A public sample of 2,466 real invoices: taken in whole, and settled whole by the payments that followed."""

import csv
import shutil
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from relight.flow.database import Database
from relight.flow.road.intake import import_invoices, import_payments
from tests.flow import ledger

PAYMENTS = "accounts-receivable-payments"


class Counted(NamedTuple):
    """What the file says, counted without Relight: sums in øre."""

    rows: list[dict[str, str]]
    amount: int
    disputed: int
    by_customer: dict[str, int]


@pytest.fixture
def sample(shared: Path) -> Path:
    return shared / "data" / "receivables" / "accounts_receivable.csv"


@pytest.fixture
def counted(sample: Path) -> Counted:
    with sample.open(newline="", encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    by_customer: dict[str, int] = defaultdict(int)
    for row in rows:
        by_customer[row["customerID"]] += minor(row)
    disputed = sum(minor(row) for row in rows if row["Disputed"] == "Yes")
    return Counted(rows, sum(minor(row) for row in rows), disputed, dict(by_customer))


def minor(row: dict[str, str]) -> int:
    exact = Decimal(row["InvoiceAmount"]) * 100
    assert exact == int(exact)
    return int(exact)


def american(text: str) -> date:
    month, day, year = map(int, text.split("/"))
    return date(year, month, day)


def test_all_invoices_go_in_and_their_totals_are_the_files(
    db: Database, partner: int, now: datetime, sample: Path, counted: Counted
) -> None:
    report = import_invoices(db, partner, sample, now=now)

    assert (report.read, report.accepted, report.rejected, report.errors) == (2466, 2466, 0, [])
    assert report.mapping == "accounts-receivable"
    total = report.as_data()["totals"]["NOK"]
    assert total == {"rows": len(counted.rows), "amount": counted.amount, "disputed": counted.disputed}
    with db.transaction(partner) as tx:
        stored = tx.rows(
            "SELECT a.ref, sum(c.principal)::bigint FROM claim c JOIN account a ON a.id = c.account_id GROUP BY 1"
        )
        assert dict(stored) == counted.by_customer
        assert ledger.differences(tx) == []
        assert ledger.balance(tx, "receivable") == counted.amount


def test_each_invoice_keeps_its_own_days_amount_and_dispute(
    db: Database, partner: int, now: datetime, sample: Path, counted: Counted
) -> None:
    import_invoices(db, partner, sample, now=now)

    with db.transaction(partner) as tx:
        stored = tx.rows(
            "SELECT c.number, a.ref, c.amount, c.issued_date, c.due_date, c.disputed"
            " FROM claim c JOIN account a ON a.id = c.account_id"
        )
    assert sorted(stored) == sorted(
        (
            row["invoiceNumber"],
            row["customerID"],
            minor(row),
            american(row["InvoiceDate"]),
            american(row["DueDate"]),
            minor(row) if row["Disputed"] == "Yes" else 0,
        )
        for row in counted.rows
    )


def test_the_payments_that_followed_settle_exactly_these_invoices(
    db: Database, partner: int, now: datetime, sample: Path, counted: Counted
) -> None:
    import_invoices(db, partner, sample, now=now)

    report = import_payments(db, partner, sample, mapping=PAYMENTS, now=now)

    assert (report.read, report.accepted, report.other, report.rejected, report.unmatched) == (2466, 2466, 0, 0, 0)
    with db.transaction(partner) as tx:
        states = dict(tx.rows("SELECT state, count(*) FROM claim GROUP BY 1"))
        paid_on = tx.rows(
            "SELECT c.number, t.value_date, sum(t.amount)::bigint FROM transfer t JOIN claim c ON c.id = t.claim_id"
            " WHERE t.kind = 'allocation' GROUP BY 1, 2"
        )
        assert states == {"settled": 2466}
        assert tx.value("SELECT sum(credit) FROM account") == 0
        assert ledger.differences(tx) == []
        assert (ledger.balance(tx, "receivable"), ledger.balance(tx, "settlement")) == (0, counted.amount)
    assert sorted(paid_on) == sorted(
        (row["invoiceNumber"], american(row["SettledDate"]), minor(row)) for row in counted.rows
    )


def test_the_same_files_again_change_nothing(db: Database, partner: int, now: datetime, sample: Path) -> None:
    import_invoices(db, partner, sample, now=now)
    import_payments(db, partner, sample, mapping=PAYMENTS, now=now)
    later = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
    before = books(db, partner)

    invoices = import_invoices(db, partner, sample, now=later)
    payments = import_payments(db, partner, sample, mapping=PAYMENTS, now=later)

    assert (invoices.read, invoices.unchanged, invoices.accepted, invoices.rejected) == (2466, 2466, 0, 0)
    assert (payments.read, payments.unchanged, payments.accepted, payments.rejected) == (2466, 2466, 0, 0)
    assert books(db, partner) == before


def test_a_partner_never_sees_what_another_imported(
    db: Database, partner: int, other_partner: int, now: datetime, sample: Path
) -> None:
    import_invoices(db, partner, sample, now=now)

    report = import_invoices(db, other_partner, sample, now=now)

    assert (report.accepted, report.unchanged) == (2466, 0)
    for one in (partner, other_partner):
        with db.transaction(one) as tx:
            assert tx.value("SELECT count(*) FROM claim") == 2466
            assert tx.value("SELECT count(*) FROM import_run") == 1


def test_a_copy_under_another_name_with_windows_line_ends_is_the_same_file(
    db: Database, partner: int, now: datetime, sample: Path, tmp_path: Path
) -> None:
    import_invoices(db, partner, sample, now=now)
    copy = Path(shutil.copy(sample, tmp_path / "kopi.txt"))
    copy.write_bytes(b"\xef\xbb\xbf" + copy.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    report = import_invoices(db, partner, copy, now=now)

    assert (report.read, report.unchanged) == (2466, 2466)


def books(db: Database, partner: int) -> tuple[object, ...]:
    """Everything that money rests on, with ids: a row written anew would show."""
    with db.transaction(partner) as tx:
        return (
            tx.rows("SELECT * FROM transfer ORDER BY id"),
            tx.rows("SELECT * FROM claim ORDER BY id"),
            tx.rows("SELECT * FROM claim_line ORDER BY id"),
            tx.rows("SELECT * FROM payment ORDER BY id"),
            tx.rows("SELECT * FROM account ORDER BY id"),
        )


def test_a_copy_with_broken_rows_gives_all_the_good_ones_and_lists_the_others(
    db: Database, partner: int, now: datetime, sample: Path, counted: Counted, tmp_path: Path
) -> None:
    lines = sample.read_bytes().splitlines()
    accidents = {
        10: lambda line: line.replace(b",", b",,", 3)[:-20],  # missing fields
        100: lambda line: with_cell(line, 6, b"fifty"),
        200: lambda line: with_cell(line, 6, b""),
        300: lambda line: with_cell(line, 5, b"2/30/2013"),
        400: lambda line: with_cell(line, 5, b"30.01.2013"),
        500: lambda line: with_cell(line, 6, b"99999999999999999999.99"),
        600: lambda line: with_cell(line, 3, lines[599].split(b",")[3]),  # its neighbour's number
        700: lambda line: with_cell(line, 1, b"K\xf8benhavn"),
        800: lambda line: with_cell(line, 1, b"a\x00b"),
        900: lambda line: line + b",and,more",
        1000: lambda line: with_cell(line, 1, b'"never closed'),
        len(lines) - 1: lambda line: line[:18],  # cut off
    }
    for at, accident in accidents.items():
        lines[at] = accident(lines[at])
    path = tmp_path / "broken.csv"
    path.write_bytes(b"\n".join(lines))

    report = import_invoices(db, partner, path, now=now)

    assert {problem.line for problem in report.errors} == {at + 1 for at in accidents}
    assert (report.read, report.rejected, report.accepted) == (2466, len(accidents), 2466 - len(accidents))
    good = [row for at, row in enumerate(counted.rows, start=1) if at not in accidents]
    assert report.totals["NOK"].amount == sum(map(minor, good))
    with db.transaction(partner) as tx:
        assert {number for (number,) in tx.rows("SELECT number FROM claim")} == {row["invoiceNumber"] for row in good}
        assert ledger.differences(tx) == []


def with_cell(line: bytes, at: int, content: bytes) -> bytes:
    cells = line.split(b",")
    cells[at] = content
    return b",".join(cells)
