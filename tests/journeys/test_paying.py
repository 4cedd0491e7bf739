"""Paying, early, late, in part, twice and by night: who has paid is never cut, and who is cut gets it back at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from relight.drivers.testpay import TestProvider
from relight.flow.payments.operations import attach, link_for, record_notices, start_checkout
from relight.flow.payments.port import Order
from tests.journeys.street import OWED, Home, Street

pytestmark = pytest.mark.counterpart


def test_pays_an_hour_before_the_line_is_limited(street: Street) -> None:
    home = street.move_in(broadband=True)
    street.owes(home)
    street.an_hour_before(home, "limit")

    street.pays(home.account, OWED)
    street.days(14)

    assert street.heard(home) == []
    assert street.has_internet(home)
    assert street.sms(home)[-1] == "Takk! Nordlys har mottatt 899,00 kr. Alt er betalt."
    assert street.state(home.account) == "closed"


def test_pays_an_hour_before_the_power_is_cut(street: Street) -> None:
    home = street.move_in(power=True)
    street.owes(home)
    street.until_power_asks(home)
    street.until_clock(20)
    street.approve(home.account)
    street.an_hour_before(home, "cut")

    street.pays(home.account, 2 * OWED)
    street.days(14)

    assert street.actions(home) == []
    assert "disconnected" not in [template for template, _ in street.messages(home.account)]
    assert street.state(home.account) == "closed"


def test_pays_when_the_cut_is_decided_and_has_not_left(street: Street) -> None:
    home = street.move_in(power=True)
    street.owes(home)
    street.until_power_asks(home)
    street.approve(home.account)
    street.decide()

    street.pays(home.account, 2 * OWED)
    street.run()

    assert street.actions(home) == []
    assert street.commands(home.power) == [("off", "cancelled")]
    assert "disconnected" not in [template for template, _ in street.messages(home.account)]
    assert street.steps(home.account)[-1] == "restore"
    assert street.state(home.account) == "closed"


def test_pays_between_release_and_the_meters_answer(street: Street) -> None:
    home = street.move_in(power=True)
    assert home.meter is not None
    street.patient()
    street.machine.close()
    street.machine = street.another_machine()
    street.owes(home)
    street.until_power_asks(home)
    street.approve(home.account)
    street.decide()
    cut = street.release()
    home.meter.answer_late_once(8)
    worker = threading.Thread(target=street.act, args=(cut,))

    worker.start()
    deadline = time.monotonic() + 10
    while not street.actions(home):
        assert time.monotonic() < deadline, "the cut never reached the meter"
    street.pays(home.account, 2 * OWED)
    with street.another_machine() as other:
        other.run()
    meanwhile = street.actions(home), worker.is_alive()
    worker.join()
    street.until(street.moment + timedelta(minutes=2))

    assert meanwhile == (["remote_disconnect"], True)
    assert street.actions(home) == ["remote_disconnect", "remote_reconnect"]
    assert street.breaker(home) == "ready_for_reconnection"
    assert [template for template, _ in street.messages(home.account)][-2:] == ["payment_received", "press_button"]
    assert "disconnected" not in [template for template, _ in street.messages(home.account)]


def test_pays_at_three_on_a_sunday_night_and_has_everything_back_at_once(street: Street) -> None:
    home = street.move_in(broadband=True, power=True)
    street.cut_all(home)
    street.until_clock(3, weekday=6)
    night = street.moment
    told = len(street.sms(home))
    dark = (street.log_in(home)["code"], street.breaker(home))

    street.pays_everything(home)
    street.run()
    at_once = street.sms(home)[told:]
    street.presses_button(home)

    assert dark == ("Access-Reject", "disconnected")
    assert street.has_internet(home)
    assert street.breaker(home) == "connected"
    assert [text.partition(".")[0].partition("!")[0] for text in at_once] == [
        "Takk",
        "Bredbåndet er tilbake",
        "Strømmen er klar",
    ]
    assert street.sms(home)[-1].startswith("Strømmen er tilbake.")
    assert street.moment == night


def test_all_that_was_noticed_is_paid_and_a_newer_invoice_is_overdue(street: Street) -> None:
    home = street.move_in(power=True)
    street.owes(home)
    street.until_step(home.account, "contact")
    street.owes(home, due=street.moment.date())
    street.do_tasks(home.account, "contact_attempt")
    street.until_asked(home.account)
    street.until_clock(20)
    street.approve(home.account)

    street.pays(home.account, 2 * OWED)
    street.days(7)

    assert street.debt(home) == 2 * OWED
    assert street.actions(home) == []
    assert "cut" not in street.steps(home.account)
    assert street.steps(home.account) == ["friendly", "notice", "contact", "friendly", "notice"]
    assert street.state(home.account) == "active"


def test_pays_half_before_the_cut_and_too_little_is_left_for_one(street: Street) -> None:
    home = street.move_in(power=True)
    street.owes(home)
    street.until_power_asks(home)
    street.until_clock(20)
    street.approve(home.account)

    street.pays(home.account, OWED)
    street.days(14)

    assert street.actions(home) == []
    assert "cut" not in street.steps(home.account)
    assert "condition.arrears" in street.codes(home.account)
    assert "Det gjenstår 899,00 kr" in street.sms(home)[-1]


def test_pays_a_little_before_the_cut_and_what_is_left_still_meets_the_policy(street: Street) -> None:
    home = street.move_in(power=True)
    street.owes(home)
    street.until_power_asks(home)
    street.until_clock(20)
    street.approve(home.account)

    street.pays(home.account, 30000)
    street.until_step(home.account, "cut")
    street.run()

    assert street.breaker(home) == "disconnected"
    assert "1 498,00 kr" in street.sms(home)[-1].replace("\xa0", " ")


def test_pays_half_after_the_cut_and_the_rest_later(street: Street) -> None:
    home = street.move_in(broadband=True)
    street.cut_broadband(home)

    street.pays(home.account, 40000)
    street.days(1)
    after_half = street.log_in(home)["code"]
    told = street.sms(home)[-1]
    street.pays(home.account, OWED - 40000)
    street.run()

    assert after_half == "Access-Reject"
    assert "har mottatt 400,00 kr. Det gjenstår 499,00 kr" in told
    assert street.has_internet(home)
    assert street.steps(home.account).count("restore") == 1


def test_pays_twice(street: Street) -> None:
    home = street.move_in(broadband=True)
    street.cut_broadband(home)

    street.pays(home.account, OWED)
    street.run()
    street.pays(home.account, OWED)
    street.run()

    assert street.value("SELECT credit FROM account WHERE id = %(a)s", a=home.account.id) == OWED
    assert street.tasks(home.account) == ["overpaid"]
    assert [template for template, _ in street.messages(home.account)].count("payment_received") == 2
    assert [level for level, state in street.commands(home.broadband) if state == "done"].count("full") == 1
    assert street.has_internet(home)


def test_a_webhook_comes_five_times_at_once_and_an_older_one_after_it(street: Street, tmp_path: Path) -> None:
    home = street.move_in(broadband=True)
    street.cut_broadband(home)
    provider = TestProvider({"secret": "whsec", "folder": str(tmp_path / "pay")}, clock=lambda: street.moment)
    ref = _checks_out(street, home, provider)
    declined = provider.webhook_of(provider.finish(ref, "decline"))
    paid = provider.webhook_of(provider.finish(ref, "pay"))

    def arrives(webhook: tuple[dict[str, str], bytes]) -> None:
        events = provider.parse_webhook(*webhook, street.moment)
        with street.db.transaction(street.partner) as tx:
            record_notices(tx, provider_name=provider.name, events=events, now=street.moment)

    with ThreadPoolExecutor(5) as network:
        list(network.map(arrives, [paid] * 5))
    street.run()
    arrives(declined)
    arrives(paid)
    street.run()

    assert street.rows("SELECT state, amount FROM payment") == [("confirmed", OWED)]
    assert street.value("SELECT state FROM checkout") == "paid"
    assert street.value("SELECT credit FROM account WHERE id = %(a)s", a=home.account.id) == 0
    assert [template for template, _ in street.messages(home.account)][-2:] == ["payment_received", "restored"]
    assert [template for template, _ in street.messages(home.account)].count("payment_received") == 1
    assert [level for level, _ in street.commands(home.broadband)].count("full") == 1
    assert street.has_internet(home)
    assert street.tasks(home.account) == []


def _checks_out(street: Street, home: Home, provider: TestProvider) -> str:
    """The household follows its link and stands on the provider's page; the payment's name there."""
    with street.db.transaction(street.partner) as tx:
        case_id = tx.value("SELECT id FROM dunning_case WHERE account_id = %(a)s", {"a": home.account.id})
        link = link_for(tx, case_id, home.account.id, street.moment)
        started = start_checkout(
            tx, link_id=link, provider=provider.name, amount=OWED, currency="NOK", now=street.moment
        )
        order = Order(started.key, OWED, "NOK", "Nordlys", home.account.ref, "https://betal.nordlys.example/p/x/status")
        ref = provider.create(order).provider_ref
        attach(tx, checkout_id=started.checkout_id, provider_ref=ref, now=street.moment)
    return ref
