"""MT940: entries with what banks of several countries write into `:86:`, and balances that must lead to one another."""

from datetime import date

import mt940 as independent
import pytest

from relight.flow.claims.errors import UnableToImport
from tests.unit.payments.files.reading import read
from tests.unit.payments.files.written import mt940, mt940_entry

GERMAN = "166?00GUTSCHRIFT?20EREF+E2E-1SVWZ+2345?21676?31DE02120300000000202051?32Kari Nord?33mann"
DUTCH = "/EREF/E2E-1/IBAN/NL56AGDH9619008421/NAME/J. Jansen/REMI/USTD//2345676/"
COUNTERPARTY = "/TRTP/SEPA/CNTP/NL56AGDH9619008421/AGDHNL2A/J. Jansen///REMI/STRD/CUR/2345676/"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (GERMAN, ("2345676", "Kari Nordmann", "DE02120300000000202051", "E2E-1")),
        (DUTCH, ("2345676", "J. Jansen", "NL56AGDH9619008421", "E2E-1")),
        (COUNTERPARTY, ("2345676", "J. Jansen", "NL56AGDH9619008421", "")),
        ("Thank you\r\nfor the light", ("Thank you for the light", "", "", "")),
    ],
)
def test_what_the_payer_said_is_found_however_the_bank_writes_it(told: str, expected: tuple[str, ...]) -> None:
    (row,) = read(mt940([mt940_entry(told=told, bank_ref="BANK1")], moved=89900), "mt940").rows

    assert row.row is not None
    assert row.booking is not None
    assert (row.row.reference, row.row.payer_name, row.booking.payer_account, row.booking.end_to_end) == expected
    assert row.booking.bank_account == "NL08DEUT0319809633"
    assert (row.row.amount, row.row.currency, row.row.value_date) == (89900, "EUR", date(2026, 3, 2))


def test_debits_and_expected_entries_are_no_payments_and_a_reversed_credit_is_a_return() -> None:
    marks = [("C", 100), ("D", 200), ("RD", 300), ("EC", 400), ("ED", 500), ("RC", 600)]
    found = read(mt940([mt940_entry(cents, mark=mark) for mark, cents in marks], moved=100 - 200 + 300 - 600), "mt940")

    assert [(row.amount, row.state) for row in found.payments] == [
        (100, "booked"), (300, "booked"), (600, "returned"),
    ]  # fmt: skip
    assert found.counts == (3, 3, 0)


def test_a_statement_whose_entries_do_not_lead_to_its_closing_balance_is_not_believed() -> None:
    found = read(mt940([mt940_entry(100), mt940_entry(200, mark="D")], moved=100), "mt940")

    assert found.counts == (0, 1, 1)
    assert "changed on the way" in found.reasons


def test_an_unreadable_entry_costs_itself_alone() -> None:
    entries = [mt940_entry(100), mt940_entry(200).replace("2,00", "2.00"), mt940_entry(300)]

    found = read(mt940(entries, moved=600), "mt940")

    assert [row.amount for row in found.payments] == [100, 300]
    assert found.problems == [(8, "61")]


def test_a_file_that_breaks_off_gives_its_entries_and_does_not_count_as_complete() -> None:
    whole = mt940([mt940_entry(100), mt940_entry(200)], moved=300)

    found = read(whole[: whole.index(b":62F:")], "mt940")

    assert [row.amount for row in found.payments] == [100, 200]
    assert found.problems == [(2, "62F")]
    assert not found.series.is_whole


def test_two_statements_that_ran_into_one_are_not_guessed_apart() -> None:
    one, other = mt940([mt940_entry(100)], moved=100), mt940([mt940_entry(200)], moved=200)
    glued = one[: one.index(b":62F:")] + other[other.index(b":25:") :]

    found = read(glued, "mt940")

    assert found.payments == []
    assert "stands twice" in found.reasons


@pytest.mark.parametrize(("value", "day", "booked"), [("261231", "0102", "20270102"), ("270102", "1231", "20261231")])
def test_the_day_booked_is_the_one_nearest_to_the_value_date_across_new_year(value: str, day: str, booked: str) -> None:
    entry = mt940_entry(100).replace("2603020302", f"{value}{day}")

    assert read(mt940([entry], moved=100), "mt940").payments[0].ref.startswith(booked)


def test_what_is_no_mt940_is_refused() -> None:
    with pytest.raises(UnableToImport, match="not an MT940 file"):
        read(b"ref,amount\r\n1,2\r\n", "mt940")


def test_an_independent_reader_finds_the_same_payments() -> None:
    marks = [("C", 100 + at) if at % 3 else ("D", 5 + at) for at in range(60)]
    moved = sum(cents if mark == "C" else -cents for mark, cents in marks)
    content = mt940([mt940_entry(cents, mark=mark, bank_ref=f"B{cents}") for mark, cents in marks], moved=moved)

    ours = read(content, "mt940")
    theirs = independent.parse(content.decode())

    credits = [one.data for one in theirs if one.data["amount"].amount > 0]
    assert [(row.amount, row.value_date) for row in ours.payments] == [
        (int(one["amount"].amount * 100), date(*one["date"].timetuple()[:3])) for one in credits
    ]
    assert [row.booking.servicer_ref for row in ours.rows if row.booking] == [one["bank_reference"] for one in credits]
    assert ours.series.runs[0].last.closing == int(theirs.data["final_closing_balance"].amount.amount * 100)
