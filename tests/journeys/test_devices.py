"""Meters and access servers that do not answer, answer late, say no, or are not the right ones."""

from datetime import timedelta

import pytest

from relight.flow.road.act import act, end_of
from relight.flow.road.ends import finish
from relight.flow.road.release import LEASE
from tests.journeys.processes import wait_for
from tests.journeys.street import OWED, Street

pytestmark = pytest.mark.counterpart

PROHIBITED = 501  # RFC 5176, 3.5: administratively prohibited


def test_the_meter_does_not_answer_for_two_minutes_when_the_customer_has_paid(street: Street) -> None:
    home = street.move_in(power=True)
    assert home.meter is not None
    street.cut_power(home)
    home.meter.mute(600)

    street.pays(home.account, 2 * OWED)
    street.until(street.moment + timedelta(minutes=2))
    meanwhile, alarms = street.breaker(home), street.tasks(home.account)
    home.meter.mute(0)
    street.until(street.moment + timedelta(minutes=1))

    assert meanwhile == "disconnected"
    assert alarms == ["not_restored"]
    assert street.tasks(home.account) == [], "the alarm ends when the restore has come"
    assert street.breaker(home) == "ready_for_reconnection"
    assert street.actions(home) == ["remote_disconnect", "remote_reconnect"]
    assert "Strømmen er klar!" in street.sms(home)[-1]


def test_the_meter_is_out_of_reach_when_it_is_to_be_cut_and_the_customer_pays_meanwhile(street: Street) -> None:
    home = street.move_in(power=True)
    assert home.meter is not None
    street.owes(home)
    street.until_power_asks(home)
    street.approve(home.account)
    home.meter.mute(600)

    street.run()
    street.pays(home.account, 2 * OWED)
    home.meter.mute(0)
    street.until(street.moment + timedelta(hours=1))

    assert street.actions(home) == []
    assert street.breaker(home) == "connected"
    assert street.observed(home.power) == "full"
    assert "disconnected" not in [template for template, _ in street.messages(home.account)]
    assert street.state(home.account) == "closed"


def test_the_meter_cuts_without_a_word_and_the_customer_pays_before_the_command_is_repeated(street: Street) -> None:
    home = street.move_in(power=True)
    assert home.meter is not None
    meter = home.meter
    street.owes(home)
    street.until_power_asks(home)
    street.approve(home.account)
    home.meter.answer_late_once(2)

    street.run()
    dark = street.breaker(home)
    street.pays(home.account, 2 * OWED)
    wait_for(lambda: not meter.state()["open"], "the meter hangs up")
    street.until(street.moment + timedelta(hours=1))

    assert dark == "disconnected"
    assert street.actions(home) == ["remote_disconnect", "remote_reconnect"]
    assert street.breaker(home) == "ready_for_reconnection"
    assert "Strømmen er klar!" in street.sms(home)[-1]


def test_the_meter_carries_out_the_cut_when_the_customer_has_already_paid(street: Street) -> None:
    home = street.move_in(power=True)
    assert home.meter is not None
    street.owes(home)
    street.until_power_asks(home)
    street.approve(home.account)
    home.meter.act_late_once(1.5)

    street.run()
    street.pays(home.account, 2 * OWED)
    street.until(street.moment + timedelta(minutes=5))

    assert street.actions(home) == ["remote_disconnect", "remote_reconnect"]
    assert street.breaker(home) == "ready_for_reconnection"


def test_the_answer_to_an_older_command_comes_after_the_newer_one(street: Street) -> None:
    home = street.move_in(power=True)
    street.owes(home)
    street.until_power_asks(home)
    street.approve(home.account)
    street.decide()
    (cut,) = street.release()
    outcome, repeat = street.machine._loop.run(act(street.machine.room, cut))
    street.moment += LEASE + timedelta(seconds=1)
    street.machine.find_lost()
    street.pays(home.account, 2 * OWED)
    street.run()
    restored = street.breaker(home)

    finish(street.db, cut.partner_id, [end_of(cut, outcome, repeat)], street.moment)
    believed = street.observed(home.power)
    street.run()

    assert outcome.facts["observed"] == "off"
    assert restored == "ready_for_reconnection"
    assert believed == ""
    assert street.observed(home.power) == "ready"
    assert street.breaker(home) == "ready_for_reconnection"
    assert street.actions(home) == ["remote_disconnect", "remote_reconnect"]


