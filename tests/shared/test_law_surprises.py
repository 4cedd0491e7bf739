"""What is easy to get wrong in law, row by row of the facts' README: our packs have it as found, not as assumed."""

from datetime import date, timedelta

import pytest

from relight.core.calendars import calendar_for, due_date
from relight.core.rules import model
from relight.core.rules.lawbook import packaged_law
from relight.core.rules.model import Anchor, Rule
from relight.core.rules.reader import packaged_pack
from relight.core.rules.sums import cap_of
from relight.core.spans import Span, Unit

TODAY = date(2026, 11, 21)
EURO = 100


def rule(id_: str) -> Rule:
    return packaged_pack(id_[:2]).rule(id_)


def waits(id_: str) -> model.MinElapsed:
    demand = rule(id_).demand
    assert isinstance(demand, model.MinElapsed)
    return demand


def needs(id_: str) -> model.RequiresBefore:
    demand = rule(id_).demand
    assert isinstance(demand, model.RequiresBefore)
    return demand


def flags(id_: str) -> model.ForbiddenIf:
    demand = rule(id_).demand
    assert isinstance(demand, model.ForbiddenIf)
    return demand


def earliest(id_: str, since: date) -> date:
    demand = waits(id_)
    assert demand.span is not None
    return due_date(calendar_for(id_[:2].upper()), since, demand.span)


def cost(principal: int) -> int | None:
    demand = rule("nl.wik.amount").demand
    assert isinstance(demand, model.MaxAmount)
    return cap_of(demand, TODAY, principal)


def test_norwegian_power_waits_four_weeks_from_the_closing_notice_not_from_the_due_date() -> None:
    assert waits("no.el.disconnect.notice_4w").since == (Anchor("disconnect_notice", "sent"),)
    assert earliest("no.el.disconnect.notice_4w", date(2026, 9, 1)) == date(2026, 9, 30)  # day 29


def test_norwegian_power_is_closed_by_the_grid_company_alone_and_businesses_have_two_weeks() -> None:
    assert rule("no.el.disconnect.notice_4w").applies.actor == {"grid_company"}
    assert rule("no.el.disconnect.business_2w").applies.debtor == {"business"}
    assert earliest("no.el.disconnect.business_2w", date(2026, 9, 1)) == date(2026, 9, 16)


def test_a_norwegian_collection_warning_may_go_the_day_after_but_its_fee_needs_fourteen_days() -> None:
    due = date(2026, 9, 1)

    assert earliest("no.inkasso.warning.after_due", due) == due + timedelta(days=1)
    assert earliest("no.fee.reminder.earliest", due) == due + timedelta(days=14)
    assert "fee.collection_warning" in rule("no.fee.reminder.earliest").targets
    assert rule("no.inkasso.warning.deadline").demand == model.MinDeadline(Span(14, Unit.DAYS), "sent")


def test_a_norwegian_reminder_fee_is_a_twentieth_and_there_are_two_at_most() -> None:
    amount, count = rule("no.fee.reminder.amount").demand, rule("no.fee.reminder.count").demand
    assert isinstance(amount, model.MaxAmount)

    assert cap_of(amount, TODAY, 0) == 37_50
    assert cap_of(amount, date(2025, 12, 31), 0) == 35_00
    assert count == model.MaxCount(2, "claim")


def test_norwegian_broadband_waits_one_month_which_is_thirty_one_days_in_places() -> None:
    one_month = waits("no.ekom.block.one_month")

    assert one_month.since == (Anchor("reminder", "sent"), Anchor("disconnect_notice", "received"))
    assert one_month.span == Span(1, Unit.MONTHS)
    assert calendar_for("NO").longest_days(Span(1, Unit.MONTHS)) == 31


def test_norwegian_broadband_is_not_slowed_down_either_and_businesses_are_covered() -> None:
    assert {"disconnect", "throttle", "contract_terminate"} <= rule("no.ekom.block.one_month").targets
    assert rule("no.ekom.block.one_month").applies.debtor == frozenset()


def test_norwegian_broadband_that_is_blocked_costs_nothing_and_leaves_the_rest_alone() -> None:
    fee, scope = rule("no.ekom.block.no_subscription_fee").demand, rule("no.ekom.block.scope").demand

    assert fee == model.MaxAmount(forbidden=True)
    assert scope == model.ForbiddenStep(only_unpaid_service=True, keep=frozenset({"emergency_calls"}))


def test_the_new_norwegian_collection_act_may_be_tried_but_binds_nobody() -> None:
    assert packaged_pack("no-inkassolov-2026").pending
    assert packaged_law().pack("no-inkassolov-2026") is None


def test_danish_power_needs_two_reminders_ten_days_apart_and_a_demand_for_security() -> None:
    reminders = needs("dk.el.reminders")

    assert (reminders.needs, reminders.count, reminders.gap) == (("reminder",), 2, Span(10, Unit.DAYS))
    assert needs("dk.el.security").needs == ("security_demand",)
    assert needs("dk.el.security.after_reminders").count == 2
    assert waits("dk.el.security.wait").span == Span(15, Unit.WORKING_DAYS)


def test_danish_power_is_ended_three_working_days_after_the_notice_which_can_be_twelve_days() -> None:
    span = waits("dk.el.termination_notice").span

    assert span == Span(3, Unit.WORKING_DAYS)
    assert calendar_for("DK").longest_days(span) == 12


