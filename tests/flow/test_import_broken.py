"""Files as they come: what is wrong is listed with line, field, reason and what to do; the rest goes in."""

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from relight.flow.claims.errors import UnableToImport
from relight.flow.database import Database
from relight.flow.road.intake import import_invoices, import_payments
from tests.flow import ledger
from tests.flow.importing import INVOICES, counts, owed, where, write_csv

HEADER = b"number,account,amount,due_date,disputed,name\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "invoices.csv"


def test_each_broken_row_is_listed_and_the_good_ones_go_in(
    db: Database, partner: int, now: datetime, path: Path
) -> None:
    path.write_bytes(
        HEADER
        + b"F1,A1,100.00,2026-02-01,no,Kari\n"  # 2: good
        + b",A1,100.00,2026-02-01,no,Kari\n"  # 3: no number
        + b"F3,,100.00,2026-02-01,no,Kari\n"  # 4: no account
        + b"F4,A1,,2026-02-01,no,Kari\n"  # 5: no amount
        + b"F5,A1,twelve,2026-02-01,no,Kari\n"  # 6: text for an amount
        + b"F6,A1,100.00,2026-02-30,no,Kari\n"  # 7: no such day
        + b"F7,A1,100.00,01.02.2026,no,Kari\n"  # 8: another way of writing days
        + b"F8,A1,99999999999999.00,2026-02-01,no,Kari\n"  # 9: huge
        + b"F9,A1,1e5,2026-02-01,no,Kari\n"  # 10: a number for programs
        + b"F10,A1,100.005,2026-02-01,no,Kari\n"  # 11: half an oere
        + b"F1,A1,200.00,2026-02-01,no,Kari\n"  # 12: the number again, with something else
        + b"F1,A1,100.00,2026-02-01,no,Kari\n"  # 13: the number again, the same
        + b"F11,A1,100.00,2026-02-01,no,Bj\xf8rn\n"  # 14: latin-1
        + b"F12,A1,100.00,2026-02-01,no,Ka\x00ri\n"  # 15: a NUL byte
        + b"F13,A1,100.00,2026-02-01\n"  # 16: too few columns
        + b"F14,A1,100.00,2026-02-01,no,Kari,and,more\n"  # 17: too many
        + b"F15,A1,100.00,2026-02-01,perhaps,Kari\n"  # 18: neither yes nor no nor an amount
        + b"F16,A1,100.00,2026-02-01,100.01,Kari\n"  # 19: more disputed than owed
        + b"F17,A1,0,2026-02-01,no,Kari\n"  # 20: nothing owed
        + b'F18,A1,100.00,2026-02-01,no,"Kari\nNordmann"\n'  # 21-22: a line break in a name: good
        + b"\n"
        + b'F19,A1,100.00,2026-02-01,no,"Kari\n'  # 24: never closed
        + b"F20,A2,50.00,2026-02-01,25.00,Ola\n"  # 25: good, half disputed
        + b"F21,A2,10"  # 26: cut off
    )

    report = import_invoices(db, partner, path, now=now)

    assert where(report) == [
        (3, "number"), (4, "account"), (5, "amount"), (6, "amount"), (7, "due_date"), (8, "due_date"), (9, "amount"),
        (10, "amount"), (11, "amount"), (12, "number"), (14, "name"), (15, "name"), (16, "line"), (17, "line"),
        (18, "disputed"), (19, "disputed"), (20, "amount"), (24, "line"), (26, "line"),
    ]  # fmt: skip
    assert counts(report) == (23, 3, 1, 0, 19)
    assert owed(db, partner) == {"F1": (10000, "open"), "F18": (10000, "open"), "F20": (5000, "open")}
    assert (report.totals["NOK"].rows, report.totals["NOK"].amount, report.totals["NOK"].disputed) == (3, 25000, 2500)
    with db.transaction(partner) as tx:
        assert ledger.differences(tx) == []
        kept = tx.rows("SELECT line, field, reason FROM import_rejection ORDER BY line")
        assert kept == [(p.line, p.field, p.reason) for p in sorted(report.errors)]
        run = tx.row("SELECT read, accepted, unchanged, other, rejected, finished_at FROM import_run")
        assert run == (23, 3, 1, 0, 19, now)
        assert tx.value("SELECT name FROM party WHERE ref = 'A1'") == "Kari\nNordmann"


