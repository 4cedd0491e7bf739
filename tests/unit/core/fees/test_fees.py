"""What a late payer may be charged in each country: how much, how often, when, and why not."""

from collections.abc import Mapping, Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.core.calendars import calendar_for
from relight.core.fees.answer import FeeAnswer, Why
from relight.core.fees.collector import collector_fee, compensation
from relight.core.fees.highest import Asked, Charged, Debt, Letter, highest_fee
from relight.core.rules.reader import packaged_pack

DUE = date(2026, 3, 2)
WHOLE = 100


def asked(
    country: str,
    fee: str,
    *,
    today: date,
    principal: int = 500 * WHOLE,
    due: date = DUE,
    debtor: str = "consumer",
    charged: Sequence[Charged] = (),
    letters: Mapping[str, Letter] | None = None,
    flags: Mapping[str, str] | None = None,
) -> Asked:
    debt = Debt("2026-1", principal, due, debtor)
    calendar = calendar_for(country.upper())
    return Asked(fee, debt, today, calendar, charged, letters or {}, flags or {})


def charge(country: str, fee: str, *, today: date, principal: int = 500 * WHOLE, **more: object) -> FeeAnswer:
    question = asked(country, fee, today=today, principal=principal, **more)  # type: ignore[arg-type]
    return highest_fee(packaged_pack(country), question)


def codes(answer: FeeAnswer) -> set[str]:
    return {why.code for why in answer.why}


def test_a_norwegian_reminder_costs_a_twentieth_from_the_fourteenth_day() -> None:
    early, on_time = (charge("no", "reminder", today=date(2026, 3, day)) for day in (15, 16))

    assert early.amount == 0
    assert early.why == (
        Why("too_early", "inkassoforskriften § 1-2", "no.fee.reminder.earliest", on=date(2026, 3, 16)),
    )
    assert (on_time.amount, codes(on_time)) == (37_50, {"capped"})
    assert charge("no", "reminder", today=date(2025, 12, 31), due=date(2025, 12, 1)).amount == 35_00


def test_a_second_norwegian_letter_waits_for_the_first_ones_fortnight_and_a_third_costs_nothing() -> None:
    first = Charged("reminder", "2026-1", date(2026, 3, 16), 37_50)
    second = Charged("collection_warning", "2026-1", date(2026, 3, 31), 37_50)

    too_early = charge("no", "collection_warning", today=date(2026, 3, 30), charged=[first])
    in_time = charge("no", "collection_warning", today=date(2026, 3, 31), charged=[first])
    third = charge("no", "reminder", today=date(2026, 5, 1), charged=[first, second])

    assert (too_early.amount, [why.on for why in too_early.why]) == (0, [date(2026, 3, 31)])
    assert in_time.amount == 37_50
    assert (third.amount, codes(third)) == (0, {"too_often"})


def test_what_another_bill_was_charged_is_not_held_against_this_one_in_norway() -> None:
    others = [Charged("reminder", "2026-0", date(2026, 3, 15), 37_50)] * 2

    assert charge("no", "reminder", today=date(2026, 3, 16), charged=others).amount == 37_50


def test_three_danish_reminders_ten_days_apart_are_shared_by_bills_that_follow_one_another() -> None:
    days = [date(2026, 3, 3), date(2026, 3, 14), date(2026, 3, 25)]
    charged = [Charged("reminder", f"2026-{n}", day, 100_00) for n, day in enumerate(days)]

    first = charge("dk", "reminder", today=days[0])
    too_early = charge("dk", "reminder", today=date(2026, 3, 13), charged=charged[:1])
    second = charge("dk", "reminder", today=days[1], charged=charged[:1])
    third = charge("dk", "reminder", today=days[2], charged=charged[:2])
    fourth = charge("dk", "reminder", today=date(2026, 6, 1), charged=charged)

    assert [answer.amount for answer in (first, too_early, second, third, fourth)] == [100_00, 0, 100_00, 100_00, 0]
    assert [why.on for why in too_early.why] == [date(2026, 3, 14)]
    assert codes(fourth) == {"too_often"}


def test_a_danish_claim_is_handed_over_for_a_hundred_once() -> None:
    once = Charged("handoff", "2026-1", date(2026, 4, 1), 100_00)

    assert charge("dk", "handoff", today=date(2026, 4, 1)).amount == 100_00
    assert charge("dk", "handoff", today=date(2026, 5, 1), charged=[once]).amount == 0


def test_danish_businesses_owe_a_compensation_and_consumers_do_not() -> None:
    assert charge("dk", "compensation", today=date(2026, 4, 1), debtor="business").amount == 310_00
    assert charge("dk", "compensation", today=date(2026, 4, 1)) == FeeAnswer(0, (Why("no_rule"),))


