"""What files change in the books: credit notes, corrections and cancellations are postings; nothing is overwritten."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from relight.flow.claims import fees
from relight.flow.database import Database
from relight.flow.road.intake import import_invoices, import_payments
from relight.flow.road.report import Report
from tests.flow import ledger
from tests.flow.importing import INVOICES, counts, owed, where, write_csv


class Files:
    """Files of one partner, imported a day apart; after each the books are added up."""

    def __init__(self, db: Database, partner: int, now: datetime, folder: Path):
        self.db, self.partner, self.now, self.folder = db, partner, now, folder

    def invoices(self, *rows: tuple[object, ...], header: tuple[str, ...] = INVOICES) -> Report:
        self.now += timedelta(days=1)
        path = write_csv(self.folder / "invoices.csv", header, rows)
        report = import_invoices(self.db, self.partner, path, now=self.now)
        self.add_up()
        return report

    def payments(self, *rows: tuple[object, ...]) -> Report:
        self.now += timedelta(days=1)
        path = write_csv(self.folder / "payments.csv", ("ref", "amount", "value_date", "reference", "state"), rows)
        report = import_payments(self.db, self.partner, path, now=self.now)
        self.add_up()
        return report

    def charge(self, number: str, amount: int) -> None:
        with self.db.transaction(self.partner) as tx:
            claim = tx.value("SELECT id FROM claim WHERE number = %(number)s", {"number": number})
            fees.post(tx, [(claim, amount)], self.now)
        self.add_up()

    def add_up(self) -> None:
        with self.db.transaction(self.partner) as tx:
            assert ledger.differences(tx) == []
            ledgers = ("receivable", "revenue", "fee_income", "customer", "settlement")
            assert sum(ledger.balance(tx, name) for name in ledgers) == 0

    def owed(self) -> dict[str, tuple[int, str]]:
        return owed(self.db, self.partner)

    def value(self, statement: str) -> object:
        with self.db.transaction(self.partner) as tx:
            return tx.value(statement)

    def kinds(self, number: str) -> list[tuple[str, int]]:
        """The kinds and sums of an invoice's postings, in order."""
        with self.db.transaction(self.partner) as tx:
            return tx.rows(
                "SELECT t.kind, t.amount FROM transfer t JOIN claim c ON c.id = t.claim_id WHERE c.number = %(number)s"
                " ORDER BY t.id",
                {"number": number},
            )


@pytest.fixture
def files(db: Database, partner: int, now: datetime, tmp_path: Path) -> Files:
    return Files(db, partner, now, tmp_path)


CREDITING = (*INVOICES, "credits")
WITH_STATUS = (*INVOICES, "status")


def test_a_credit_note_reduces_the_invoice_that_it_names_and_then_the_oldest(files: Files) -> None:
    files.invoices(("F1", "A1", "100", "2026-01-01"), ("F2", "A1", "50", "2026-02-01"))

    files.invoices(("K1", "A1", "-70", "2026-02-15", "F2"), header=CREDITING)

    assert files.owed() == {"F1": (8000, "open"), "F2": (0, "settled"), "K1": (0, "settled")}
    assert files.value("SELECT credit FROM account") == 0


def test_a_credit_note_beyond_all_debts_waits_as_credit_for_the_next_invoice(files: Files) -> None:
    files.invoices(("F1", "A1", "100", "2026-01-01"), ("K1", "A1", "-130", "2026-01-02"))
    waiting = files.value("SELECT credit FROM account")

    files.invoices(("F2", "A1", "50", "2026-03-01"))

    assert waiting == 3000
    assert files.owed()["F2"] == (2000, "open")
    assert files.value("SELECT credit FROM account") == 0


def test_a_credit_note_in_the_same_file_as_its_invoice_finds_it_whatever_the_order(files: Files) -> None:
    files.invoices(
        ("K1", "A1", "-50", "2026-02-01", "F2"),
        ("F1", "A1", "100", "2026-01-01", ""),
        ("F2", "A1", "50", "2026-02-01", ""),
        header=CREDITING,
    )

    assert files.owed() == {"K1": (0, "settled"), "F1": (10000, "open"), "F2": (0, "settled")}


def test_a_credit_note_without_a_due_date_takes_its_own_day(files: Files) -> None:
    report = files.invoices(("K1", "A1", "-50", "", "2026-02-01"), header=(*INVOICES, "issued_date"))

    assert report.errors == []
    assert str(files.value("SELECT due_date FROM claim")) == "2026-02-01"


def test_a_changed_credit_note_is_refused(files: Files) -> None:
    files.invoices(("K1", "A1", "-50", "2026-02-01"), ("F1", "A1", "10", "2026-02-01"))

    report = files.invoices(("K1", "A1", "-60", "2026-02-01"), ("F1", "A1", "-10", "2026-02-01"))

    assert where(report) == [(2, "amount"), (3, "amount")]
    assert files.value("SELECT credit FROM account") == 4000


