"""Rates and tables of sums in a pack: read by date, and refused with the line when they make no sense."""

from datetime import date
from decimal import Decimal

import pytest

from relight.core.findings import Findings
from relight.core.rules.model import LawPack
from relight.core.rules.rates import Unknown, half_year_end, interest_table, sum_on
from relight.core.rules.reader import packaged_pack, packaged_packs, read_pack

SAMPLE = """\
pack: sample
country: DK
currency: DKK
as_of: 2026-11-21
rates:
  late_interest:
    law: an act § 5
    day_count: actual/actual
    lasts: half_year
    half_years:
      - {from: 2026-01-01, percent: 9.5, confidence: verified}
      - {from: 2026-07-01, percent: null, confidence: unknown}
  sats:
    lasts: until_changed
    amounts:
      - {from: 2026-01-01, amount: 310, confidence: verified}
rules:
  dk.fee:
    kind: max_amount
    target: [fee.reminder]
    caps: [{from: 2020-01-01, amount: 100}]
    law: an act § 2
    source: {level: secondary, confidence: verified}
"""
MISTAKES = {
    "a day that is none": ("from: 2026-07-01", "from: 2026-06-31", 12, "2026-06-31 is not a day"),
    "days out of order": ("from: 2026-07-01", "from: 2025-07-01", 12, "does not come after 2026-01-01"),
    "the same day twice": ("from: 2026-07-01", "from: 2026-01-01", 12, "does not come after 2026-01-01"),
    "a rate too fine": ("percent: 9.5,", "percent: 9.505,", 11, "finer than we reckon"),
    "a rate as text": ("percent: 9.5,", "percent: 9.5 %,", 11, "is not a percentage"),
    "a rate below nothing": ("percent: 9.5,", "percent: -9.5,", 11, "less than 0"),
    "a way of counting that is none": ("actual/actual", "actual/364", 8, "is not known here"),
    "no word on how sure": (
        ", confidence: verified}\n      - {from: 2026-07",
        "}\n      - {from: 2026-07",
        11,
        "missing",
    ),
    "a sum that cannot be paid": ("amount: 310,", "amount: 310.005,", 16, "more than 2 decimals"),
    "a misspelled key": ("    lasts: until_changed", "    last: until_changed", 14, "unknown key 'last'"),
}


@pytest.mark.parametrize("story", MISTAKES)
def test_a_table_with_a_mistake_is_refused_with_its_line(story: str) -> None:
    there, instead, line, said = MISTAKES[story]
    assert SAMPLE.count(there) == 1

    read = read_pack(SAMPLE.replace(there, instead))

    assert isinstance(read, Findings)
    assert [(finding.line, said in str(finding)) for finding in read.items] == [(line, True)]


def sample() -> LawPack:
    read = read_pack(SAMPLE)
    assert isinstance(read, LawPack), str(read)
    return read


def test_a_sum_holds_until_it_is_changed_and_no_longer_than_the_pack_can_know() -> None:
    on = {day: sum_on(sample(), "sats", day) for day in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31))}

    assert list(on.values()) == [Unknown("not_given"), 310_00, 310_00]
    assert sum_on(sample(), "sats", date(2027, 1, 1)) == Unknown("not_given")
    assert sum_on(sample(), "other", date(2026, 1, 1)) == Unknown("no_table")


def test_a_figure_that_the_operator_has_read_replaces_the_packs_own() -> None:
    table = interest_table(sample(), debtor="consumer")
    assert table is not None

    confirmed = table.confirmed({date(2026, 7, 1): Decimal("9.25"), date(2027, 1, 1): Decimal(9)})

    assert table.rates.on(date(2026, 8, 1)) == Unknown("unknown", "an act § 5")
    assert confirmed.rates.on(date(2026, 8, 1)) == Decimal("9.25")
    assert confirmed.rates.on(date(2027, 6, 30)) == Decimal(9)
    assert confirmed.rates.on(date(2027, 7, 1)) == Unknown("not_given", "an act § 5")


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2026, 1, 1), date(2026, 6, 30)),
        (date(2026, 6, 30), date(2026, 6, 30)),
        (date(2026, 7, 1), date(2026, 12, 31)),
    ],
)
def test_a_half_year_ends_in_june_or_in_december(day: date, end: date) -> None:
    assert half_year_end(day) == end


@pytest.mark.parametrize("name", packaged_packs())
def test_the_figures_of_every_pack_can_be_read(name: str) -> None:
    pack = packaged_pack(name)

    for debtor in ("consumer", "business"):
        table = interest_table(pack, debtor=debtor)
        assert table is None or (table.law and table.rates.entries)
