"""A driver that fails rests, and everything else goes on: other channels, and restores always."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from relight.flow.effects import rests
from relight.flow.effects.rests import FAILURES_MAX, IN_FLIGHT_MAX, LONGEST_REST
from tests.flow.factories import Account
from tests.journeys.world import SIMULATED, World

OWED = 89_900
BY_SMS, BY_MAIL = {"sms": "+4790000001"}, {"email": "kari@kunde.example"}
MORE = FAILURES_MAX + 4


def owing(world: World, contacts: dict[str, str]) -> Account:
    account = world.customer(contacts=contacts)
    world.service(account)
    world.invoice(account, amount=OWED)
    return account


def drivers(world: World, **messages: Any) -> None:
    """The partner's message drivers from now on."""
    told = {**SIMULATED, "messages": {**SIMULATED["messages"], **messages}}
    world.owner.execute("UPDATE partner SET driver_settings = %s WHERE id = %s", (Jsonb(told), world.partner))


def state(world: World) -> list[tuple[str, str, str]]:
    with world.db.transaction(world.partner) as tx:
        return [(one.kind, one.name, one.state) for one in rests.states(tx)]


def attempts(world: World, channel: str) -> int:
    return world.value("SELECT count(*) FROM attempt WHERE driver = %(channel)s", channel=channel)


@pytest.fixture
def failing(world: World) -> list[Account]:
    """Reminders by SMS are due to many, and one by e-mail to the last; the driver for SMS is not there."""
    accounts = [owing(world, BY_SMS) for _ in range(MORE)] + [owing(world, BY_MAIL)]
    drivers(world, sms={"driver": "taken away"})
    world.until_step(accounts[-1], "friendly")
    world.moment = world.value("SELECT max(due_at) FROM effect WHERE state = 'pending'")
    world.run()
    return accounts


def test_a_driver_that_fails_rests_and_is_tried_by_one_message_at_a_time(world: World, failing: list[Account]) -> None:
    before = state(world), attempts(world, "sms")
    until = world.value("SELECT rest_until FROM driver_rest")

    world.until(world.moment + timedelta(minutes=5))
    world.run()
    after = state(world), attempts(world, "sms")
    longer = world.value("SELECT rest_until FROM driver_rest") - world.moment

    assert before == ([("message", "sms", "resting")], MORE)
    assert until <= world.moment
    assert after == ([("message", "sms", "resting")], MORE + 1)
    assert rests.FIRST_REST < longer <= LONGEST_REST
    assert world.messages(failing[-1]) == [("friendly_reminder", "email")]


def test_when_it_works_again_everything_leaves_once(world: World, failing: list[Account]) -> None:
    drivers(world)

    for _ in range(3):
        world.until(world.moment + timedelta(minutes=10))

    assert state(world) == []
    assert [world.messages(account) for account in failing[:-1]] == [[("friendly_reminder", "sms")]] * MORE


def test_a_restore_goes_to_a_resting_driver_and_ends_its_rest(world: World) -> None:
    account = world.customer()
    service = world.service(account)
    world.invoice(account, amount=OWED)
    world.until_step(account, "limit")
    world.run()
    limited = world.observed(service)
    _rests(world.owner, world, "supply", "sim")

    world.pays(account, OWED)
    world.run()

    assert limited == "walled_garden"
    assert world.observed(service) == "full"
    assert state(world) == []


def _rests(owner: psycopg.Connection, world: World, kind: str, name: str) -> None:
    until = world.moment + LONGEST_REST
    owner.execute(
        "INSERT INTO driver_rest (partner_id, kind, name, state, failures, rests, rest_until, since)"
        " VALUES (%s, %s, %s, 'resting', %s, 9, %s, %s)",
        (world.partner, kind, name, FAILURES_MAX, until, world.moment),
    )


def test_a_channel_that_is_full_keeps_no_other_waiting(world: World) -> None:
    by_sms, by_mail = owing(world, BY_SMS), owing(world, BY_MAIL)
    for account in (by_sms, by_mail):
        while "friendly" not in world.steps(account):
            world.moment = max(world.moment, world.next_due() or world.moment)
            world.bank_was_heard(world.moment)
            world.decide()
    load = {("message", "sms"): IN_FLIGHT_MAX}
    due = world.value("SELECT max(due_at) FROM effect WHERE state = 'pending'")

    _, jobs = world.machine.releaser.release(world.partner, "bulk", max(due, world.moment), load=load)
    _, rest = world.machine.releaser.release(world.partner, "bulk", max(due, world.moment))

    assert [job.driver for job in jobs] == ["email"]
    assert [job.driver for job in rest] == ["sms"]
    world.act([*jobs, *rest])


def test_cuts_wait_for_a_supply_driver_that_rests_and_one_tries_it_again(world: World) -> None:
    accounts = [world.customer() for _ in range(3)]
    services = [world.service(account) for account in accounts]
    for account in accounts:
        world.invoice(account, amount=OWED)
    for account in accounts:
        while "limit" not in world.steps(account):
            world.moment = max(world.moment, world.next_due() or world.moment)
            if "limit" in (world.decide(), *world.steps(account)):
                break
            world.run()
    _rests(world.owner, world, "supply", "sim")

    world.run()
    meanwhile = [world.commands(service) for service in services]
    _, jobs = world.machine.releaser.release(world.partner, "bulk", world.moment + LONGEST_REST)
    world.act(jobs)
    world.run()

    assert meanwhile == [[("walled_garden", "pending")]] * 3
    assert len([job for job in jobs if job.target]) == 1
    assert [world.observed(service) for service in services] == ["walled_garden"] * 3
