"""Bank files all the way to the books: each payment once, whatever file tells of it, and nothing else."""

from datetime import datetime
from pathlib import Path

import pytest

from relight.flow.database import Database
from tests.flow.banking import KID, OWED, Bank
from tests.flow.importing import counts
from tests.unit.payments.files.written import (
    Giro,
    Paid,
    camt,
    details,
    entry,
    many,
    mt940,
    mt940_entry,
    ocr,
    statement,
)

KNOWN = Paid(bank_ref="B1", end_to_end="E1")


@pytest.fixture
def bank(db: Database, partner: int, now: datetime, tmp_path: Path) -> Bank:
    return Bank(db, partner, now, tmp_path)


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (camt(statement([entry(Paid(reference=KID))])), "camt"),
        (ocr([Giro(OWED, KID)]), "ocr"),
        (mt940([mt940_entry(OWED, told=f"/REMI/STRD/CUR/{KID}/")], moved=OWED).replace(b"EUR", b"NOK"), "mt940"),
    ],
)
def test_a_payment_pays_the_bill_whose_kid_it_gives_and_the_same_file_again_changes_nothing(
    bank: Bank, content: bytes, format_: str
) -> None:
    customer = bank.customer()

    first, again = bank.sends(content, format_), bank.sends(content, format_)

    assert counts(first) == (1, 1, 0, 0, 0)
    assert counts(again) == (1, 0, 1, 0, 0)
    assert first.totals["NOK"].amount == OWED
    assert first.unmatched == 0
    assert bank.owes(customer) == 0


@pytest.mark.parametrize("paid", [KNOWN, Paid()])
@pytest.mark.parametrize(
    "kinds", [("camt.054", "camt.053"), ("camt.053", "camt.054"), ("camt.052", "camt.052", "camt.054", "camt.053")]
)
def test_a_booking_told_by_several_files_counts_once(bank: Bank, kinds: tuple[str, ...], paid: Paid) -> None:
    customer = bank.customer()

    reports = [bank.tells(entry(paid), kind=kind) for kind in kinds]

    assert [report.accepted for report in reports] == [1] + [0] * (len(kinds) - 1)
    assert bank.owes(customer) == 0
    assert bank.value("SELECT count(*) FROM payment") == 1


def test_reports_of_a_growing_day_add_only_what_is_new(bank: Bank) -> None:
    entries = [entry(paid) for paid in many(4)]

    reports = [bank.tells(*entries[:count], kind="camt.052") for count in (1, 3, 4)]

    assert [(report.accepted, report.unchanged) for report in reports] == [(1, 0), (2, 1), (1, 3)]


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (camt(statement([entry(Paid(reference="", payer="", payer_account=""))] * 3)), "camt"),
        (ocr([Giro(OWED, KID)] * 3), "ocr"),
        (mt940([mt940_entry(OWED)] * 3, moved=3 * OWED), "mt940"),
    ],
)
def test_honest_twins_of_one_file_all_count_and_count_once(bank: Bank, content: bytes, format_: str) -> None:
    first, again = bank.sends(content, format_), bank.sends(content, format_)

    assert counts(first) == (3, 3, 0, 0, 0)
    assert counts(again) == (3, 0, 3, 0, 0)
    assert bank.value("SELECT sum(amount)::bigint FROM payment") == 3 * OWED


def test_debits_what_is_only_announced_and_batches_are_shown_and_not_booked(bank: Bank) -> None:
    batch = "".join(details(paid) for paid in many(3))

    report = bank.tells(
        entry(Paid(), mark="DBIT"),
        entry(Paid(), state="PDNG"),
        entry(Paid("304.50"), inside=batch),
        entry(Paid("304.50"), inside="", before="<Btch><NbOfTxs>3</NbOfTxs></Btch>"),
    )

    assert counts(report) == (6, 0, 0, 6, 0)
    assert bank.value("SELECT count(*) FROM payment") == 0


def test_a_batch_told_in_sum_by_the_statement_and_in_single_by_the_notification_counts_once(bank: Bank) -> None:
    inside = "".join(details(paid, own_amount=True) for paid in many(3))
    notified = bank.tells(entry(Paid("304.50", bank_ref="B"), inside=inside), kind="camt.054")

    stated = bank.tells(entry(Paid("304.50", bank_ref="B"), inside="", before="<Btch><NbOfTxs>3</NbOfTxs></Btch>"))

    assert (counts(notified), counts(stated)) == ((3, 3, 0, 0, 0), (1, 0, 0, 1, 0))
    assert bank.value("SELECT sum(amount)::bigint FROM payment") == 30450


