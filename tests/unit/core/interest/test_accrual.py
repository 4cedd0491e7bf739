"""Late interest in the cases that people argue about, each checked by hand."""

from datetime import date
from decimal import Decimal

import pytest

from relight.core.interest.accrual import Bearing, Change, late_interest, still_to_book
from relight.core.rules.rates import InterestTable, Unknown, interest_table
from relight.core.rules.reader import packaged_pack

KRONE = 100
BOTH_2025 = {date(2025, 7, 1): Decimal("12.25")}


def norway() -> InterestTable:
    table = interest_table(packaged_pack("no"), debtor="consumer")
    assert table is not None
    return table


def test_nothing_is_owed_on_the_due_date_and_one_day_on_the_day_after() -> None:
    claim = Bearing(365_000 * KRONE, date(2025, 3, 3))

    on_time = late_interest(claim, norway(), until=date(2025, 3, 3))
    a_day_late = late_interest(claim, norway(), until=date(2025, 3, 4))

    assert (on_time.amount, on_time.slices) == (0, ())
    assert a_day_late.amount == 125 * KRONE  # 365,000 at 12.50 percent is 125 a day


def test_a_whole_year_at_one_rate_is_the_rate() -> None:
    table = norway().confirmed({date(2025, 7, 1): Decimal("12.50")})

    interest = late_interest(Bearing(1_000 * KRONE, date(2024, 12, 31)), table, until=date(2025, 12, 31))

    assert interest.amount == 125 * KRONE
    assert len(interest.slices) == 1


def test_a_rate_that_changes_in_a_running_claim_holds_from_its_first_day() -> None:
    claim = Bearing(36_500 * KRONE, date(2025, 6, 29))

    interest = late_interest(claim, norway().confirmed(BOTH_2025), until=date(2025, 7, 2))

    assert [(one.first, one.last, one.percent) for one in interest.slices] == [
        (date(2025, 6, 30), date(2025, 6, 30), Decimal("12.50")),
        (date(2025, 7, 1), date(2025, 7, 2), Decimal("12.25")),
    ]
    assert interest.amount == 12_50 + 2 * 12_25


def test_a_part_payment_bears_interest_on_its_own_day_and_no_more() -> None:
    claim = Bearing(73_000 * KRONE, date(2025, 3, 31), (Change(date(2025, 4, 2), -36_500 * KRONE),))

    interest = late_interest(claim, norway(), until=date(2025, 4, 3))

    assert interest.amount == 25_00 + 25_00 + 12_50


def test_money_that_came_back_bears_interest_again() -> None:
    paid, returned = Change(date(2025, 4, 1), -36_500 * KRONE), Change(date(2025, 4, 10), 36_500 * KRONE)
    claim = Bearing(36_500 * KRONE, date(2025, 3, 31), (paid, returned))

    interest = late_interest(claim, norway(), until=date(2025, 4, 12))

    assert interest.amount == 12_50 + 2 * 12_50
    assert [one.first for one in interest.slices] == [date(2025, 4, 1), date(2025, 4, 11)]


def test_what_was_paid_before_the_due_date_never_bore_any() -> None:
    claim = Bearing(73_000 * KRONE, date(2025, 3, 31), (Change(date(2025, 3, 1), -36_500 * KRONE),))

    assert late_interest(claim, norway(), until=date(2025, 4, 1)).amount == 12_50


def test_a_day_of_a_leap_year_is_a_366th() -> None:
    table = norway().confirmed({date(2027, 7, 1): Decimal(10), date(2028, 1, 1): Decimal(10)})
    claim = Bearing(365 * 366 * KRONE, date(2027, 12, 30))

    interest = late_interest(claim, table, until=date(2028, 1, 1))

    assert interest.amount == (36_60 + 36_50)


def test_an_oere_is_never_rounded_up_and_rounded_only_once() -> None:
    claim = Bearing(1, date(2024, 12, 31))
    table = norway().confirmed({date(2025, 7, 1): Decimal("12.50")})

    daily = [late_interest(claim, table, until=date(2025, 1, day)).amount for day in range(1, 32)]
    owed = [late_interest(Bearing(79, date(2024, 12, 31)), table, until=date(2025, 12, day)).amount for day in (30, 31)]

    assert daily == [0] * 31
    assert owed == [9, 9]  # 9.875 at the end of the year


def test_a_rate_that_nobody_knows_ends_the_count_and_says_so() -> None:
    claim = Bearing(36_500 * KRONE, date(2026, 6, 28))

    interest = late_interest(claim, norway(), until=date(2026, 11, 21))

    assert interest.amount == 2 * 12_00
    assert interest.stopped is not None
    assert interest.stopped.day == date(2026, 7, 1)
    assert interest.stopped.why == Unknown("unknown", "forsinkelsesrenteloven §§ 2 and 3")


