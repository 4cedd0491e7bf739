"""Nobody is cut by rules for others, or for somebody who has moved out."""

from datetime import timedelta

from relight.flow.claims.rows import ClaimRow, Customer
from relight.flow.road.intake import take_in_claims
from tests.flow.factories import Account
from tests.journeys.world import World


def says(
    world: World, account: Account, number: str, *, due: int, kind: str, customer: Customer, ref: str = ""
) -> None:
    """An import of one bill that tells of its customer too; `due` in days from now."""
    row = ClaimRow(
        account_ref=account.ref, number=number, amount=50_000, currency="NOK", service_kind=kind, service_ref=ref,
        due_date=world.moment.date() + timedelta(days=due), customers=(customer,),
    )  # fmt: skip
    with world.db.transaction(world.partner) as tx:
        assert not take_in_claims(tx, [row], run_id=None, now=world.moment).refused


def test_a_consumer_is_not_cut_by_the_rules_for_businesses(world: World) -> None:
    world.policy("power-grid-business-no")
    account = world.customer(debtor="business")
    home = world.service(account, kind="electricity_grid")
    world.invoice(account, amount=500_000, kind="electricity_grid", due=world.moment.date() - timedelta(days=1))
    world.until_step(account, "notice")

    consumer = Customer(account.ref, debtor="consumer")
    says(world, account, "F-later", due=200, kind="electricity_grid", customer=consumer)
    world.until_step(account, "call")
    world.do_tasks(account, "contact_attempt")
    world.days(30)

    assert world.value("SELECT waits_for FROM dunning_case WHERE account_id = %(a)s", a=account.id).startswith("guard.")
    assert "guard.other_debtor" in world.value(
        "SELECT waits_for FROM dunning_case WHERE account_id = %(a)s", a=account.id
    )
    assert world.commands(home) == []


def home_at(account: Account, meter: str, line: str) -> Customer:
    return Customer(
        account.ref, access_point_ref="AP1", meter_serial=meter, service_ref=line, service_kind="broadband",
        driver="sim", driver_address='{"device": "AP1"}',
    )  # fmt: skip


def test_whoever_has_moved_in_is_not_cut_for_who_lived_there_before(world: World) -> None:
    world.policy("broadband-no")
    account, new = world.customer(), world.customer()
    says(world, account, "A1", due=-1, kind="broadband", customer=home_at(account, "M-old", "LINE-old"), ref="LINE-old")
    world.until_step(account, "reminder")

    says(world, new, "B1", due=300, kind="broadband", customer=home_at(new, "M-new", "LINE-new"), ref="LINE-new")
    world.days(60)

    assert world.value("SELECT count(*) FROM effect WHERE kind = 'supply'") == 0
    assert world.value("SELECT waits_for FROM dunning_case") == "guard.somebody_else_there"


def test_a_cut_that_waited_does_not_hit_who_has_moved_in_meanwhile(world: World) -> None:
    world.policy("broadband-no")
    account, new = world.customer(), world.customer()
    says(world, account, "A1", due=-1, kind="broadband", customer=home_at(account, "M-old", "LINE-old"), ref="LINE-old")
    world.until_step(account, "reminder")
    world.owner.execute("UPDATE partner SET cuts_per_hour = 0 WHERE id = %s", (world.partner,))
    world.until_step(account, "limit")
    world.run()

    says(world, new, "B1", due=300, kind="broadband", customer=home_at(new, "M-new", "LINE-new"), ref="LINE-new")
    world.owner.execute("UPDATE partner SET cuts_per_hour = 50 WHERE id = %s", (world.partner,))
    world.days(1)

    assert world.rows("SELECT state, attempts FROM effect WHERE kind = 'supply'") == [("withheld", 0)]
