"""Planted behind a cut (I3, I9): what was so when it left makes it wrong. Each is found, and nothing else is."""

from datetime import datetime, timedelta

import pytest

from tests.audit.story import BILL, START, Copy, Left

_PAYMENT = (
    "INSERT INTO payment (partner_id, account_id, source_id, ref, amount, currency, state, value_date, received_at,"
    " confirmed_at, noted_at) SELECT %(partner)s, %(a)s, min(id), 'planted', %(sum)s, 'NOK', %(state)s, '2026-03-02',"
    " %(at)s, %(confirmed)s::timestamptz, %(at)s FROM source WHERE partner_id = %(partner)s"
)
_POSTING = (
    "INSERT INTO transfer (partner_id, account_id, claim_id, payment_id, kind, debit, credit, part, amount, currency,"
    " value_date, posted_at) SELECT c.partner_id, c.account_id, c.id, p.id, 'allocation', 'customer', 'receivable',"
    " 'principal', c.amount, 'NOK', '2026-03-02', %(at)s FROM claim c JOIN payment p ON p.ref = 'planted'"
    " WHERE c.account_id = %(a)s"
)
_FLAG = (
    "INSERT INTO flag (partner_id, name, value, account_id, starts_at, source)"
    " VALUES (%(partner)s, %(name)s, 'yes', %(a)s, %(at)s, 'planted')"
)
_HOLD = (
    "INSERT INTO hold (partner_id, account_id, case_id, claim_id, service_id, reason, starts_at, ends_at, placed_by)"
    " VALUES (%(partner)s, %(a)s, %(case)s, %(claim)s, %(service)s, %(reason)s, %(at)s, %(until)s, 'bente')"
)


@pytest.fixture
def cut(copy: Copy) -> Left:
    """The command that cut the power, lawfully so far."""
    return copy.cut_of(copy.story.dark)


def _found(cut: Left, *codes: tuple[str, str]) -> list[tuple[str, int | None, int | None, str]]:
    return [(invariant, cut.case, cut.event, code) for invariant, code in codes]


def test_everything_was_paid_an_hour_before(copy: Copy, cut: Left) -> None:
    account, at = copy.story.dark.id, cut.before(hours=1)
    copy.plant(_PAYMENT, a=account, sum=2 * BILL, state="confirmed", at=at, confirmed=at)
    copy.plant(_POSTING, a=account, at=at, rows=2)
    copy.plant("UPDATE claim SET principal = 0, state = 'settled' WHERE account_id = %(a)s", a=account, rows=2)
    copy.plant(
        "INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date,"
        " posted_at) SELECT partner_id, account_id, id, 'payment', 'settlement', 'customer', amount, currency,"
        " value_date, received_at FROM payment WHERE ref = 'planted'"
    )
    copy.plant(
        "INSERT INTO feed_pending (partner_id, topic, body, at)"
        " SELECT partner_id, 'payment.confirmed', jsonb_build_object('payment', id), received_at FROM payment"
        " WHERE ref = 'planted'"
    )

    found = copy.found()

    of_cut = [one for one in found if one[0] == "I3"]
    assert of_cut == _found(cut, ("I3", "nothing_owed"), ("I3", "belief"), ("I3", "belief"))
    assert ("I4", cut.case, cut.event, "still_blocked") in found
    assert {one[3] for one in found if one[0] == "I9"} == {"no.grid.essential"}
    assert {one[0] for one in found} == {"I3", "I4", "I9"}


def test_a_payment_was_on_its_way(copy: Copy, cut: Left) -> None:
    at = cut.before(days=1)
    copy.plant(_PAYMENT, a=copy.story.dark.id, sum=BILL, state="ordered", at=at, confirmed=None)
    copy.plant(
        "INSERT INTO feed_pending (partner_id, topic, body, at)"
        " SELECT partner_id, 'payment.ordered', jsonb_build_object('payment', id), received_at FROM payment"
        " WHERE ref = 'planted'"
    )

    assert copy.found() == _found(cut, ("I3", "in_transit"))


