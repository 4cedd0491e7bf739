"""Two cases of one account may decide about the same service in one batch: the second on what the first has written."""

from datetime import timedelta

import pytest

from relight.core.levels import Level
from relight.flow.supply.port import Observation
from tests.flow.factories import Account
from tests.journeys.world import World

OWED = 89_900
TWO_KINDS = ("service: [broadband]", "service: [broadband, telephony]")


def cut_off(world: World, account: Account) -> None:
    world.until_asked(account)
    world.approve(account)
    world.until_step(account, "cut")
    world.run()


def in_the_garden(world: World, account: Account) -> int:
    line = world.service(account)
    world.invoice(account)
    world.until_step(account, "limit")
    world.run()
    assert world.observed(line) == "walled_garden"
    return line


def waiting_for_its_button(world: World, account: Account) -> int:
    """A meter whose customer paid once before, late: a case of hers is closed, another one just paid."""
    power = world.service(account, kind="electricity_grid")
    world.invoice(account, kind="electricity_grid", due=world.moment.date() - timedelta(days=3))
    world.days(3)
    world.pays(account, OWED)
    world.days(1)
    assert world.state(account) == "closed"
    for _ in range(2):
        world.invoice(account, kind="electricity_grid")
    world.until_step(account, "contact")
    world.do_tasks(account, "contact_attempt")
    cut_off(world, account)
    world.pays(account, 2 * OWED)
    world.run()
    assert world.observed(power) == "ready"
    return power


def test_a_meter_that_fell_back_does_not_stop_the_partners_urgent_lane(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, other = world.customer(), world.customer(ref="OTHER")
    line = in_the_garden(world, other)
    power = waiting_for_its_button(world, account)

    async def off(_: object) -> Observation:
        return Observation(Level.OFF, world.moment, "control_state")

    with monkeypatch.context() as patched:
        patched.setattr(world.machine.room.get(world.partner, "supply", "sim"), "read", off)
        world.machine.look_at_buttons()
    world.pays(other, OWED)
    world.run()

    assert world.observed(line) == "full"
    assert world.observed(power) == "ready"


def test_two_cases_that_come_to_one_line_together_hold_up_nobody(world: World) -> None:
    cap = ("max_per_7_days: 5", "max_per_7_days: 9")
    world.policy("broadband-no", cap)
    account = world.customer(ref="A", contacts={"sms": "+4790000200"})
    other = world.customer(ref="B", contacts={"sms": "+4790000201"})
    due = world.moment.date() - timedelta(days=1)
    for one in (account, other):
        world.service(one)
        world.invoice(one, due=due)
    world.policy("broadband-no", cap, TWO_KINDS)
    world.invoice(account, kind="telephony", amount=50_000, due=due)

    world.days(50)

    assert "limit" in world.steps(other)
    assert world.steps(account).count("limit") == 2


def test_who_pays_two_cases_that_both_cut_a_line_is_back(world: World) -> None:
    account = world.customer()
    line = world.service(account)
    due = world.moment.date() - timedelta(days=1)
    world.invoice(account, due=due)
    world.run()
    world.policy("broadband-no", TWO_KINDS)
    world.invoice(account, kind="telephony", amount=50_000, due=due)
    world.until_true(lambda: world.approve(account) or world.steps(account).count("cut") == 2, "both cut")
    world.run()
    assert world.observed(line) == "off"

    owed = world.value("SELECT sum(principal + costs) FROM claim WHERE account_id = %(a)s", a=account.id)
    world.pays(account, int(owed))
    world.days(2)

    assert world.observed(line) == "full"
    assert world.value("SELECT count(*) FROM dunning_case WHERE state <> 'closed'") == 0
    assert world.audited() == []
