"""Money that goes back: its payment is taken back where it can be told for certain, else a person is asked, once."""

from datetime import datetime
from pathlib import Path

import pytest

from relight.flow.database import Database
from tests.flow.banking import KID, OWED, Bank
from tests.flow.importing import counts
from tests.unit.payments.files.written import Giro, Paid, entry, mt940, mt940_entry, ocr

TASKS = "SELECT code, params->>'state', params->>'amount', state FROM task ORDER BY id"
STATES = "SELECT state FROM payment ORDER BY id"


@pytest.fixture
def bank(db: Database, partner: int, now: datetime, tmp_path: Path) -> Bank:
    return Bank(db, partner, now, tmp_path)


def back(paid: Paid, day: str = "2026-03-05") -> str:
    return entry(paid, mark="DBIT", reversal=True, day=day)


@pytest.mark.parametrize(
    ("came", "went"),
    [
        (Paid(bank_ref="B1", end_to_end="E1"), Paid(bank_ref="B9", end_to_end="E1", reference="")),
        (Paid(bank_ref="B1"), Paid(bank_ref="B1", reference="")),
        (Paid(), Paid(bank_ref="B9")),
    ],
)
def test_a_return_opens_the_bill_again_whatever_name_it_gives_the_payment(bank: Bank, came: Paid, went: Paid) -> None:
    customer = bank.customer()
    bank.tells(entry(came))
    paid = bank.owes(customer)

    report = bank.tells(back(went))

    assert (paid, bank.owes(customer)) == (0, OWED)
    assert counts(report) == (1, 1, 0, 0, 0)
    assert report.totals["NOK"].amount == -OWED
    assert bank.rows(STATES) == [("returned",)]
    assert bank.rows(TASKS) == []


def test_a_return_told_by_several_files_takes_back_once(bank: Bank) -> None:
    customer = bank.customer()
    bank.tells(entry(Paid(bank_ref="B1", end_to_end="E1")))
    went = back(Paid(bank_ref="B2", end_to_end="E1"))

    reports = [bank.tells(went, kind=kind) for kind in ("camt.054", "camt.053")]
    bank.tells(entry(Paid(bank_ref="B3", end_to_end="E3"), day="2026-03-06"))

    assert [counts(report) for report in reports] == [(1, 1, 0, 0, 0), (1, 0, 1, 0, 0)]
    assert bank.owes(customer) == 0


def test_a_giro_that_is_reversed_finds_its_payment_by_kid(bank: Bank) -> None:
    customer = bank.customer()
    bank.sends(ocr([Giro(OWED, KID, 1)]), "ocr")

    bank.sends(ocr([Giro(OWED, KID, 2, type="18", sign="-")], transmission=2, day="050326"), "ocr")

    assert bank.owes(customer) == OWED


def test_a_reversed_credit_in_mt940_finds_its_payment_by_the_payers_reference(bank: Bank) -> None:
    told = "/EREF/E2E-9/REMI/USTD//hello/"
    bank.sends(mt940([mt940_entry(500, told=told)], moved=500), "mt940")

    bank.sends(mt940([mt940_entry(500, mark="RC", told=told)], number="14", opening=100500, moved=-500), "mt940")

    assert bank.rows(STATES) == [("returned",)]


@pytest.mark.parametrize(
    "went",
    [
        Paid(reference="", end_to_end="nobody"),
        Paid(amount="400.00"),  # a part of it
        Paid(currency="EUR"),
    ],
)
def test_a_return_that_fits_no_payment_for_certain_is_a_persons_work_once(bank: Bank, went: Paid) -> None:
    customer = bank.customer()
    bank.tells(entry(Paid()))

    first, again = bank.tells(back(went)), bank.tells(back(went))

    assert (counts(first), first.unmatched) == ((1, 1, 0, 0, 0), 1)
    assert counts(again) == (1, 0, 1, 0, 0)
    assert bank.owes(customer) == 0
    assert [row[:2] for row in bank.rows(TASKS)] == [("payment_unknown", "returned")]


def test_of_two_payments_that_a_return_may_mean_none_is_guessed(bank: Bank) -> None:
    bank.customer(owed=2 * OWED)
    bank.tells(entry(Paid()), entry(Paid()))

    bank.tells(back(Paid()))

    assert bank.rows(STATES) == [("booked",), ("booked",)]
    assert [row[0] for row in bank.rows(TASKS)] == ["payment_unknown"]


def test_a_payment_and_its_return_in_one_file_leave_the_bill_open(bank: Bank) -> None:
    customer = bank.customer()

    report = bank.tells(entry(Paid(bank_ref="B1", end_to_end="E1")), back(Paid(bank_ref="B2", end_to_end="E1")))

    assert counts(report) == (2, 2, 0, 0, 0)
    assert report.totals["NOK"].amount == 0
    assert bank.owes(customer) == OWED


def test_two_returns_of_one_payment_take_it_back_once_and_ask_about_the_other(bank: Bank) -> None:
    customer = bank.customer()
    bank.tells(entry(Paid(end_to_end="E1")))

    bank.tells(back(Paid(bank_ref="R1", end_to_end="E1")), back(Paid(bank_ref="R2", end_to_end="E1")))

    assert bank.owes(customer) == OWED
    assert [row[0] for row in bank.rows(TASKS)] == ["payment_unknown"]
