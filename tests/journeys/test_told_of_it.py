"""A notice stands for the sum and the service that it named: what a bill has grown by since bears no cut."""

from datetime import timedelta
from typing import Any

import pytest

from relight.flow.claims.rows import ClaimRow, LineRow
from relight.flow.road.intake import take_in_claims
from tests.flow.factories import Account
from tests.journeys.world import World

NAMED, GROWN = 50_000, 400_000


def bill(world: World, account: Account, amount: int, **more: Any) -> None:
    """An import says what the account's one bill says now."""
    row = ClaimRow(
        account_ref=account.ref, number="F1", amount=amount, currency="NOK", service_kind="broadband",
        due_date=world.value("SELECT min(due_date) FROM claim") or world.moment.date() - timedelta(days=1), **more,
    )  # fmt: skip
    with world.db.transaction(world.partner) as tx:
        assert not take_in_claims(tx, [row], run_id=None, now=world.moment).refused


def told(world: World) -> None:
    done = "SELECT 1 FROM step_taken WHERE step = 'reminder' AND completed_at IS NOT NULL"
    world.until_true(lambda: world.value(done), "the closing notice has arrived")


@pytest.mark.parametrize(
    ("first", "then"),
    [({"amount": NAMED}, {"amount": GROWN}), ({"amount": GROWN, "disputed": GROWN - NAMED}, {"amount": GROWN})],
    ids=["read_anew", "no_dispute_any_more"],
)
def test_who_paid_what_was_named_is_told_of_the_rest_first(
    world: World, first: dict[str, Any], then: dict[str, Any]
) -> None:
    world.policy("broadband-no")
    account = world.customer()
    line = world.service(account)
    bill(world, account, **first)
    told(world)
    before = len(world.messages(account))

    bill(world, account, **then)
    world.pays(account, NAMED)
    world.days(1)

    assert "step_withdrawn" in world.log(account)
    assert world.steps(account)[-1] == "friendly"
    world.until_step(account, "limit")
    world.run()
    anew = [template for template, _ in world.messages(account)][before:]
    assert anew[:5] == ["payment_received", "friendly_reminder", "reminder", "disconnect_notice", "disconnect_notice"]
    assert world.observed(line) == "walled_garden"
    assert world.audited() == []


def test_who_did_not_pay_what_was_named_is_cut_for_that_until_it_is_paid(world: World) -> None:
    world.policy("broadband-no")
    account = world.customer()
    line = world.service(account)
    bill(world, account, NAMED)
    told(world)

    bill(world, account, GROWN)
    world.until_step(account, "limit")
    world.run()

    assert world.steps(account) == ["friendly", "reminder", "limit"]
    assert world.observed(line) == "walled_garden"

    world.pays(account, NAMED)  # and then what is left was never named
    world.run()

    assert world.observed(line) == "full"


def test_a_notice_about_one_service_takes_no_other(world: World) -> None:
    world.policy("broadband-no", ("service: [broadband]", "service: [broadband, telephony]"))
    account = world.customer()
    world.service(account, ref="NET1")
    phone = world.service(account, kind="telephony", ref="TEL1")
    bill(world, account, NAMED, lines=(LineRow(NAMED, service_ref="NET1"),))
    told(world)
    world.days(20)

    bill(world, account, NAMED, lines=(LineRow(NAMED, service_ref="TEL1"),))
    world.days(1)

    assert world.steps(account)[-1] == "friendly"
    world.days(25)
    assert world.observed(phone) == "full"