def test_a_higher_amount_is_one_more_posting(files: Files) -> None:
    files.invoices(("F1", "A1", "100", "2026-01-01"))

    report = files.invoices(("F1", "A1", "120", "2026-01-01"))

    assert counts(report) == (1, 1, 0, 0, 0)
    assert files.owed() == {"F1": (12000, "open")}
    assert files.kinds("F1") == [("claim", 10000), ("correction", 2000)]


def test_a_lower_amount_gives_back_what_was_paid_beyond_it(files: Files) -> None:
    files.invoices(("F1", "A1", "100", "2026-01-01"), ("F2", "A1", "50", "2026-02-01"))
    files.payments(("P1", "60", "2026-01-05", "F1", "booked"), ("P2", "40", "2026-01-06", "F1", "booked"))

    files.invoices(("F1", "A1", "70", "2026-01-01"))

    assert files.owed() == {"F1": (0, "settled"), "F2": (2000, "open")}
    assert sorted(files.kinds("F1")[-2:]) == [("correction", 3000), ("release", 3000)]


def test_a_cancelled_invoice_owes_nothing_and_its_money_pays_other_debts(files: Files) -> None:
    files.invoices(("F1", "A1", "100", "2026-01-01"), ("F2", "A1", "50", "2026-02-01"))
    files.payments(("P1", "80", "2026-01-05", "F1", "booked"))

    files.invoices(("F1", "A1", "100", "2026-01-01", "cancelled"), header=WITH_STATUS)

    assert files.owed() == {"F1": (0, "cancelled"), "F2": (0, "settled")}
    assert files.value("SELECT credit FROM account") == 3000


def test_fees_on_a_cancelled_invoice_are_taken_back_paid_or_not(files: Files) -> None:
    files.invoices(("F1", "A1", "100", "2026-01-01"))
    files.charge("F1", 3500)
    files.charge("F1", 3500)
    files.payments(("P1", "150", "2026-01-05", "F1", "booked"))

    files.invoices(("F1", "A1", "100", "2026-01-01", "cancelled"), header=WITH_STATUS)

    assert files.owed() == {"F1": (0, "cancelled")}
    assert files.value("SELECT costs FROM claim") == 0
    assert files.value("SELECT credit FROM account") == 15000
    assert files.value("SELECT sum(CASE debit WHEN 'fee_income' THEN amount ELSE -amount END) FROM transfer"
                       " WHERE 'fee_income' IN (debit, credit)") == 0  # fmt: skip


def test_a_payment_of_a_cancelled_invoice_can_still_be_returned(files: Files) -> None:
    files.invoices(("F1", "A1", "100", "2026-01-01"))
    files.charge("F1", 3500)
    files.payments(("P1", "135", "2026-01-05", "F1", "booked"))
    files.invoices(("F1", "A1", "100", "2026-01-01", "cancelled"), header=WITH_STATUS)

    files.payments(("P1", "135", "2026-01-05", "F1", "returned"))

    assert files.owed() == {"F1": (0, "cancelled")}
    assert files.value("SELECT credit FROM account") == 0


def test_a_cancelled_invoice_that_comes_back_is_owed_again(files: Files) -> None:
    files.invoices(("F1", "A1", "100", "2026-01-01", "cancelled"), header=WITH_STATUS)

    report = files.invoices(("F1", "A1", "100", "2026-01-01", "open"), header=WITH_STATUS)

    assert counts(report) == (1, 1, 0, 0, 0)
    assert files.owed() == {"F1": (10000, "open")}


def test_new_terms_of_a_paid_invoice_change_no_money(files: Files) -> None:
    files.invoices(("F1", "A1", "100", "2026-01-01"))
    files.payments(("P1", "100", "2026-01-05", "F1", "booked"))
    before = files.value("SELECT count(*) FROM transfer")

    files.invoices(("F1", "A1", "100", "2026-02-01"))

    assert files.owed() == {"F1": (0, "settled")}
    assert files.value("SELECT count(*) FROM transfer") == before


def test_a_correction_imported_again_changes_nothing(files: Files) -> None:
    files.invoices(("F1", "A1", "100", "2026-01-01"))
    files.invoices(("F1", "A1", "70", "2026-01-01"))
    before = files.kinds("F1")

    report = files.invoices(("F1", "A1", "70", "2026-01-01"))

    assert counts(report) == (1, 0, 1, 0, 0)
    assert files.kinds("F1") == before


