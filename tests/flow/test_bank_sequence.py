"""How fresh the bank's money is: that moves on only while no file is missing, and catches up when a gap is filled."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relight.flow.database import Database
from relight.flow.road.report import Report
from tests.flow.banking import Bank
from tests.unit.payments.files.written import Giro, Paid, camt, entry, mt940, mt940_entry, ocr, statement


def day(number: int) -> datetime:
    """Midnight in Oslo at the start of a day in March 2026."""
    return datetime(2026, 3, number, tzinfo=UTC) - timedelta(hours=1)


@pytest.fixture
def bank(db: Database, partner: int, tmp_path: Path) -> Bank:
    return Bank(db, partner, datetime(2026, 3, 20, 9, 0, tzinfo=UTC), tmp_path)


def send(bank: Bank, number: int, *entries: str, opening: str = "", closing: str = "", account: str = "NO1") -> Report:
    """Statement 11 tells up to the 11th, and so on."""
    until = f"2026-03-{number:02}T00:00:00+01:00"
    return bank.tells(*entries, number=number, until=until, opening=opening, closing=closing, account=account)


def test_statements_in_a_row_move_the_source_on(bank: Bank) -> None:
    reports = [send(bank, number, entry(Paid(bank_ref=f"B{number}"))) for number in (11, 12, 13)]

    assert [report.complete_until for report in reports] == [day(number).isoformat() for number in (11, 12, 13)]
    assert bank.complete_until() == day(13)


@pytest.mark.parametrize(
    "until", ["2026-03-12T00:00:00+21:00", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"]
)
def test_an_end_that_cannot_be_moves_nothing_and_its_money_is_booked(bank: Bank, until: str) -> None:
    send(bank, 11)

    report = bank.tells(entry(Paid(bank_ref="B12")), number=12, until=until, account="NO1")

    assert (report.accepted, report.rejected, report.complete_until) == (1, 0, day(11).isoformat())
    assert bank.complete_until() == day(11)


def test_a_gap_is_told_and_moves_on_when_it_is_filled(bank: Bank) -> None:
    send(bank, 11)

    gap = send(bank, 14)
    held = bank.complete_until()
    partly = send(bank, 13)
    filled = send(bank, 12)

    assert held == day(11)
    assert gap.missing == ["After statement 11 of camt.053 NO1 comes 14: 12 to 13 are missing."]
    assert partly.missing == ["After statement 11 of camt.053 NO1 comes 13: 12 is missing."]
    assert filled.missing == []
    assert bank.complete_until() == day(14)


def test_a_balance_that_does_not_go_on_is_a_gap_even_where_numbers_do(bank: Bank) -> None:
    send(bank, 11, opening="100.00", closing="100.00")

    report = send(bank, 12, opening="150.00", closing="150.00")

    assert bank.complete_until() == day(11)
    assert "ends with 10000" in report.missing[0]
    assert "begins with 15000" in report.missing[0]


def test_a_statement_with_an_unreadable_row_counts_once_its_mended_file_is_here(bank: Bank) -> None:
    send(bank, 11)
    good = entry(Paid(bank_ref="B1"))

    broken = send(bank, 12, good.replace("BOOK", "BO0K"))
    held = bank.complete_until()
    send(bank, 12, good)

    assert held == day(11)
    assert "has rows that could not be taken in" in broken.missing[0]
    assert bank.complete_until() == day(12)


def test_a_file_that_was_cut_off_moves_nothing(bank: Bank) -> None:
    send(bank, 11)
    whole = camt(statement([entry(Paid())], number=12, until="2026-03-12T00:00:00+01:00", account="NO1"))

    report = bank.sends(whole[:-40])

    assert bank.complete_until() == day(11)
    assert "breaks off" in report.missing[0]


def test_without_numbers_and_balances_a_person_says_how_far_the_file_goes(bank: Bank) -> None:
    content = camt(statement([entry(Paid())], kind="camt.054", until="2026-03-11T00:00:00+01:00"), kind="camt.054")

    silent = bank.sends(content)
    untouched = bank.complete_until()
    bank.sends(content, complete_until=day(11))

    assert (silent.complete_until, untouched) == ("", None)
    assert "neither statement numbers nor balances" in silent.missing[0]
    assert bank.complete_until() == day(11)


def test_the_source_waits_for_its_most_backward_account(bank: Bank) -> None:
    send(bank, 11, account="NO1")
    send(bank, 11, account="NO2")

    send(bank, 12, account="NO1")
    alone = bank.complete_until()
    send(bank, 12, account="NO2")

    assert (alone, bank.complete_until()) == (day(11), day(12))


def test_old_statements_and_the_same_ones_again_move_nothing_back(bank: Bank) -> None:
    for number in (11, 12):
        send(bank, number)

    reports = [send(bank, number) for number in (3, 11, 12)]

    assert [report.missing for report in reports] == [[], [], []]
    assert bank.complete_until() == day(12)
    assert [send(bank, 13).missing, bank.complete_until()] == [[], day(13)]


def test_a_statement_from_the_future_makes_no_source_fresher_than_now(bank: Bank) -> None:
    bank.now = day(12) - timedelta(hours=3)

    send(bank, 12)

    assert bank.complete_until() == bank.now


def test_two_statements_in_one_file_of_which_one_is_known_go_on_from_there(bank: Bank) -> None:
    send(bank, 11)
    both = [
        statement([], number=number, until=f"2026-03-{number}T00:00:00+01:00", account="NO1") for number in (11, 12)
    ]

    report = bank.sends(camt(*both))

    assert (report.missing, bank.complete_until()) == ([], day(12))


def giros(bank: Bank, transmission: int, assignment: int) -> Report:
    content = ocr(
        [Giro(1000 + transmission)], transmission=transmission, assignment=assignment, day=f"{transmission:02}0326"
    )
    return bank.sends(content, "ocr")


def test_ocr_transmissions_are_counted(bank: Bank) -> None:
    giros(bank, 11, 5)

    gap = giros(bank, 14, 8)
    held = bank.complete_until()
    filled = [giros(bank, 12, 6), giros(bank, 13, 7)]

    assert held == day(12)  # all of the 11th
    assert "12 to 13 are missing" in gap.missing[0]
    assert filled[-1].missing == []
    assert bank.complete_until() == day(15)


def test_mt940_pages_and_balances_are_followed(bank: Bank) -> None:
    first = mt940([mt940_entry(100)], number="7/1", moved=100).replace(b":62F:", b":62M:")
    second = mt940([mt940_entry(200)], number="7/2", opening=100100, moved=200).replace(b":60F:", b":60M:")
    other = mt940([mt940_entry(300)], number="8", opening=100400, moved=300)

    reports = [bank.sends(content, "mt940") for content in (second, first, other)]

    assert "not its first page" in reports[0].missing[0]
    assert reports[1].missing == []
    assert "ends with 100300" in reports[2].missing[0]
    assert bank.complete_until() == day(3)
