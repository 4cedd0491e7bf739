"""Customers see the ways that fit their country, currency and brand, in the partner's order and words."""

from typing import Any

import pytest

from relight.flow.payments.errors import NoSuchProvider
from relight.flow.payments.ways import Payer, refused, way_named, ways_for

SETTINGS: dict[str, Any] = {
    "adyen": {"api_key": "k", "merchant_account": "M", "hmac_key": "00", "api_base": "https://adyen.example"},
    "mollie": {"api_key": "k", "webhook_url": "https://betal.example/w"},
    "stripe": {"api_key": "k", "webhook_secret": "w"},
    "vipps": {
        "client_id": "i",
        "client_secret": "s",
        "subscription_key": "k",
        "merchant_serial_number": "123456",
        "webhook_secret": "w",
        "webhook_url": "https://betal.example/w",
    },
}
NORWAY = Payer(country="NO", currency="NOK", brand="Nordlys")
DENMARK = Payer(country="DK", currency="DKK", brand="Nordlys")
NETHERLANDS = Payer(country="NL", currency="EUR", brand="Zonnig")


def names(payer: Payer, rules: list[dict[str, Any]] | None = None, settings: Any = SETTINGS) -> list[str]:
    return [way.name for way in ways_for(settings, rules, payer)]


@pytest.mark.parametrize(
    ("payer", "expected"),
    [
        (NORWAY, {"adyen", "stripe", "vipps"}),
        (DENMARK, {"adyen", "stripe", "vipps"}),
        (NETHERLANDS, {"adyen", "mollie", "stripe"}),
    ],
    ids=["Norway", "Denmark", "the Netherlands"],
)
def test_a_way_that_does_not_serve_the_country_or_the_currency_is_not_shown(payer: Payer, expected: set[str]) -> None:
    assert set(names(payer)) == expected


def test_the_partner_says_in_which_order() -> None:
    rules = [{"provider": "vipps"}, {"provider": "stripe"}]

    assert names(NORWAY, rules) == ["vipps", "stripe"]
    assert names(NORWAY, rules[::-1]) == ["stripe", "vipps"]


def test_a_way_may_be_for_some_brands_countries_or_currencies_alone() -> None:
    rules = [
        {"provider": "stripe", "brands": ["Zonnig"]},
        {"provider": "vipps", "countries": ["DK"]},
        {"provider": "adyen", "currencies": ["NOK"]},
    ]

    assert [names(payer, rules) for payer in (NORWAY, DENMARK, NETHERLANDS)] == [["adyen"], ["vipps"], ["stripe"]]


def test_one_partner_may_have_two_accounts_at_one_provider() -> None:
    settings = {"vipps": SETTINGS["vipps"], "vipps-dk": {**SETTINGS["vipps"], "driver": "vipps"}}
    rules = [{"provider": "vipps", "countries": ["NO"]}, {"provider": "vipps-dk", "countries": ["DK"]}]

    assert names(DENMARK, rules, settings) == ["vipps-dk"]
    assert names(NORWAY, rules, settings) == ["vipps"]


def test_the_partner_may_write_the_buttons_words() -> None:
    (way,) = ways_for(SETTINGS, [{"provider": "stripe", "labels": {"nb": "Kort"}}], NORWAY)

    assert [way.label(language) for language in ("nb", "nl", "sv")] == ["Kort", "Betalen met kaart", "Pay by card"]


@pytest.mark.parametrize("language", ["nb", "da", "nl", "en", "de"])
def test_every_provider_has_words_in_five_languages(language: str) -> None:
    ways = [*ways_for(SETTINGS, None, NORWAY), *ways_for(SETTINGS, None, NETHERLANDS)]

    assert all(language in way.labels for way in ways)


def test_a_provider_that_cannot_be_set_up_leaves_the_others() -> None:
    assert names(NORWAY, None, {**SETTINGS, "vipps": {"client_id": "alone"}, "nonsense": {}}) == ["adyen", "stripe"]


def test_a_way_that_was_not_shown_cannot_be_taken() -> None:
    with pytest.raises(NoSuchProvider):
        way_named(ways_for(SETTINGS, None, NORWAY), "mollie")


@pytest.mark.parametrize(
    ("settings", "rules", "says"),
    [
        ({"vipps": {"client_id": "alone"}}, None, "must be set"),
        ({"nonsense": {}}, None, "no driver"),
        (SETTINGS, [{"provider": "klarna"}], "no payment provider"),
        (SETTINGS, [{"provider": "vipps", "brand": "Nordlys"}], "not brand"),
        (SETTINGS, [{}], "provider"),
        ([], None, "an object"),
    ],
)
def test_settings_that_would_show_nobody_a_button_are_refused_in_words(settings: Any, rules: Any, says: str) -> None:
    assert says in refused(settings, rules)


def test_good_settings_are_taken() -> None:
    assert refused(SETTINGS, [{"provider": "vipps", "labels": {"nb": "Vipps"}}]) == ""