def test_the_customer_was_protected(copy: Copy, cut: Left) -> None:
    copy.plant(_FLAG, name="life_support", a=copy.story.dark.id, at=cut.before(days=1))

    assert copy.found() == _found(cut, ("I3", "protected"))


def test_somebody_in_danger_was_protected_by_the_law_too(copy: Copy, cut: Left) -> None:
    copy.plant(_FLAG, name="danger_life", a=copy.story.dark.id, at=cut.before(days=1))

    assert copy.found() == _found(cut, ("I3", "condition"), ("I3", "protected"), ("I9", "no.grid.danger"))


def test_a_person_of_the_household_was_protected(copy: Copy, cut: Left) -> None:
    copy.plant(
        "INSERT INTO flag (partner_id, name, value, party_id, starts_at, source)"
        " VALUES (%(partner)s, 'life_support', 'yes', %(party)s, %(at)s, 'planted')",
        party=copy.story.dark.party_id,
        at=cut.before(days=1),
    )

    assert copy.found() == _found(cut, ("I3", "protected"))


def test_nobody_had_asked_whether_the_social_services_help(copy: Copy, cut: Left) -> None:
    copy.plant(
        "DELETE FROM flag WHERE account_id = %(a)s AND name = 'social_service_written_guarantee'", a=copy.story.dark.id
    )

    assert copy.found() == _found(cut, ("I3", "condition"), ("I9", "no.grid.social_service"))


def test_the_case_was_on_hold(copy: Copy, cut: Left) -> None:
    copy.plant(_HOLD, a=copy.story.dark.id, case=cut.case, claim=None, service=None, reason="plan",
               at=cut.before(days=2), until=cut.at + timedelta(days=9))  # fmt: skip

    assert copy.found() == _found(cut, ("I3", "hold"))


def test_the_service_was_on_hold(copy: Copy, cut: Left) -> None:
    copy.plant(_HOLD, a=copy.story.dark.id, case=None, claim=None, service=cut.service, reason="medical",
               at=cut.before(days=2), until=None)  # fmt: skip

    assert copy.found() == _found(cut, ("I3", "hold"))


def test_a_hold_that_had_ended_is_no_hold(copy: Copy, cut: Left) -> None:
    copy.plant(_HOLD, a=copy.story.dark.id, case=cut.case, claim=None, service=None, reason="plan",
               at=cut.before(days=9), until=cut.before(days=2))  # fmt: skip

    assert copy.found() == []


def test_one_of_two_bills_was_disputed_so_that_too_little_was_left(copy: Copy, cut: Left) -> None:
    claim = copy.value("SELECT min(id) FROM claim WHERE account_id = %(a)s", a=copy.story.dark.id)
    copy.plant(_HOLD, a=copy.story.dark.id, case=cut.case, claim=claim, service=None, reason="dispute",
               at=cut.before(days=2), until=None)  # fmt: skip

    assert copy.found() == _found(
        cut, ("I3", "condition"), ("I3", "not_owed"), ("I9", "no.grid.essential")
    )  # fmt: skip


def test_the_notice_went_out_a_week_too_late(copy: Copy, cut: Left) -> None:
    copy.plant(
        "UPDATE sent_message SET sent_at = %(at)s WHERE case_id = %(case)s AND template = 'disconnect_notice'",
        case=cut.case, at=cut.before(days=27), rows=2,
    )  # fmt: skip

    assert copy.found() == _found(cut, ("I9", "no.grid.notice"))


def test_exactly_four_weeks_are_not_four_whole_weeks(copy: Copy, cut: Left) -> None:
    def sent(days: int) -> None:
        copy.plant(
            "UPDATE sent_message SET sent_at = %(at)s WHERE case_id = %(case)s AND template = 'disconnect_notice'",
            case=cut.case, at=cut.before(days=days), rows=2,
        )  # fmt: skip

    sent(28)
    on_the_day = copy.found()
    sent(29)
    the_day_after = copy.found()

    assert on_the_day == _found(cut, ("I9", "no.grid.notice"))
    assert the_day_after == []