LETTER = {"fourteen_day_letter": Letter(date(2026, 3, 10), date(2026, 3, 12), date(2026, 3, 26))}


@pytest.mark.parametrize(
    ("principal", "cents"),
    [(1, 40_00), (266_66, 40_00), (2_500_00, 375_00), (5_000_00, 625_00), (10_000_00, 875_00), (200_000_00, 2_775_00),
     (99_999_999_00, 6_775_00)],
)  # fmt: skip
def test_dutch_collection_cost_follows_its_table(principal: int, cents: int) -> None:
    answer = charge("nl", "collection_cost", today=date(2026, 3, 27), principal=principal, letters=LETTER)

    assert (answer.amount, codes(answer)) == (cents, {"capped"})


def test_dutch_collection_cost_needs_its_letter_and_the_letters_fortnight() -> None:
    without = charge("nl", "collection_cost", today=date(2026, 3, 27))
    early = charge("nl", "collection_cost", today=date(2026, 3, 26), letters=LETTER)

    assert (without.amount, codes(without)) == (0, {"missing"})
    assert {why.about for why in without.why} == {"fourteen_day_letter"}
    assert (early.amount, codes(early)) == (0, {"too_early"})
    assert {why.on for why in early.why} == {date(2026, 3, 27)}


def test_a_letter_that_gives_more_time_than_the_law_is_held_to_what_it_gives() -> None:
    generous = {"fourteen_day_letter": Letter(date(2026, 3, 10), date(2026, 3, 12), date(2026, 4, 10))}

    last_day = charge("nl", "collection_cost", today=date(2026, 4, 10), letters=generous)
    day_after = charge("nl", "collection_cost", today=date(2026, 4, 11), letters=generous)

    assert (last_day.amount, {why.on for why in last_day.why}) == (0, {date(2026, 4, 11)})
    assert day_after.amount == 75_00


def test_small_dutch_instalments_cost_at_most_140_in_six_months_and_larger_ones_their_table() -> None:
    before = [Charged("collection_cost", f"2025-{n}", date(2026, 1, n), 40_00) for n in (10, 20, 30)]
    today = date(2026, 3, 27)

    small = charge("nl", "collection_cost", today=today, principal=266_66, letters=LETTER, charged=before)
    full = charge("nl", "collection_cost", today=today, principal=266_66, letters=LETTER, charged=[*before, *before])
    large = charge("nl", "collection_cost", today=today, principal=266_67, letters=LETTER, charged=before)
    later = charge("nl", "collection_cost", today=date(2026, 8, 1), principal=266_66, letters=LETTER, charged=before)

    assert (small.amount, [why.rule for why in small.why]) == (20_00, ["nl.wik.recurring_cap"])
    assert (full.amount, codes(full)) == (0, {"too_often"})
    assert large.amount == 40_00
    assert later.amount == 40_00


def test_a_dutch_claim_pays_its_collection_cost_once_however_many_letters_it_takes() -> None:
    part = Charged("collection_cost", "2026-1", date(2026, 3, 27), 100_00)

    rest = charge("nl", "collection_cost", today=date(2026, 4, 27), principal=1_000_00, letters=LETTER, charged=[part])

    assert rest.amount == 50_00


def test_swedish_letters_have_their_sums_and_a_sum_from_memory_permits_nothing() -> None:
    assert charge("se", "reminder", today=date(2026, 4, 1)).amount == 60_00
    assert charge("se", "payment_demand", today=date(2026, 4, 1)).amount == 180_00
    assert codes(charge("se", "plan", today=date(2026, 4, 1))) == {"not_verified"}
    assert codes(charge("de", "compensation", today=date(2026, 4, 1), debtor="business")) == {"not_verified"}


def test_a_fee_that_no_law_knows_is_not_charged_and_norway_forbids_it_by_name() -> None:
    invented_no, invented_dk = (charge(country, "paper_bill", today=date(2026, 4, 1)) for country in ("no", "dk"))

    assert [(why.code, why.rule) for why in invented_no.why] == [("forbidden", "no.fee.no_other_consumer_fee")]
    assert codes(invented_dk) == {"no_rule"}


def test_the_law_lets_a_norwegian_grid_company_charge_for_closing_but_gives_no_figure() -> None:
    answer = charge("no", "disconnect", today=date(2026, 4, 1))

    assert (answer.amount, codes(answer)) == (0, {"unknown"})