def test_nothing_is_counted_after_the_unknown_even_where_a_later_rate_is_known() -> None:
    table = norway().confirmed({date(2027, 1, 1): Decimal(11)})

    interest = late_interest(Bearing(36_500 * KRONE, date(2026, 6, 28)), table, until=date(2027, 3, 1))

    assert interest.amount == 2 * 12_00


def test_a_rate_from_memory_permits_nothing_until_somebody_has_read_it() -> None:
    claim = Bearing(36_500 * KRONE, date(2025, 6, 29))

    from_memory = late_interest(claim, norway(), until=date(2025, 7, 2))
    confirmed = late_interest(claim, norway().confirmed(BOTH_2025), until=date(2025, 7, 2))

    assert from_memory.amount == 12_50
    assert from_memory.stopped is not None
    assert (from_memory.stopped.day, from_memory.stopped.why.lack) == (date(2025, 7, 1), "not_verified")
    assert confirmed.stopped is None


def test_a_claim_older_than_the_table_has_no_interest_by_it() -> None:
    interest = late_interest(Bearing(1_000 * KRONE, date(2023, 5, 1)), norway(), until=date(2025, 6, 30))

    assert interest.amount == 0
    assert interest.stopped is not None
    assert (interest.stopped.day, interest.stopped.why.lack) == (date(2023, 5, 2), "not_given")


def test_a_half_years_rate_is_not_used_for_the_next_one() -> None:
    table = interest_table(packaged_pack("nl"), debtor="business")

    interest = late_interest(Bearing(36_600 * KRONE, date(2024, 12, 30)), table, until=date(2025, 1, 31))

    assert interest.amount == 12_25
    assert interest.stopped is not None
    assert (interest.stopped.day, interest.stopped.why.lack) == (date(2025, 1, 1), "not_given")


def test_a_half_year_that_begins_in_january_ends_in_june_though_no_other_rate_is_told() -> None:
    table = norway().confirmed({date(2027, 1, 1): Decimal(10)})

    interest = late_interest(Bearing(36_500 * KRONE, date(2027, 6, 28)), table, until=date(2027, 7, 31))

    assert interest.amount == 2 * 10_00
    assert interest.stopped is not None
    assert (interest.stopped.day, interest.stopped.why.lack) == (date(2027, 7, 1), "not_given")


def test_a_rate_that_goes_on_until_it_is_changed_is_used_all_year() -> None:
    table = interest_table(packaged_pack("nl"), debtor="consumer")

    interest = late_interest(Bearing(36_600 * KRONE, date(2023, 12, 31)), table, until=date(2024, 12, 31))

    assert (interest.amount, interest.stopped) == (2_562 * KRONE, None)


@pytest.mark.parametrize("country", ["se", "de", "gb"])
def test_a_country_without_a_table_counts_nothing_and_says_so(country: str) -> None:
    table = interest_table(packaged_pack(country), debtor="consumer")

    interest = late_interest(Bearing(1_000 * KRONE, date(2026, 1, 1)), table, until=date(2026, 2, 1))

    assert table is None
    assert (interest.amount, interest.stopped and interest.stopped.why.lack) == (0, "no_table")


def test_denmark_counts_nothing_until_the_operator_has_set_the_rate() -> None:
    table = interest_table(packaged_pack("dk"), debtor="consumer")
    assert table is not None
    claim = Bearing(36_500 * KRONE, date(2026, 8, 31))

    unset = late_interest(claim, table, until=date(2026, 9, 2))
    set_ = late_interest(claim, table.confirmed({date(2026, 7, 1): Decimal("9.75")}), until=date(2026, 9, 2))

    assert (unset.amount, unset.stopped and unset.stopped.why.lack) == (0, "unknown")
    assert set_.amount == 2 * 9_75


def test_more_paid_than_owed_is_a_mistake_of_the_caller() -> None:
    claim = Bearing(100, date(2025, 3, 1), (Change(date(2025, 3, 2), -101),))

    with pytest.raises(ValueError, match="more was paid by 2025-03-03"):
        late_interest(claim, norway(), until=date(2025, 3, 10))


def test_a_payment_told_late_takes_back_what_was_booked_too_much() -> None:
    before = Bearing(36_500 * KRONE, date(2025, 3, 31))
    after = Bearing(36_500 * KRONE, date(2025, 3, 31), (Change(date(2025, 4, 5), -36_500 * KRONE),))
    booked = late_interest(before, norway(), until=date(2025, 4, 10)).amount

    corrected = still_to_book(late_interest(after, norway(), until=date(2025, 4, 11)), booked=booked)

    assert booked == 10 * 12_50
    assert corrected == -5 * 12_50