def test_no_notice_ever_arrived(copy: Copy, cut: Left) -> None:
    copy.plant(
        "UPDATE sent_message SET undeliverable_at = sent_at WHERE case_id = %(case)s AND released_at < %(at)s",
        case=cut.case, at=cut.decided_at, rows=None,
    )  # fmt: skip

    assert copy.found() == _found(cut, ("I3", "unnoticed"), ("I3", "unnoticed"), ("I9", "no.grid.notice"))


@pytest.mark.parametrize(("seconds", "is_wrong"), [(3, True), (1, False)])
def test_a_credit_note_took_its_notices_back(copy: Copy, cut: Left, *, seconds: int, is_wrong: bool) -> None:
    copy.plant(
        "UPDATE step_taken SET voided_at = %(at)s WHERE case_id = %(case)s AND id <> %(step)s AND decided_at < %(at)s",
        case=cut.case, step=cut.step, at=cut.before(seconds=seconds), rows=None,
    )  # fmt: skip

    assert (("I3", "unnoticed") in {(invariant, code) for invariant, *_, code in copy.found()}) is is_wrong


def test_a_claim_joined_the_cut_without_any_notice(copy: Copy, cut: Left) -> None:
    copy.plant(
        "DELETE FROM step_claim k USING step_taken s WHERE s.id = k.step_id AND s.case_id = %(case)s"
        " AND s.id <> %(step)s AND k.claim_id = (SELECT min(id) FROM claim WHERE account_id = %(a)s)",
        case=cut.case, step=cut.step, a=copy.story.dark.id, rows=3,
    )  # fmt: skip

    assert copy.found() == _found(cut, ("I3", "unnoticed"), ("I9", "no.grid.notice"), ("I9", "no.grid.contact"))


def test_the_term_was_not_over(copy: Copy, cut: Left) -> None:
    copy.plant(
        "UPDATE step_taken SET pay_by_date = %(day)s WHERE case_id = %(case)s AND step = 'notice'",
        case=cut.case, day=cut.decided_at.date(),
    )  # fmt: skip

    assert copy.found() == _found(cut, ("I3", "term"), ("I3", "term"))


def test_the_step_before_was_completed_only_the_day_before(copy: Copy, cut: Left) -> None:
    copy.plant(
        "UPDATE step_taken SET completed_at = %(at)s, pay_by_date = NULL WHERE case_id = %(case)s AND step = 'contact'",
        case=cut.case, at=cut.before(days=1),
    )  # fmt: skip

    assert set(copy.found()) == set(_found(cut, ("I3", "term")))


def test_the_step_before_was_never_complete(copy: Copy, cut: Left) -> None:
    copy.plant("UPDATE step_taken SET completed_at = NULL WHERE case_id = %(case)s AND step = 'contact'", case=cut.case)

    assert copy.found() == _found(cut, ("I3", "unfinished"), ("I3", "unfinished"))


def test_a_step_of_the_policy_was_left_out(copy: Copy, cut: Left) -> None:
    copy.plant(
        "DELETE FROM step_claim k USING step_taken s WHERE s.id = k.step_id AND s.case_id = %(case)s"
        " AND s.step = 'contact'",
        case=cut.case, rows=2,
    )  # fmt: skip

    assert copy.found() == _found(cut, ("I3", "road"), ("I3", "road"), ("I9", "no.grid.contact"))


def test_less_was_owed_than_the_policy_begins_with(copy: Copy, cut: Left) -> None:
    copy.plant(
        "UPDATE policy_version SET text = replace(text, 'arrears: {min: 100}', 'arrears: {min: 9000}')"
        " WHERE partner_id = %(partner)s AND name = 'power-grid-no'"
    )

    assert copy.found() == _found(cut, ("I3", "too_little"))


def test_what_the_decision_knew_is_not_on_the_log(copy: Copy, cut: Left) -> None:
    copy.plant(
        "UPDATE case_event SET facts = NULL WHERE case_id = %(case)s AND number = %(event)s",
        case=cut.case, event=cut.event,
    )  # fmt: skip

    assert copy.found() == _found(cut, ("I3", "unkept"))