@pytest.mark.parametrize(
    ("received", "ended"),
    [
        (date(2026, 3, 31), date(2026, 4, 9)),
        (date(2026, 12, 23), date(2026, 12, 31)),
        (date(2026, 9, 7), date(2026, 9, 11)),
    ],
    ids=["over Easter", "over Christmas", "in an ordinary week"],
)
def test_three_danish_working_days_are_counted_around_holidays(received: date, ended: date) -> None:
    assert earliest("dk.el.termination_notice", received) == ended


def test_the_dutch_winter_ban_is_past_and_protection_lasts_all_year() -> None:
    ban = rule("nl.energy.winter_legacy")

    assert ban.in_force(date(2023, 3, 31))
    assert not ban.in_force(date(2023, 4, 1))
    assert not ban.in_force(TODAY)
    for id_ in ("nl.energy.reminders_3", "nl.energy.personal_contact", "nl.energy.plan_offer", "nl.energy.debt_help"):
        assert rule(id_).in_force(TODAY)


def test_dutch_energy_ends_after_three_reminders_contact_a_plan_and_both_signals_in_that_order() -> None:
    reminders, contact = needs("nl.energy.reminders_3"), needs("nl.energy.personal_contact")

    assert (reminders.count, reminders.each_term) == (3, Span(14, Unit.DAYS))
    assert (contact.needs, contact.count, contact.ways) == (("contact_attempt",), 2, 2)
    assert "early_signal" in rule("nl.energy.personal_contact").targets  # contact before the first signal
    assert needs("nl.energy.plan_offer").needs == ("plan_offer",)
    assert needs("nl.energy.signal_before_end").needs == ("early_signal", "end_supply_signal")
    assert waits("nl.energy.signal_wait_4w").span == Span(4, Unit.WEEKS)


def test_no_dutch_household_with_minors_loses_its_water_and_not_knowing_protects_too() -> None:
    children = flags("nl.water.children")

    assert children.flags == ("minor_in_household",)
    assert children.unknown_blocks
    assert "ECLI:NL:GHDHA:2024:363" in rule("nl.water.children").law


def test_dutch_power_is_never_throttled_by_meter() -> None:
    assert rule("nl.energy.no_remote_throttle").demand == model.ForbiddenStep(never=True)
    assert rule("nl.energy.no_remote_throttle").targets == {"throttle"}


@pytest.mark.parametrize(
    ("principal", "cents"),
    [
        (1, 40_00),
        (266, 40_00),
        (267, 40_05),
        (2_500, 375_00),
        (5_000, 625_00),
        (10_000, 875_00),
        (200_000, 2_775_00),
        (2_000_000, 6_775_00),
    ],
)
def test_dutch_collection_cost_follows_its_table_from_forty_euro_to_6775(principal: int, cents: int) -> None:
    assert cost(principal * EURO) == cents


def test_small_dutch_instalments_cost_at_most_140_in_six_months() -> None:
    demand = rule("nl.wik.recurring_cap").demand
    assert isinstance(demand, model.MaxAmount)

    assert (demand.sum_max, demand.sum_span, demand.sum_below) == (140_00, Span(6, Unit.MONTHS), 266_67)


@pytest.mark.parametrize("country", ["dk", "nl", "se", "de"])
def test_an_open_complaint_bars_a_cut_of_power_in_the_union(country: str) -> None:
    complaint = rule(f"{country}.eu.complaint")

    assert flags(complaint.id).flags == ("complaint_open",)
    assert {"disconnect", "contract_terminate"} <= complaint.targets
    assert "electricity" in complaint.applies.service
    assert complaint.enforce in ("block", "default")


def test_german_households_owe_a_hundred_euro_and_two_instalments_or_a_sixth_before_a_cut() -> None:
    demand = rule("de.el.threshold").demand
    assert isinstance(demand, model.RequiresState)

    assert all(state.arrears_min == 100 * EURO for state in demand.any_of)
    assert demand.any_of[0].claims_min == 2
    assert demand.any_of[1].flags == {"owes_two_instalments_or_a_sixth"}


def test_a_german_cut_is_announced_eight_werktage_ahead_which_can_be_fourteen_days() -> None:
    span = waits("de.el.announce_8wt").span

    assert span == Span(8, Unit.WERKTAGE)
    assert calendar_for("DE").longest_days(span) == 14
    assert needs("de.el.announce_8wt.twice").channels == {"letter"}


def test_a_swedish_cut_needs_more_than_a_thousand_kronor_or_two_bills() -> None:
    demand = rule("se.el.essential").demand

    assert demand == model.RequiresState((model.State(arrears_min=1_000_01), model.State(claims_min=2)))


def test_a_british_winter_protects_those_of_whom_nobody_has_asked() -> None:
    winter = rule("gb.slc27.winter_absolute").demand
    assert isinstance(winter, model.ForbiddenWindow)

    assert winter.months == {10, 11, 12, 1, 2, 3}
    assert "pensioner_alone" in winter.if_flags


def test_breathing_space_stops_asking_charging_and_cutting_in_england_and_wales() -> None:
    space = rule("gb.breathing_space")

    assert {"disconnect", "reminder", "fee.any", "agency_handoff", "debtor_contact"} <= space.targets
    assert space.applies.region == {"ENG", "WLS"}
    assert not flags(space.id).unknown_blocks
