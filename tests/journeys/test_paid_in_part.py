"""Paid in part: each rule of restoring gives light back at its own sum, not an øre before; and money that went back."""

from dataclasses import replace

from relight.flow.claims import fees
from relight.flow.payments.operations import attach, link_for, record_notices, start_checkout
from relight.flow.payments.port import PaymentState, ProviderEvent
from tests.flow.factories import Account
from tests.journeys.world import World

OLD, NEW, FEE = 50000, 40000, 3500
RULE = ("restore_when: zero", "restore_when: {}")


def limited(world: World, rule: str, *, fee: int = 0) -> tuple[Account, int]:
    """A customer with two overdue bills, a month apart, whose broadband is limited under a policy with that rule."""
    if rule != "zero":
        world.policy("broadband-no", (RULE[0], RULE[1].format(rule)))
    account = world.customer()
    service = world.service(account)
    world.invoice(account, amount=OLD)
    world.days(10)
    world.invoice(account, amount=NEW)
    world.until_step(account, "limit")
    world.run()
    assert world.observed(service) == "walled_garden"
    if fee:
        with world.db.transaction(world.partner) as tx:
            claim = tx.value("SELECT max(id) FROM claim WHERE account_id = %(a)s", {"a": account.id})
            fees.post(tx, [(claim, fee)], world.moment)
    return account, service


def test_zero_asks_for_the_last_ore(world: World) -> None:
    account, service = limited(world, "zero")

    world.pays(account, OLD + NEW - 1, ref="most")
    world.run()
    before = world.observed(service)
    world.pays(account, 1, ref="rest")
    world.run()

    assert (before, world.observed(service)) == ("walled_garden", "full")


def test_past_due_lets_fees_wait_but_no_bill(world: World) -> None:
    account, service = limited(world, "past_due", fee=FEE)

    world.pays(account, OLD + NEW - 1, ref="most")
    world.run()
    before = world.observed(service)
    world.pays(account, 1, ref="rest")
    world.run()

    assert (before, world.observed(service)) == ("walled_garden", "full")
    assert world.value("SELECT sum(costs)::bigint FROM claim WHERE account_id = %(a)s", a=account.id) == FEE


def test_latest_claim_lets_the_newest_bill_wait(world: World) -> None:
    account, service = limited(world, "latest_claim")

    world.pays(account, OLD - 1, ref="most")
    world.run()
    before = world.observed(service)
    world.pays(account, 1, ref="rest")
    world.run()

    assert (before, world.observed(service)) == ("walled_garden", "full")
    assert world.value("SELECT sum(principal)::bigint FROM claim WHERE account_id = %(a)s", a=account.id) == NEW


def test_a_chargeback_is_followed_up_from_the_start_and_nothing_is_cut_at_once(world: World) -> None:
    account, service = limited(world, "zero")
    world.pays(account, NEW, ref="bank")
    paid = pays_by_card(world, account, OLD)
    world.run()
    restored, closed = world.observed(service), world.state(account)

    tell(world, replace(paid, event_id="chargeback", state=PaymentState.RETURNED))
    world.days(3)
    soon = world.observed(service)
    world.until_true(lambda: world.observed(service) == "walled_garden", "limited again")

    assert (restored, closed, soon) == ("full", "closed", "full")
    told = [template for template, _ in world.messages(account)]
    again = told[told.index("restored") + 1 :]
    assert again.index("friendly_reminder") < again.index("disconnect_notice") < again.index("service_limited")


def pays_by_card(world: World, account: Account, amount: int) -> ProviderEvent:
    """The customer pays on a provider's page, and the provider tells."""
    order = {"amount": amount, "currency": "NOK", "now": world.moment}
    with world.db.transaction(world.partner) as tx:
        case = tx.value("SELECT max(id) FROM dunning_case WHERE account_id = %(a)s", {"a": account.id})
        link = link_for(tx, case, account.id, world.moment)
        started = start_checkout(tx, link_id=link, provider="cards", **order)  # type: ignore[arg-type]
        attach(tx, checkout_id=started.checkout_id, provider_ref="rl-journey-1", now=world.moment)
    paid = ProviderEvent("paid", "rl-journey-1", PaymentState.CONFIRMED, amount, "NOK", world.moment)
    tell(world, paid)
    return paid


def tell(world: World, event: ProviderEvent) -> None:
    with world.db.transaction(world.partner) as tx:
        record_notices(tx, provider_name="cards", events=[event], now=world.moment)