def test_the_step_had_been_voided(copy: Copy, cut: Left) -> None:
    copy.plant("UPDATE step_taken SET voided_at = %(at)s WHERE id = %(step)s", step=cut.step, at=cut.before(minutes=1))

    assert copy.found() == _found(cut, ("I3", "voided"))


def test_the_money_data_had_been_stale_for_days(copy: Copy, cut: Left) -> None:
    copy.plant(
        "UPDATE source SET complete_until = %(at)s WHERE partner_id = %(partner)s AND required", at=cut.before(days=3)
    )

    found = copy.found()

    assert ("I3", cut.case, cut.event, "stale") in found
    assert {(one[0], one[3]) for one in found} == {("I3", "stale")}


def test_the_decision_had_never_heard_of_the_bank(copy: Copy, cut: Left) -> None:
    copy.plant(
        "UPDATE case_event SET facts = jsonb_set(facts, '{partner,money_complete_until}', 'null')"
        " WHERE case_id = %(case)s AND number = %(event)s",
        case=cut.case, event=cut.event,
    )  # fmt: skip

    assert copy.found() == _found(cut, ("I3", "stale"))


def test_the_decision_believed_in_another_debt_than_the_ledger(copy: Copy, cut: Left) -> None:
    copy.plant(
        "UPDATE case_event SET facts = jsonb_set(facts, '{claims,0,principal}', '123456')"
        " WHERE case_id = %(case)s AND number = %(event)s",
        case=cut.case, event=cut.event,
    )  # fmt: skip

    assert copy.found() == _found(cut, ("I3", "belief"))


def test_it_left_on_a_friday_night(copy: Copy, cut: Left) -> None:
    friday = cut.at + timedelta(days=(4 - cut.at.weekday()) % 7)
    night = friday.replace(hour=22)
    copy.plant(
        "UPDATE attempt SET started_at = %(at)s, finished_at = %(at)s WHERE effect_id = %(e)s", e=cut.effect, at=night
    )
    copy.plant("UPDATE effect SET finished_at = %(at)s WHERE id = %(e)s", e=cut.effect, at=night)

    assert copy.found() == _found(cut, ("I3", "window"), ("I9", "no.grid.days"))


def test_nobody_had_said_yes(copy: Copy, cut: Left) -> None:
    copy.plant("UPDATE approval SET decided_by = ARRAY['relight'] WHERE case_id = %(case)s", case=cut.case)

    assert copy.found() == _found(cut, ("I3", "unapproved"))


def test_everything_had_been_stopped(copy: Copy, cut: Left) -> None:
    copy.plant("UPDATE partner SET stopped_at = %(at)s WHERE id = %(partner)s", at=cut.before(hours=1))

    found = copy.found()

    assert ("I3", cut.case, cut.event, "stopped") in found
    assert {(one[0], one[3]) for one in found} == {("I3", "stopped")}


def test_a_collective_contract_was_cut(copy: Copy, cut: Left) -> None:
    copy.plant("UPDATE account SET debtor = 'collective' WHERE id = %(a)s", a=copy.story.dark.id)
    copy.plant(
        "UPDATE case_event SET facts = jsonb_set(facts, '{debtor}', '\"collective\"')"
        " WHERE case_id = %(case)s AND number = %(event)s",
        case=cut.case, event=cut.event,
    )  # fmt: skip

    assert copy.found() == _found(cut, ("I9", "common.collective"))


def test_nobody_had_called(copy: Copy, cut: Left) -> None:
    copy.plant("DELETE FROM task WHERE case_id = %(case)s AND code = 'contact_attempt'", case=cut.case)

    assert copy.found() == _found(cut, ("I9", "no.grid.contact"))


def test_another_service_was_cut_than_the_unpaid_one(copy: Copy) -> None:
    cut = copy.cut_of(copy.story.back)
    copy.plant(
        "UPDATE claim_line SET service_id = %(other)s WHERE claim_id ="
        " (SELECT id FROM claim WHERE account_id = %(a)s)",
        other=copy.cut_of(copy.story.dark).service, a=copy.story.back.id,
    )  # fmt: skip

    found = copy.found()

    assert ("I9", cut.case, cut.event, "no.ekom.only_unpaid") in found
    assert {one[3] for one in found} == {"no.ekom.only_unpaid", "common.only_unpaid"}


