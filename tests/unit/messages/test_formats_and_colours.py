"""Sums, dates and colours as a customer meets them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.flow.messages import colours, formats

DAY = date(2026, 12, 3)


@pytest.mark.parametrize(
    ("language", "currency", "shown"),
    [
        ("nb", "NOK", "1\xa0234,50\xa0kr"),
        ("da", "DKK", "1.234,50\xa0kr."),
        ("nl", "EUR", "€\xa01.234,50"),
        ("de", "EUR", "1.234,50\xa0€"),
        ("en", "GBP", "£1,234.50"),
        ("en", "NOK", "NOK\xa01,234.50"),
    ],
)
def test_a_sum_is_written_as_the_language_writes_it(language: str, currency: str, shown: str) -> None:
    assert formats.money(123_450, currency, language) == shown


def test_a_currency_without_decimals_has_none() -> None:
    assert formats.money(1_234, "ISK", "en") == "ISK\xa01,234"


def test_no_øre_is_lost_in_a_sum_that_a_float_cannot_hold() -> None:
    shown = formats.money(90_071_992_547_409_931, "NOK", "nb")

    assert shown.replace("\xa0", "") == "900719925474099,31kr"


@pytest.mark.parametrize(
    ("language", "long", "short"),
    [
        ("nb", "3. desember 2026", "3. desember"),
        ("da", "3. december 2026", "3. december"),
        ("nl", "3 december 2026", "3 december"),
        ("en", "3 December 2026", "3 December"),
        ("de", "3. Dezember 2026", "3. Dezember"),
    ],
)
def test_a_day_is_written_as_the_language_writes_it(language: str, long: str, short: str) -> None:
    assert formats.long_date(DAY, language) == long
    assert formats.day_month(DAY, language) == short


def test_a_moment_without_a_time_zone_is_refused() -> None:
    assert formats.date_and_time(datetime(2026, 12, 3, 14, 5, tzinfo=UTC), "nb") == "3. desember 2026 14:05"
    with pytest.raises(ValueError, match="time zone"):
        formats.date_and_time(datetime(2026, 12, 3, 14, 5), "nb")  # noqa: DTZ001 - the point of the test


_colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(_colours)
def test_a_button_in_any_brand_colour_can_be_read(colour: str) -> None:
    assert colours.contrast(colours.text_on(colour), colour) >= 4.5


@given(_colours, st.sampled_from(["#ffffff", "#f7f6f3", "#1d2731", "#12181e"]))
def test_a_link_in_any_brand_colour_can_be_read(colour: str, background: str) -> None:
    assert colours.contrast(colours.readable(colour, background), background) >= 4.5


def test_a_colour_that_can_be_read_is_left_alone() -> None:
    assert colours.readable("#0b4f6c", "#ffffff") == "#0b4f6c"