def test_a_payment_that_belongs_to_nobody_waits_with_its_payers_name(bank: Bank) -> None:
    report = bank.tells(entry(Paid(reference="no idea")))

    assert (counts(report), report.unmatched) == ((1, 1, 0, 0, 0), 1)
    assert bank.rows("SELECT account_id, payer_name, reference, state FROM payment") == [
        (None, "Kari Nordmann", "no idea", "booked")
    ]
    assert bank.rows("SELECT payer_account, bank_account FROM bank_booking") == [("NO3612345678901", "NO9386011117947")]


def test_bad_rows_are_told_one_by_one_and_the_rest_goes_in(bank: Bank) -> None:
    entries = [entry(paid) for paid in many(5)]
    entries[1] = entries[1].replace("101.50", "1O1.50")
    entries[3] = entries[3].replace("BOOK", "BO0K")

    report = bank.tells(*entries)

    assert counts(report) == (5, 3, 0, 0, 2)
    assert [(problem.line, problem.field) for problem in report.errors] == [(5, "Amt"), (7, "Sts")]
    assert bank.rows("SELECT line, field FROM import_rejection ORDER BY line") == [(5, "Amt"), (7, "Sts")]


def test_a_file_that_was_cut_off_is_made_good_by_the_whole_one(bank: Bank) -> None:
    whole = camt(statement([entry(paid) for paid in many(4)], number=1))

    cut = bank.sends(whole[: whole.index(b"0000003")])
    complete = bank.sends(whole)

    assert counts(cut)[1] == 3
    assert cut.rejected == 1
    assert counts(complete) == (4, 1, 3, 0, 0)
    assert bank.value("SELECT count(*) FROM payment") == 4


def test_an_import_that_was_interrupted_is_simply_repeated(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relight.flow.road.runs.BATCH_ROWS", 2)
    content = camt(statement([*(entry(paid) for paid in many(5)), *[entry(Paid())] * 2], number=1))

    def lights_out(read: int) -> None:
        if read == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bank.sends(content, on_progress=lights_out)
    untouched = bank.complete_until()
    report = bank.sends(content)

    assert untouched is None
    assert counts(report) == (7, 3, 4, 0, 0)
    assert bank.value("SELECT count(*) FROM payment") == 7
    assert bank.complete_until() is not None


def test_a_damaged_copy_of_a_file_changes_nothing_that_the_whole_one_told(bank: Bank) -> None:
    whole = ocr([Giro(10000 + at, f"100{at}", at + 1) for at in range(5)])
    bank.sends(whole, "ocr")
    before = bank.rows("SELECT ref, amount, state FROM payment ORDER BY 1")

    report = bank.sends(whole.replace(b"00000010003", b"00000070003"), "ocr")

    assert report.accepted == 0
    assert report.rejected >= 5
    assert bank.rows("SELECT ref, amount, state FROM payment ORDER BY 1") == before


def test_the_same_booking_under_another_sources_name_counts_once_too(bank: Bank) -> None:
    customer = bank.customer(owed=3 * OWED)
    content = camt(statement([entry(KNOWN), entry(Paid(bank_ref="B2")), entry(KNOWN, mark="DBIT", reversal=True)]))
    bank.sends(content)
    owed = bank.owes(customer)

    report = bank.sends(content, source="dnb")

    assert counts(report) == (3, 0, 3, 0, 0)
    assert report.unmatched == 0
    assert bank.owes(customer) == owed == 2 * OWED


def test_files_of_two_partners_do_not_meet(
    db: Database, partner: int, other_partner: int, now: datetime, tmp_path: Path
) -> None:
    banks = [Bank(db, one, now, tmp_path) for one in (partner, other_partner)]

    reports = [bank.tells(entry(KNOWN), number=7) for bank in banks]

    assert [counts(report) for report in reports] == [(1, 1, 0, 0, 0)] * 2
    assert [bank.value("SELECT count(*) FROM bank_statement") for bank in banks] == [1, 1]


@pytest.mark.parametrize("field", ["/NAME/Kari\0Nordmann/", "/IBAN/NO93\0"])
def test_a_character_that_no_text_holds_is_marked_and_the_payment_is_booked(bank: Bank, field: str) -> None:
    kari = bank.customer()
    told = f"/REMI/STRD/CUR/{KID}/ORDP/{field}"

    report = bank.sends(mt940([mt940_entry(OWED, told=told)], moved=OWED).replace(b"EUR", b"NOK"), "mt940")

    assert (report.accepted, report.rejected) == (1, 0)
    assert bank.owes(kari) == 0