def test_an_invoice_never_moves_to_another_account_nor_an_account_to_another_currency(files: Files) -> None:
    header = (*INVOICES, "currency")
    files.invoices(("F1", "A1", "100", "2026-01-01", "NOK"), header=header)

    report = files.invoices(
        ("F1", "A2", "100", "2026-01-01", "NOK"),
        ("F2", "A1", "100", "2026-01-01", "EUR"),
        ("F3", "A3", "100", "2026-01-01", "XAU"),
        ("F4", "A4", "100", "2026-01-01", "eur"),
        header=header,
    )

    assert where(report) == [(2, "account"), (3, "currency"), (4, "currency")]
    assert sorted(report.totals) == ["EUR"]
    assert files.owed() == {"F1": (10000, "open"), "F4": (10000, "open")}


def test_lines_keep_their_services_disputes_and_what_counts_for_a_cut(files: Files) -> None:
    header = (
        *INVOICES, "service", "service_kind", "line_amount", "line_text", "line_vat", "line_disputed",
        "line_counts_for_cut",
    )  # fmt: skip
    report = files.invoices(
        ("F1", "A1", "150", "2026-01-01", "L1", "broadband", "100", "Fibre", "20", "", "yes"),
        ("F1", "A1", "150", "2026-01-01", "T1", "tv", "50", "Films", "10", "yes", "no"),
        header=header,
    )

    assert (counts(report), report.errors) == ((2, 2, 0, 0, 0), [])
    with files.db.transaction(files.partner) as tx:
        lines = tx.rows(
            "SELECT l.number, v.ref, l.amount, l.text, l.vat, l.disputed, l.counts_for_cut FROM claim_line l"
            " JOIN service v ON v.id = l.service_id ORDER BY 1"
        )
        assert tx.row("SELECT amount, disputed FROM claim") == (15000, 5000)
    assert lines == [(1, "L1", 10000, "Fibre", 2000, 0, True), (2, "T1", 5000, "Films", 1000, 5000, False)]


def test_a_line_for_a_service_that_is_not_there_is_refused(files: Files) -> None:
    report = files.invoices(("F1", "A1", "10", "2026-01-01", "L9"), header=(*INVOICES, "service"))

    assert where(report) == [(2, "service")]
    assert files.owed() == {}


def test_customers_and_services_are_made_on_the_way_and_followed_when_they_change(files: Files) -> None:
    header = (
        *INVOICES, "name", "mobile", "email", "street", "postcode", "city", "service", "service_kind", "access_point",
        "meter_serial", "driver", "flag:life_support",
    )  # fmt: skip
    home = ("Storgata 1", "9008", "Tromsø", "S1", "electricity_grid", "7070575000", "M-1", "dlms")
    files.invoices(("F1", "A1", "10", "2026-01-01", "Kari", "90000001", "k@kunde.example", *home, "no"), header=header)

    moved = ("Storgata 1", "9008", "Tromsø", "S1", "electricity_grid", "7070575000", "M-2", "dlms")
    report = files.invoices(
        ("F1", "A1", "10", "2026-01-01", "Kari", "90000002", "k@kunde.example", *moved, "yes"), header=header
    )

    assert counts(report) == (1, 0, 1, 0, 0)  # the invoice says what it said; the customer does not
    with files.db.transaction(files.partner) as tx:
        assert tx.rows("SELECT channel, value FROM contact_point WHERE ends_at IS NULL ORDER BY 1") == [
            ("email", "k@kunde.example"), ("letter", "Kari\nStorgata 1\n9008 Tromsø"), ("sms", "+4790000002"),
        ]  # fmt: skip
        assert tx.rows("SELECT serial, ends_at IS NULL FROM device ORDER BY id") == [("M-1", False), ("M-2", True)]
        assert tx.rows("SELECT value, ends_at IS NULL FROM flag ORDER BY id") == [("no", False), ("yes", True)]
        assert tx.row("SELECT ref, kind, driver FROM service") == ("S1", "electricity_grid", "dlms")


def test_a_payment_is_one_whatever_file_tells_it_and_a_contradiction_is_refused(files: Files) -> None:
    files.invoices(("F1", "A1", "100", "2026-01-01"))
    files.payments(("P1", "60", "2026-01-05", "F1", "confirmed"))

    again = files.payments(("P1", "60", "2026-01-05", "F1", "booked"), ("P1", "61", "2026-01-05", "F1", "booked"))

    assert counts(again) == (2, 1, 0, 0, 1)
    assert where(again) == [(3, "ref")]
    assert files.owed() == {"F1": (4000, "open")}


def test_a_payment_that_stands_twice_in_a_file_is_counted_once(files: Files) -> None:
    files.invoices(("F1", "A1", "100", "2026-01-01"))

    report = files.payments(*[("P1", "60", "2026-01-05", "F1", "booked")] * 2)

    assert counts(report) == (2, 1, 1, 0, 0)
    assert (report.totals["NOK"].rows, report.totals["NOK"].amount) == (1, 6000)
    assert files.owed() == {"F1": (4000, "open")}