def test_another_meter_hangs_at_the_access_point(street: Street) -> None:
    home = street.move_in(power=True)
    assert home.meter is not None
    street.owes(home)
    street.until_power_asks(home)
    street.approve(home.account)
    home.meter.change_serial("6970631400009999")

    street.run()
    street.days(14)

    assert street.actions(home) == []
    assert street.breaker(home) == "connected"
    assert street.commands(home.power) == [("off", "given_up")]
    assert street.tasks(home.account) == ["given_up"]
    assert "disconnected" not in [template for template, _ in street.messages(home.account)]


def test_the_meter_never_shows_that_it_has_cut_and_a_person_has_to_look(street: Street) -> None:
    home = street.move_in(power=True)
    assert home.meter is not None
    street.owes(home)
    street.until_power_asks(home)
    street.approve(home.account)
    home.meter.slow_relay(600)

    street.run()
    street.days(3)
    given_up = street.commands(home.power), street.tasks(home.account), street.observed(home.power)
    home.meter.slow_relay(0)
    street.pays(home.account, 2 * OWED)
    street.run()

    assert given_up == ([("off", "given_up")], ["given_up"], "")
    assert "disconnected" not in [template for template, _ in street.messages(home.account)]
    assert street.commands(home.power)[-1] == ("full", "done")
    assert street.breaker(home) == "connected"
    assert street.state(home.account) == "closed"


def test_the_access_server_refuses_to_limit_a_line(street: Street) -> None:
    home = street.move_in(broadband=True)
    street.owes(home)
    street.until_step(home.account, "reminder")
    street.town.radius.nak_next(PROHIBITED)

    street.until_step(home.account, "limit")
    street.days(3)

    assert street.town.radius.heard(home.username) == [("CoA-Request", str(PROHIBITED))]
    assert street.has_internet(home)
    assert street.commands(home.broadband) == [("walled_garden", "given_up")]
    assert street.tasks(home.account) == ["given_up"]
    assert "service_limited" not in [template for template, _ in street.messages(home.account)]


def test_the_access_server_refuses_to_restore_until_a_person_has_been_alarmed(street: Street) -> None:
    home = street.move_in(broadband=True)
    street.limit_broadband(home)
    street.town.radius.nak_next(PROHIBITED, times=4)

    street.pays(home.account, OWED)
    street.run()
    at_first, told = street.town.radius.enforced(home.username), street.sms(home)[-1]
    street.until(street.moment + timedelta(minutes=5))

    assert at_first is not None
    assert at_first["Filter-Id"] == "walled-garden"
    assert told.startswith("Takk!")
    assert street.tasks(home.account, "done") == ["not_restored"]
    assert street.town.radius.enforced(home.username)["Filter-Id"] == "fiber-100"
    assert street.sms(home)[-1].startswith("Bredbåndet er tilbake.")


def test_a_line_that_is_closed_for_safety_as_well_stays_closed(street: Street) -> None:
    home = street.move_in(broadband=True)
    street.cut_broadband(home)
    with street.db.transaction(street.partner) as tx:
        tx.run(
            "INSERT INTO block (partner_id, service_id, reason, level, starts_at, source)"
            " VALUES (%(p)s, %(s)s, 'safety', 'off', %(now)s, 'test')",
            {"p": street.partner, "s": home.broadband, "now": street.moment},
        )

    street.pays(home.account, OWED)
    street.days(3)

    assert street.log_in(home)["code"] == "Access-Reject"
    assert "stays_blocked" in street.log(home.account)
    assert [template for template, _ in street.messages(home.account)][-1] == "payment_received"
    assert street.rows("SELECT reason FROM block WHERE ends_at IS NULL") == [("safety",)]
