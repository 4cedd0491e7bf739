"""What keeps a cut away: a hold, a disputed invoice, a profile, a bank that has not spoken, a claim that came later."""

from datetime import timedelta

import pytest

from tests.journeys.street import OWED, Street

pytestmark = pytest.mark.counterpart


def test_a_hold_begins_while_a_cut_waits_for_its_approval(street: Street) -> None:
    home = street.move_in(power=True)
    street.owes(home)
    street.until_power_asks(home)

    ended = street.moment + timedelta(days=10)
    street.hold(home.account, "complaint", ends_at=ended)
    street.approve(home.account)
    street.days(9)
    during, told = street.actions(home), [template for template, _ in street.messages(home.account)]
    street.until_step(home.account, "cut")
    street.run()

    assert during == []
    assert "disconnected" not in told
    assert "guard.hold" in street.codes(home.account)
    assert street.actions(home) == ["remote_disconnect"]
    assert street.value("SELECT decided_at FROM step_taken WHERE step = 'cut'") >= ended


@pytest.mark.parametrize("reason", ["complaint", "debt_help"])
def test_a_hold_begins_when_an_approved_cut_is_decided_and_has_not_left(street: Street, reason: str) -> None:
    home = street.move_in(power=True)
    street.owes(home)
    street.until_power_asks(home)
    street.approve(home.account)
    street.decide()

    street.hold(home.account, reason)
    street.days(30)

    assert street.actions(home) == []
    assert street.breaker(home) == "connected"
    assert "disconnected" not in [template for template, _ in street.messages(home.account)]
    assert "cut" not in street.steps(home.account)


def test_a_disputed_invoice_is_left_out_and_the_rest_is_followed_up(street: Street) -> None:
    home = street.move_in(broadband=True)
    fine = street.invoice(home.account, amount=40000)
    disputed = street.invoice(home.account, amount=OWED)
    street.hold(home.account, "dispute", claim_id=disputed)

    street.limit_broadband(home, owing=False)
    limited = street.log_in(home)["Filter-Id"]
    street.pays(home.account, 40000)
    street.run()

    assert {row[0] for row in street.rows("SELECT claim_id FROM step_claim")} == {fine}
    assert all("400,00 kr" in text for text in street.sms(home)[:-2])
    assert limited == "walled-garden"
    assert street.has_internet(home)


def test_a_parents_notice_covers_all_overdue_invoices_in_one_message(street: Street) -> None:
    parent = street.move_in(broadband=True)
    claims = {street.invoice(parent.account, amount=amount) for amount in (19900, 29900, 39900)}

    street.until_step(parent.account, "reminder")
    street.days(1)

    reminder = street.rows("SELECT c.claim_id FROM step_claim c JOIN step_taken s ON s.id = c.step_id"
                           " WHERE s.step = 'reminder'")  # fmt: skip
    assert {row[0] for row in reminder} == claims
    assert [template for template, channel in street.messages(parent.account) if channel == "sms"] == [
        "friendly_reminder",
        "reminder",
        "disconnect_notice",
    ]
    assert all("897,00 kr" in text for text in street.sms(parent))
    assert len(street.mails(parent, 1)) == 1


def test_a_claim_that_joins_later_inherits_no_step(street: Street) -> None:
    home = street.move_in(broadband=True)
    first = street.invoice(home.account, amount=OWED)
    street.until_step(home.account, "reminder")
    second = street.invoice(home.account, amount=OWED, due=street.moment.date() - timedelta(days=1))

    street.until_step(home.account, "limit")
    street.run()

    covered = street.rows(
        "SELECT s.step, c.claim_id FROM step_claim c JOIN step_taken s ON s.id = c.step_id ORDER BY c.id"
    )
    assert [step for step, claim in covered if claim == first] == ["friendly", "reminder", "limit"]
    assert [step for step, claim in covered if claim == second] == ["friendly", "reminder"]


def test_a_very_important_customer_is_asked_and_never_limited(street: Street) -> None:
    home = street.move_in(broadband=True, profile="vip")
    street.owes(home)

    street.days(90)

    assert street.steps(home.account) == ["friendly", "reminder"]
    assert street.heard(home) == []
    assert street.has_internet(home)


def test_a_profile_skips_the_middle_and_keeps_the_notices_whole_term(street: Street) -> None:
    street.policy("broadband-no", ("vip: {skip: [limit, cut], tone: warm}", "vip: {skip: [limit], tone: warm}"))
    home = street.move_in(broadband=True, profile="vip")
    street.owes(home)

    street.until_asked(home.account)
    street.approve(home.account)
    street.until_step(home.account, "cut")
    street.run()

    pay_by, decided = street.rows("SELECT max(pay_by_date), max(decided_at) FROM step_taken")[0]
    assert street.steps(home.account) == ["friendly", "reminder", "cut"]
    assert street.log_in(home)["code"] == "Access-Reject"
    assert decided.date() > pay_by


def test_the_bank_has_not_been_heard_of_for_three_days(street: Street) -> None:
    fee = ("- {message: reminder,", "- {fee: reminder, amount: 35}\n      - {message: reminder,")
    street.policy("broadband-no", ("reminder:\n    after: 4 days", "reminder:\n    after: 2 weeks"), fee)
    dark, asked = street.move_in(power=True), street.move_in(power=True)
    late, forgetful = street.move_in(broadband=True), street.move_in(broadband=True)
    street.cut_power(dark)
    street.owes(asked)
    street.until_power_asks(asked)
    street.owes(late, due=street.moment.date() - timedelta(days=1))
    street.until_step(late.account, "friendly")
    street.days(12)
    street.until_clock(20)
    street.approve(asked.account)
    street.owes(forgetful, due=street.moment.date() - timedelta(days=1))

    street.bank_is_told = False
    street.bank_was_heard(street.moment - timedelta(days=3))
    street.days(6)
    silent = street.actions(asked), street.steps(late.account), street.debt(late), street.sms(forgetful)
    street.pays(dark.account, 2 * OWED)
    street.run()
    restored = street.breaker(dark), street.sms(dark)[-2:]
    street.bank_is_told = True
    street.days(7)

    assert silent == ([], ["friendly"], OWED, [])
    assert restored[0] == "ready_for_reconnection"
    assert [text.partition("!")[0] for text in restored[1]] == ["Takk", "Strømmen er klar"]
    assert street.actions(asked) == ["remote_disconnect"]
    assert (street.steps(late.account), street.debt(late)) == (["friendly", "reminder"], OWED + 3500)
    assert street.steps(forgetful.account) == ["friendly"]
