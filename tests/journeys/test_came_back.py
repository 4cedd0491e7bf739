"""A notice that comes back when the road has gone on from it: nobody is cut, and a person finds another way."""

from datetime import timedelta

from relight.flow.messages.port import Channel, Receipt, Report
from relight.flow.road.hear import Ear
from tests.flow.factories import Account
from tests.journeys.world import World


def _comes_back(world: World, account: Account, template: str) -> None:
    """All messages of that kind could not be delivered after all."""
    sent = world.rows(
        "SELECT e.key, e.channel FROM effect e WHERE e.account_id = %(a)s AND e.template = %(template)s",
        a=account.id, template=template,
    )  # fmt: skip
    ear = Ear(world.db, world.partner, lambda: world.moment)
    for key, channel in sent:
        assert ear.receipt(Receipt(Channel(channel), Report.UNDELIVERABLE, world.moment, key=key))


def test_a_closing_notice_that_comes_back_after_the_call_is_a_persons_work_and_nobody_is_cut(world: World) -> None:
    account = world.customer()
    service = world.service(account, kind="electricity_grid")
    for days in (40, 10):
        due = world.moment.date() - timedelta(days=days)
        world.invoice(account, amount=90_000, due=due, kind="electricity_grid")
    world.until_step(account, "contact")
    world.do_tasks(account, "contact_attempt")
    world.days(2)

    _comes_back(world, account, "disconnect_notice")
    world.days(60)

    assert world.tasks(account).count("cannot_reach") == 1
    assert "cut" not in world.steps(account)
    assert world.observed(service) == "full"
    assert world.audited() == []