def test_a_cut_rests_on_no_step(copy: Copy, cut: Left) -> None:
    copy.plant("UPDATE effect SET step_number = NULL WHERE id = %(e)s", e=cut.effect)

    assert copy.found() == _found(cut, ("I3", "no_step"))


def test_a_fee_came_too_early_and_was_too_high(copy: Copy) -> None:
    case = copy.case_of(copy.story.dark)
    copy.plant(
        "UPDATE policy_version SET text = replace(text,"
        " 'do: [{message: friendly_reminder, channel: best, tone: warm}]',"
        " 'do: [{message: friendly_reminder, channel: best}, {fee: reminder, amount: 40}]')"
        " WHERE partner_id = %(partner)s AND name = 'power-grid-no'"
    )
    for amount in (3500, 4000):
        copy.plant(
            "INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency,"
            " value_date, posted_at) SELECT c.partner_id, c.account_id, c.id, 'fee', 'receivable', 'fee_income',"
            " 'costs', %(amount)s, 'NOK', '2026-03-02', s.decided_at FROM claim c"
            " JOIN step_taken s ON s.case_id = %(case)s AND s.step = 'friendly'"
            " WHERE c.id = (SELECT min(id) FROM claim WHERE account_id = %(a)s)",
            case=case, a=copy.story.dark.id, amount=amount,
        )  # fmt: skip
    copy.plant(
        "UPDATE claim SET costs = 7500 WHERE id = (SELECT min(id) FROM claim WHERE account_id = %(a)s)",
        a=copy.story.dark.id,
    )
    number = copy.value("SELECT number FROM step_taken WHERE case_id = %(case)s AND step = 'friendly'", case=case)

    report = copy.report()

    assert {(one.invariant, one.case, one.event, one.code) for one in report.violations} == {
        ("I9", case, number, "no.fee.reminder")
    }
    assert "was charged on" in report.violations[0].why
    assert "is over 37.50 NOK" in report.violations[1].why


def test_the_same_moment_is_no_violation(copy: Copy, cut: Left) -> None:
    copy.plant(_HOLD, a=copy.story.dark.id, case=cut.case, claim=None, service=None, reason="plan",
               at=cut.before(seconds=1), until=None)  # fmt: skip

    assert copy.found() == []


def _comes_in(copy: Copy, cut: Left, at: datetime) -> None:
    """Money for everything that is owed, which nobody has used yet."""
    copy.plant(_PAYMENT, a=copy.story.dark.id, sum=2 * BILL, state="confirmed", at=at, confirmed=at)
    copy.plant(
        "INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date,"
        " posted_at) SELECT partner_id, account_id, id, 'payment', 'settlement', 'customer', amount, currency,"
        " value_date, received_at FROM payment WHERE ref = 'planted'"
    )
    copy.plant("UPDATE account SET credit = credit + %(sum)s WHERE id = %(a)s", a=copy.story.dark.id, sum=2 * BILL)
    copy.plant(
        "INSERT INTO feed_pending (partner_id, topic, body, at)"
        " SELECT partner_id, 'payment.confirmed', jsonb_build_object('payment', id), received_at FROM payment"
        " WHERE ref = 'planted'"
    )


def test_money_was_there_and_nobody_had_used_it(copy: Copy, cut: Left) -> None:
    _comes_in(copy, cut, cut.before(days=1))

    assert copy.found() == _found(cut, ("I3", "nothing_owed"))


def test_money_that_came_in_the_same_moment_is_for_the_next_decision(copy: Copy, cut: Left) -> None:
    _comes_in(copy, cut, cut.at)

    assert copy.found() == []


def test_only_what_is_since_is_looked_at(copy: Copy, cut: Left) -> None:
    copy.plant(_FLAG, name="life_support", a=copy.story.dark.id, at=START)

    assert copy.found(since=cut.at) == _found(cut, ("I3", "protected"))
    assert copy.found(since=cut.at + timedelta(seconds=1)) == []
