"""Cells as people write them: days, amounts, phone numbers; what cannot be read says what to write instead."""

from datetime import date
from decimal import Decimal

import pytest

from relight.flow.claims.parse import (
    AMOUNT_MAX,
    NotAValue,
    amount_of,
    date_of,
    email_of,
    is_date_format,
    mobile_of,
    object_of,
    word_of,
    yes_or_no,
)


@pytest.mark.parametrize(
    ("text", "form", "day"),
    [
        ("2/1/2013", "M/D/YYYY", date(2013, 2, 1)),
        ("12/31/2013", "M/D/YYYY", date(2013, 12, 31)),
        ("01.02.2026", "DD.MM.YYYY", date(2026, 2, 1)),
        ("2024-02-29", "YYYY-MM-DD", date(2024, 2, 29)),
    ],
)
def test_days_are_read_as_the_mapping_says(text: str, form: str, day: date) -> None:
    assert date_of(text, (form,)) == day


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("13/1/2013", "no such day"),
        ("2/30/2013", "no such day"),
        ("1.2.2013", "Write it as"),
        ("1/2/0013", "year 13"),
        ("1/2/9999", "year 9999"),
        ("", "Write it as"),
        ("١/٢/٢٠١٣", "Write it as"),
    ],
)
def test_impossible_days_say_why(text: str, says: str) -> None:
    with pytest.raises(NotAValue, match=says):
        date_of(text, ("M/D/YYYY",))


def test_the_first_format_that_fits_is_taken() -> None:
    assert date_of("1.2.2026", ("DD.MM.YYYY", "D.M.YYYY")) == date(2026, 2, 1)


@pytest.mark.parametrize(("form", "good"), [("YYYY-MM-DD", True), ("M/D/YYYY", True), ("MM/YYYY", False), ("", False)])
def test_a_date_format_names_year_month_and_day(form: str, good: bool) -> None:
    assert is_date_format(form) is good


@pytest.mark.parametrize(
    ("cell", "minor"), [("1 234,50", 123450), ("-12", -1200), ("1.234,5", 123450), (Decimal("55.94"), 5594)]
)
def test_amounts_are_exact(cell: str | Decimal, minor: int) -> None:
    assert amount_of(cell, "NOK", ",", " .") == minor


@pytest.mark.parametrize("cell", ["twelve", "12,345", "", Decimal("0.001"), str(AMOUNT_MAX), "1e5"])
def test_what_is_not_an_amount_is_refused(cell: str | Decimal) -> None:
    with pytest.raises(NotAValue):
        amount_of(cell, "NOK", ",", " ")


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("900 00 001", "NO", "+4790000001"),
        ("+47 41 00 00 01", "NO", "+4741000001"),
        ("004790000001", "NO", "+4790000001"),
        ("06-12345678", "NL", "+31612345678"),
        ("20 12 34 56", "DK", "+4520123456"),
        ("+46 70 123 45 67", "NO", "+46701234567"),
        ("0151 23456789", "DE", "+4915123456789"),
    ],
)
def test_mobile_numbers_are_read_as_their_country_writes_them(text: str, country: str, number: str) -> None:
    assert mobile_of(text, country) == number


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("12", "NO"),
        ("22 00 00 00", "NO"),
        ("900 00 00 012", "NO"),
        ("kari", "NO"),
        ("020 1234567", "NL"),
        ("5551", "XX"),
    ],
)
def test_numbers_that_no_sms_can_reach_are_refused(text: str, country: str) -> None:
    with pytest.raises(NotAValue):
        mobile_of(text, country)


def test_email_addresses_keep_their_name_and_lower_their_domain() -> None:
    assert email_of("Kari.Nordmann@Kunde.Example") == "Kari.Nordmann@kunde.example"


@pytest.mark.parametrize(
    "text", ["kari", "kari@", "kari@kunde", "a b@kunde.no", "a@b@c.no", "kari@kunde.no;per@kunde.no"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(NotAValue):
        email_of(text)


def test_words_and_objects() -> None:
    assert yes_or_no("Ja") is True
    assert yes_or_no("NO") is False
    assert yes_or_no("kanskje") is None
    assert word_of("Common Area", ("home", "common_area")) == "common_area"
    assert object_of('{"b": 1, "a": 2}') == '{"a": 2, "b": 1}'
    with pytest.raises(NotAValue, match="JSON object"):
        object_of("[1]")