def test_each_reason_says_what_was_found_and_what_to_do(db: Database, partner: int, now: datetime, path: Path) -> None:
    write_csv(
        path,
        INVOICES,
        [("F1", "A1", "twelve", "2026-02-01"), ("F2", "A1", "1", "2026-02-30"), ("", "A1", "1", "2026-02-01")],
    )

    report = import_invoices(db, partner, path, now=now)

    assert [problem.reason for problem in report.errors] == [
        "'twelve' is not an amount; write it like 1234.50.",
        "There is no such day as 2026-02-30. Correct the date.",
        "The number is missing. Fill it in.",
    ]


def test_several_wrong_fields_of_one_row_are_all_named_and_count_once(
    db: Database, partner: int, now: datetime, path: Path
) -> None:
    write_csv(path, INVOICES, [("", "", "x", "y")])

    report = import_invoices(db, partner, path, now=now)

    assert where(report) == [(2, "account"), (2, "amount"), (2, "due_date"), (2, "number")]
    assert counts(report) == (1, 0, 0, 0, 1)


def test_a_wrong_phone_number_costs_the_number_and_not_the_invoice(
    db: Database, partner: int, now: datetime, path: Path
) -> None:
    header = (*INVOICES, "name", "mobile", "email")
    write_csv(path, header, [("F1", "A1", "10", "2026-02-01", "Kari", "12", "kari@kunde.example")])

    report = import_invoices(db, partner, path, now=now)

    assert counts(report) == (1, 1, 0, 0, 0)
    assert where(report) == [(2, "mobile")]
    with db.transaction(partner) as tx:
        assert tx.rows("SELECT channel, value FROM contact_point") == [("email", "kari@kunde.example")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_norwegian_file_is_read_as_it_was_written(
    db: Database, partner: int, now: datetime, path: Path, encoding: str, ending: str
) -> None:
    lines = [
        "Fakturanr;Kundenr;Beløp;Forfallsdato;KID;Navn;Mobil;Tjeneste;Tjenestenr;Status",
        'F1;A1;1 234,50;01.02.2026;2345676;"Ødegård; Åse";900 00 001;bredbånd;L1;åpen',
        "F2;A1;1.234,5;1.3.2026;;;;bredbånd;L1;makulert",
        "F3;A1;-34,50;01.02.2026;;;;bredbånd;L1;",
    ]
    path.write_bytes(ending.join(lines).encode(encoding))

    report = import_invoices(db, partner, path, now=now)

    assert (report.mapping, report.errors) == ("norsk", [])
    assert owed(db, partner) == {"F1": (120000, "open"), "F2": (0, "cancelled"), "F3": (0, "settled")}
    with db.transaction(partner) as tx:
        assert tx.value("SELECT name FROM party") == "Ødegård; Åse"
        assert tx.value("SELECT value FROM contact_point") == "+4790000001"
        assert tx.rows("SELECT ref, kind FROM service") == [("L1", "broadband")]
        assert set(tx.rows("SELECT service_kind FROM claim")) == {("broadband",)}


def test_a_workbook_is_read_like_a_text_file(db: Database, partner: int, now: datetime, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([*INVOICES, "disputed"])
    sheet.append([1001, 17, 0.1 + 0.2, date(2026, 2, 1), False])
    sheet.append([1002, 17, "twelve", date(2026, 2, 1), False])
    sheet.append([1003, 17, 55.94, "2026-02-01", True])
    sheet.append([1004, 17, 10, 45000, None])
    book.save(tmp_path / "invoices.xlsx")

    report = import_invoices(db, partner, tmp_path / "invoices.xlsx", now=now)

    assert counts(report) == (4, 2, 0, 0, 2)
    assert where(report) == [(3, "amount"), (5, "due_date")]
    assert owed(db, partner) == {"1001": (30, "open"), "1003": (5594, "open")}


def test_a_file_that_cannot_be_used_leaves_no_trace(db: Database, partner: int, now: datetime, path: Path) -> None:
    write_csv(path, ("a", "b"), [("1", "2")])

    with pytest.raises(UnableToImport):
        import_invoices(db, partner, path, now=now)
    with pytest.raises(UnableToImport):
        import_payments(db, partner, path, source="new bank", now=now)

    with db.transaction(partner) as tx:
        assert tx.value("SELECT count(*) FROM import_run") == 0
        assert tx.value("SELECT count(*) FROM source") == 0  # a source that nobody feeds would stop every cut


def test_a_mapping_of_ones_own_says_how_the_file_writes(
    db: Database, partner: int, now: datetime, tmp_path: Path
) -> None:
    mapping = tmp_path / "ours.yaml"
    mapping.write_text(
        "kind: invoices\ndelimiter: '|'\ndates: DD/MM/YYYY\ndecimal: ','\ngrouping: '.'\nencoding: latin-1\n"
        "columns:\n  number: '{År}-{Nr}'\n  account: [Konto, Kunde]\n  amount: Sum\n  due_date: Frist\n"
        "  status: Tilstand\n"
        "  'flag:life_support': Livsviktig\n"
        "defaults: {currency: EUR}\n"
        "words:\n  status: {cancelled: [slettet, annullert]}\n  'flag:life_support': {'yes': [respirator]}\n"
    )
    text = (
        "Nr|År|Kunde|Sum|Frist|Tilstand|Livsviktig\n"
        "7|26|K1|1.000,00|31/01/2026|| respirator\n"
        "8|26|K1|5,00|31/01/2026|Slettet|\n"
    )
    (tmp_path / "file.txt").write_text(text, encoding="latin-1")

    report = import_invoices(db, partner, tmp_path / "file.txt", mapping=mapping, now=now)

    assert (report.mapping, report.errors) == ("ours", [])
    assert owed(db, partner) == {"26-7": (100000, "open"), "26-8": (0, "cancelled")}
    assert set(report.totals) == {"EUR"}
    with db.transaction(partner) as tx:
        assert tx.rows("SELECT name, value FROM flag") == [("life_support", "yes")]


def test_payments_that_cannot_be_read_keep_their_source_from_being_complete(
    db: Database, partner: int, now: datetime, path: Path
) -> None:
    header = ("ref", "amount", "value_date")
    write_csv(path, header, [("P1", "100", "2026-02-01"), ("P2", "ten", "2026-02-01"), ("P3", "-5", "2026-02-01")])
    report = import_payments(db, partner, path, now=now)
    with db.transaction(partner) as tx:
        before = tx.value("SELECT complete_until FROM source")
    write_csv(path, header, [("P1", "100", "2026-02-01"), ("P2", "10", "2026-02-01"), ("P3", "-5", "2026-02-01")])

    mended = import_payments(db, partner, path, now=now)

    assert (counts(report), report.unmatched, report.complete_until) == ((3, 1, 0, 1, 1), 1, "")
    assert before is None
    assert counts(mended) == (3, 1, 1, 1, 0)
    with db.transaction(partner) as tx:
        assert tx.value("SELECT complete_until FROM source") == now


@pytest.mark.parametrize("batch", [1, 100])
def test_a_number_under_both_spellings_of_its_creditor_is_one_number(
    db: Database, partner: int, now: datetime, path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("relight.flow.road.runs.BATCH_ROWS", batch)
    header = (*INVOICES, "creditor")
    write_csv(
        path,
        header,
        [
            ("F1", "A1", "10", "2026-02-01", ""),
            ("F1", "A1", "20", "2026-02-01", "Nordlys Kraft AS"),
            ("F2", "A1", "20", "2026-02-01", "Nobody AS"),
        ],
    )

    report = import_invoices(db, partner, path, now=now)

    assert where(report) == [(3, "number"), (4, "creditor")]
    assert owed(db, partner) == {"F1": (1000, "open")}
