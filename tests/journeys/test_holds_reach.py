"""A hold that protects people holds all cases of their account, also the next one, until a person lets go of it."""

from datetime import timedelta

import psycopg
import pytest

from relight.flow.cases.operations import end_hold
from tests.flow.factories import Account
from tests.journeys.world import World

OWED = 89_900


def test_a_medical_hold_holds_the_case_of_the_next_bill(world: World) -> None:
    world.policy("broadband-no")
    account = world.customer()
    line = world.service(account)
    world.invoice(account, due=world.moment.date() - timedelta(days=1))
    world.until_step(account, "reminder")
    hold = world.hold(account, "medical", protective=True, review_date=world.moment.date() + timedelta(days=300))
    world.pays(account, OWED)
    world.days(2)
    assert world.state(account) == "closed"

    world.invoice(account)
    world.days(70)

    assert world.value("SELECT ends_at FROM hold WHERE id = %(h)s", h=hold) is None
    assert world.observed(line) == "full"
    assert "limit" not in world.steps(account)


def two_cases(world: World) -> tuple[Account, int]:
    """Broadband and power, each with a case of its own; and the line."""
    world.policy("broadband-no")
    world.policy("power-grid-no")
    account = world.customer()
    line = world.service(account)
    world.service(account, kind="electricity_grid")
    for kind in ("broadband", "electricity_grid"):
        world.invoice(account, kind=kind, due=world.moment.date() - timedelta(days=1))
    world.until_step(account, "reminder")
    return account, line


def test_a_medical_hold_holds_the_account_s_other_case(world: World) -> None:
    account, line = two_cases(world)

    world.hold(account, "medical", protective=True)
    world.days(60)

    assert world.observed(line) == "full"


@pytest.mark.parametrize("complains", [False, True])
def test_a_pause_of_one_case_leaves_the_other_alone(world: World, *, complains: bool) -> None:
    account, line = two_cases(world)

    power = world.value("SELECT max(id) FROM dunning_case")
    if complains:
        world.hold(account, "complaint", protective=True)
    else:
        world.hold(account, "manual", ends_at=world.moment + timedelta(days=90))
    assert world.value("SELECT case_id FROM hold") == power
    world.days(60)

    assert world.observed(line) == "walled_garden"


def test_a_medical_hold_holds_the_person_s_other_account_until_it_is_let_go(
    world: World, owner: psycopg.Connection
) -> None:
    world.policy("broadband-no")
    home, cabin = world.customer(), world.customer()
    owner.execute("UPDATE account_role SET party_id = %s WHERE account_id = %s", (home.party_id, cabin.id))
    lines = [world.service(account) for account in (home, cabin)]
    for account in (home, cabin):
        world.invoice(account, due=world.moment.date() - timedelta(days=1))
    world.until_step(home, "reminder")

    hold = world.hold(home, "medical", protective=True)
    world.days(60)
    assert [world.observed(line) for line in lines] == ["full", "full"]

    with world.db.transaction(world.partner) as tx:
        end_hold(tx, hold_id=hold, actor="bente", now=world.moment)
    assert world.value("SELECT count(*) FROM hold WHERE ends_at IS NULL") == 0
    world.days(60)
    assert [world.observed(line) for line in lines] == ["walled_garden", "walled_garden"]
