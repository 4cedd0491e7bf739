"""Amounts are read and written exactly, and what is not an amount is refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.core.money import (
    LANGUAGES,
    MINOR_DIGITS,
    MINOR_MAX,
    NotAnAmount,
    UnknownCurrency,
    format_amount,
    parse_amount,
    to_decimal,
)

AMOUNTS = st.integers(-MINOR_MAX, MINOR_MAX)
CURRENCIES = st.sampled_from(sorted(MINOR_DIGITS))


@given(AMOUNTS, CURRENCIES)
def test_what_is_written_as_a_decimal_is_read_back_exactly(minor: int, currency: str) -> None:
    text = f"{to_decimal(minor, currency):f}"

    assert parse_amount(text, currency) == minor
    assert to_decimal(minor, currency) == Decimal(minor) / 100


@given(AMOUNTS, st.sampled_from([" ", ".", "'"]))
def test_grouped_amounts_are_read_back_exactly(minor: int, mark: str) -> None:
    text = f"{to_decimal(minor, 'NOK'):,.2f}".replace(".", ";").replace(",", mark).replace(";", ",")

    assert parse_amount(text, "NOK", decimal=",", grouping=mark) == minor


@given(AMOUNTS, CURRENCIES, st.sampled_from(LANGUAGES))
def test_no_digit_is_lost_on_the_way_to_the_customer(minor: int, currency: str, language: str) -> None:
    shown = format_amount(minor, currency, language)

    digits = "".join(character for character in shown if character.isdigit())
    assert int(digits) == abs(minor)
    assert ("-" in shown) == (minor < 0)


@pytest.mark.parametrize(
    ("text", "minor"),
    [("1234.50", 123450), ("1234.5", 123450), ("1234", 123400), (" -7.05 ", -705), ("+0.10", 10), ("1.5000", 150)],
)
def test_reads_plain_amounts(text: str, minor: int) -> None:
    assert parse_amount(text, "NOK") == minor


@pytest.mark.parametrize(
    ("text", "decimal", "grouping", "minor"),
    [
        ("1 234,50", ",", " ", 123450),
        ("1\u00a0234,50", ",", " ", 123450),
        ("1\u202f234\u202f567,5", ",", " ", 123456750),
        ("1.234,50", ",", ".", 123450),
        ("1,234.50", ".", ",", 123450),
        ("\u2212234,50", ",", "", -23450),
    ],
)
def test_reads_the_forms_of_other_countries(text: str, decimal: str, grouping: str, minor: int) -> None:
    assert parse_amount(text, "NOK", decimal=decimal, grouping=grouping) == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        ".",
        "kr 5",
        "1e5",
        "NaN",
        "Infinity",
        "1,5",
        "1.2.3",
        "1 234",
        "0x10",
        "١٢٣",
        "12-",
        "--1",
        "1_000",
        ".5",
    ],
)
def test_refuses_what_is_not_an_amount(text: str) -> None:
    with pytest.raises(NotAnAmount, match="is not an amount"):
        parse_amount(text, "NOK")


def test_never_rounds() -> None:
    with pytest.raises(NotAnAmount, match="more than 2 decimals, which NOK does not have"):
        parse_amount("10.005", "NOK")


def test_a_lone_group_of_three_is_not_taken_for_a_decimal_part() -> None:
    with pytest.raises(NotAnAmount, match="not grouped in threes"):
        parse_amount("1.50", "NOK", decimal=",", grouping=".")


@pytest.mark.parametrize("text", ["10.00", "1.000", "1.50"])
def test_a_point_is_no_decimal_sign_where_the_comma_is_one(text: str) -> None:
    with pytest.raises(NotAnAmount, match="write it like 1234,50"):
        parse_amount(text, "NOK", decimal=",", grouping=" ")


@pytest.mark.parametrize("text", ["9" * 14 + "." + "99", "1" + "0" * 5_000])
def test_refuses_huge_amounts(text: str) -> None:
    with pytest.raises(NotAnAmount, match="larger than any invoice"):
        parse_amount(text, "NOK")


@pytest.mark.parametrize(
    ("minor", "currency", "language", "shown"),
    [
        (123450, "NOK", "nb", "1\u00a0234,50\u00a0kr"),
        (123450, "DKK", "da", "1.234,50\u00a0kr."),
        (123450, "EUR", "nl", "€\u00a01.234,50"),
        (123450, "SEK", "sv", "1\u00a0234,50\u00a0kr"),
        (123450, "GBP", "en", "£1,234.50"),
        (123450, "NOK", "en", "NOK\u00a01,234.50"),
        (-5, "NOK", "en", "-NOK\u00a00.05"),
        (123450, "EUR", "de", "1.234,50\u00a0€"),
        (-5, "NOK", "nb", "-0,05\u00a0kr"),
        (0, "NOK", "nb", "0,00\u00a0kr"),
    ],
)
def test_writes_amounts_as_each_language_does(minor: int, currency: str, language: str, shown: str) -> None:
    assert format_amount(minor, currency, language) == shown


def test_refuses_currencies_and_languages_it_does_not_know() -> None:
    with pytest.raises(UnknownCurrency, match="unknown currency 'JPY'"):
        parse_amount("1", "JPY")
    with pytest.raises(KeyError, match="no amounts in 'fr'"):
        format_amount(1, "EUR", "fr")