def test_no_fee_while_a_reasonable_objection_stands_or_in_breathing_space() -> None:
    objected = charge("no", "reminder", today=date(2026, 4, 1), flags={"objection_reasonable": "yes"})
    settled = charge("no", "reminder", today=date(2026, 4, 1), flags={"objection_reasonable": "no"})

    assert (objected.amount, [why.about for why in objected.why]) == (0, ["objection_reasonable"])
    assert settled.amount == 37_50


def test_a_rule_that_is_not_in_force_yet_gives_no_amount() -> None:
    assert charge("se", "reminder", today=date(2012, 12, 31), due=date(2012, 1, 1)).amount == 0


DEMAND = {"payment_demand": Letter(date(2026, 4, 1))}
EDGES = [500, 1_000, 2_500, 10_000, 50_000, 250_000, 10_000_000]
AT_750 = [187_50, 262_50, 300_00, 600_00, 1_200_00, 2_700_00, 5_400_00]


def collector(principal: int, *, today: date = date(2026, 4, 20), bears_vat: bool = False, **more: object) -> FeeAnswer:
    question = asked("no", "collector", today=today, principal=principal, **{"letters": DEMAND, **more})  # type: ignore[arg-type]
    return collector_fee(packaged_pack("no"), question, bears_vat=bears_vat)


@pytest.mark.parametrize(("at", "oere"), list(enumerate(AT_750)))
def test_the_collectors_table_is_in_shares_of_750_kroner_by_size_of_claim(at: int, oere: int) -> None:
    lowest = (EDGES[at - 1] if at else 0) * WHOLE + 1

    assert collector(EDGES[at] * WHOLE).amount == oere
    assert collector(lowest).amount == oere


def test_a_collectors_case_is_heavy_from_the_forty_third_day_and_a_business_pays_half_as_much_again() -> None:
    light, heavy = collector(800_00, today=date(2026, 5, 13)), collector(800_00, today=date(2026, 5, 14))
    business = collector(800_00, today=date(2026, 5, 14), debtor="business")

    assert [(answer.amount, answer.why[0].about) for answer in (light, heavy)] == [
        (262_50, "light"),
        (525_00, "heavy"),
    ]
    assert business.amount == 787_50


def test_a_creditor_that_cannot_deduct_the_vat_passes_it_on_to_the_last_whole_oere() -> None:
    assert collector(800_00, bears_vat=True).amount == 328_12  # 328.125


@pytest.mark.parametrize(
    ("story", "code"),
    [
        ({"letters": {}}, "missing"),
        ({"due": date(2020, 9, 30)}, "not_for"),
        ({"due": date(2027, 2, 1)}, "unknown"),
        ({"flags": {"paid_within_collection_warning_term": "yes"}}, "flagged"),
        ({"flags": {"objection_reasonable": "yes"}}, "flagged"),
    ],
)
def test_a_collector_charges_nothing_where_the_table_does_not_reach(story: Mapping[str, object], code: str) -> None:
    answer = collector(800_00, **story)  # type: ignore[arg-type]

    assert (answer.amount, codes(answer)) == (0, {code})


def test_the_collectors_table_of_a_claims_own_due_date_counts() -> None:
    assert collector(800_00, due=date(2025, 12, 31)).amount == 245_00


@pytest.mark.parametrize("country", ["dk", "nl", "se", "de", "gb"])
def test_other_countries_have_no_such_table(country: str) -> None:
    question = asked(country, "collector", today=date(2026, 4, 1))

    assert collector_fee(packaged_pack(country), question) == FeeAnswer(0, (Why("no_rule"),))


def test_norwegian_businesses_owe_a_compensation_less_the_reminders_and_consumers_never() -> None:
    pack, spring = packaged_pack("no"), date(2026, 5, 1)

    whole = compensation(pack, debtor="business", today=spring)
    less = compensation(pack, debtor="business", today=spring, fees=75_00)
    never = compensation(pack, debtor="consumer", today=spring)
    lapsed = compensation(pack, debtor="business", today=date(2026, 8, 1))

    assert (whole.amount, less.amount, codes(less)) == (460_00, 385_00, {"deducted"})
    assert (never.amount, codes(never)) == (0, {"not_for"})
    assert (lapsed.amount, codes(lapsed)) == (0, {"unknown"})
    assert compensation(pack, debtor="business", today=spring, fees=500_00).amount == 0


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_a_larger_dutch_claim_never_costs_less(one: int, other: int) -> None:
    amounts = [
        charge("nl", "collection_cost", today=date(2026, 3, 27), principal=principal, letters=LETTER).amount
        for principal in sorted((one, other))
    ]

    assert 40_00 <= amounts[0] <= amounts[1] <= 6_775_00
