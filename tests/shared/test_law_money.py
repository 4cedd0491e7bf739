"""Fees and interest by our packs against the figures that were read: to the last øre, no surer than their source."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from relight.core.calendars import calendar_for
from relight.core.fees.collector import collector_fee, compensation
from relight.core.fees.highest import Asked, Debt, Letter, highest_fee
from relight.core.interest.accrual import Bearing, late_interest
from relight.core.rules.rates import InterestTable, Unknown, interest_table, sum_on
from relight.core.rules.reader import packaged_pack

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "law"
SURE = ["unknown", "memory_uncertain", "memory_high", "verified"]
INTEREST = [("no", "late_interest", "consumer"), ("dk", "late_interest", "consumer"),
            ("nl", "legal_interest_consumer", "consumer"), ("nl", "legal_interest_trade", "business")]  # fmt: skip
TODAY = date(2026, 3, 27)


def facts(country: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((FOLDER / f"{country}.yaml").read_text("utf-8"))
    return read


def table(country: str, debtor: str) -> InterestTable:
    found = interest_table(packaged_pack(country), debtor=debtor)
    assert found is not None
    return found


def half_years_read() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for country, name, debtor in INTEREST:
        for value in facts(country)["rates"][name]["values"]:
            yield country, debtor, value


@pytest.mark.parametrize(("country", "debtor", "value"), list(half_years_read()))
def test_a_rate_is_the_one_that_was_read_and_no_surer(country: str, debtor: str, value: dict[str, Any]) -> None:
    [ours] = [entry for entry in table(country, debtor).rates.entries if entry.starts == value["from"]]

    assert ours.value == (None if value["pct"] is None else Decimal(str(value["pct"])))
    assert SURE.index(ours.confidence) <= SURE.index(value["confidence"])


@pytest.mark.parametrize(("country", "name", "debtor"), INTEREST)
def test_no_rate_is_ours_alone(country: str, name: str, debtor: str) -> None:
    read = {value["from"] for value in facts(country)["rates"][name]["values"]}

    assert {entry.starts for entry in table(country, debtor).rates.entries} == read


@pytest.mark.parametrize(("country", "debtor", "value"), list(half_years_read()))
def test_a_day_of_each_half_year_costs_what_its_rate_says(country: str, debtor: str, value: dict[str, Any]) -> None:
    days = 366 if value["from"].year % 4 == 0 else 365
    principal = days * 10_000_00

    interest = late_interest(
        Bearing(principal, value["from"] - timedelta(days=1)), table(country, debtor), until=value["from"]
    )

    if value["pct"] is not None and value["confidence"] == "verified":
        assert interest.amount == Fraction(str(value["pct"])) * 10_000_00 / 100
    else:
        assert (interest.amount, interest.stopped and interest.stopped.day) == (0, value["from"])


@pytest.mark.parametrize("value", facts("no")["rates"]["inkassosats"]["values"])
def test_the_inkassosats_and_the_fees_in_parts_of_it_are_those_that_were_read(value: dict[str, Any]) -> None:
    day = max(value["from"] + timedelta(days=60), date(2020, 12, 1))  # the twentieth is in force since October 2020
    debt = Debt("1", 500_00, day - timedelta(days=30))
    pack = packaged_pack("no")

    sats = sum_on(pack, "inkassosats", day)
    reminder, demand = (
        highest_fee(pack, Asked(fee, debt, day, calendar_for("NO"))) for fee in ("reminder", "payment_demand")
    )

    assert sats == value["nok"] * 100
    assert (reminder.amount, demand.amount) == (value["nok"] * 100 // 20, 3 * value["nok"] * 100 // 20)


@pytest.mark.parametrize("value", facts("no")["rates"]["standard_compensation_b2b"]["values"])
def test_the_compensation_is_the_one_that_was_read(value: dict[str, Any]) -> None:
    answer = compensation(packaged_pack("no"), debtor="business", today=value["from"])

    assert answer.amount == value["nok"] * 100


# As a collector's page has them in kroner, at an inkassosats of 700.
LIGHT_AT_700 = [175, 245, 280, 560, 1120, 2520, 5040]


@pytest.mark.parametrize(("place", "kroner"), list(enumerate(LIGHT_AT_700)))
def test_the_collectors_table_comes_to_the_kroner_that_a_collector_prints(place: int, kroner: int) -> None:
    band = facts("no")["tables"]["collector_fee"]["bands"][place]
    debt = Debt("1", (band["principal_upto"] or 1_000_000) * 100, date(2025, 3, 1))
    letters = {"payment_demand": Letter(date(2025, 4, 1))}
    light, heavy = (
        Asked("collector", debt, date(2025, 4, 1) + timedelta(days=days), calendar_for("NO"), letters=letters)
        for days in (42, 43)
    )

    assert collector_fee(packaged_pack("no"), light).amount == kroner * 100
    assert collector_fee(packaged_pack("no"), heavy).amount == 2 * kroner * 100
    assert Fraction(str(band["light"])) * 700 == kroner


def test_an_unknown_half_year_books_nothing_and_says_which() -> None:
    for country in ("no", "dk"):
        interest = late_interest(
            Bearing(1_000_00, date(2026, 7, 1)), table(country, "consumer"), until=TODAY.replace(month=11)
        )

        assert interest.amount == 0
        assert interest.stopped is not None
        assert interest.stopped.why == Unknown("unknown", table(country, "consumer").law)


@pytest.mark.parametrize("euro", [1, 266, 267, 2_500, 2_501, 5_000, 7_777, 10_000, 123_456, 200_000, 1_500_000])
def test_the_dutch_staffel_comes_to_what_its_bands_add_up_to(euro: int) -> None:
    read = facts("nl")["tables"]["collection_cost_staffel"]
    slices = [
        Fraction(str(band["pct"])) * max(0, min(euro, band["upto"] or euro) - band["over"]) for band in read["bands"]
    ]
    letters = {"fourteen_day_letter": Letter(date(2026, 3, 10), date(2026, 3, 12), date(2026, 3, 26))}
    asked = Asked(
        "collection_cost", Debt("1", euro * 100, date(2026, 3, 2)), TODAY, calendar_for("NL"), letters=letters
    )

    answer = highest_fee(packaged_pack("nl"), asked)

    assert answer.amount == min(max(sum(slices), read["min"] * 100), read["max"] * 100)


@pytest.mark.parametrize(
    ("country", "fee", "debtor", "rule"),
    [
        ("dk", "reminder", "consumer", "dk.fee.reminder.amount"),
        ("dk", "handoff", "consumer", "dk.fee.collection"),
        ("dk", "compensation", "business", "dk.fee.compensation"),
        ("se", "reminder", "consumer", "se.fee.reminder"),
        ("se", "payment_demand", "consumer", "se.fee.collection"),
    ],
)
def test_a_fee_with_one_figure_is_that_figure(country: str, fee: str, debtor: str, rule: str) -> None:
    [fact] = [one for one in facts(country)["rules"] if one["id"] == rule]
    asked = Asked(fee, Debt("1", 500_00, date(2026, 3, 2), debtor), TODAY, calendar_for(country.upper()))

    answer = highest_fee(packaged_pack(country), asked)

    assert answer.amount == (fact["params"].get("cap") or fact["params"]["amount"]) * 100
    assert [why.rule for why in answer.why] == [rule]
