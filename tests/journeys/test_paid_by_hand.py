"""Power that people cut, where no driver does it: whoever pays is not cut any more, and whoever was is given back."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest

from relight.flow.cases.operations import void_step
from relight.flow.database import Database
from tests.journeys.test_plan_offers import BILL, GERMANY, NETHERLANDS, Home, Place

BY_HAND = {"request_to_grid", "contract_terminate"}
PLACES = pytest.mark.parametrize("place", [GERMANY, NETHERLANDS], ids=lambda place: place.country)
IN_GERMANY = pytest.mark.parametrize("place", [GERMANY], ids=["DE"])


@pytest.fixture
def home(place: Place, db: Database, owner: psycopg.Connection, partner: int, now: datetime) -> Iterator[Home]:
    """A household whose power was cut by hand, as its case asked."""
    made = Home(db, owner, partner, now, place)
    made.until(made.place.last)
    yield made
    made.world.close()


def nobody_has_done_it(home: Home) -> None:
    home.world.owner.execute(
        "UPDATE task SET state = 'open', done_at = NULL WHERE partner_id = %s AND code = ANY (%s)",
        (home.world.partner, sorted(BY_HAND)),
    )
    home.world.owner.execute(
        "UPDATE step_taken SET completed_at = NULL WHERE partner_id = %s AND step = %s",
        (home.world.partner, home.place.last),
    )


def pays_all(home: Home) -> None:
    world = home.world
    owed = world.value(
        "SELECT sum(principal + costs + interest) FROM claim WHERE account_id = %(a)s", a=home.account.id
    )
    world.pays(home.account, int(owed), currency=home.place.currency)
    world.run()
    world.days(2)


def of_hand(home: Home, state: str = "open") -> list[str]:
    tasks = home.world.tasks(home.account, state)
    return sorted(code for code in tasks if code in BY_HAND or code.startswith(("ask_to_", "take_back_")))


@PLACES
def test_who_pays_before_anybody_has_cut_is_not_cut(home: Home) -> None:
    nobody_has_done_it(home)
    before = of_hand(home)

    pays_all(home)

    assert set(before) <= BY_HAND
    assert before
    assert of_hand(home) == []
    assert of_hand(home, "dismissed") == before
    assert "step_withdrawn" in home.world.log(home.account)
    assert home.world.audited() == []


@IN_GERMANY
def test_who_pays_after_somebody_has_cut_is_given_back_and_that_is_asked_for_once(home: Home) -> None:
    pays_all(home)
    asked = of_hand(home)
    due = home.world.value("SELECT due_at - created_at FROM task WHERE code = 'ask_to_reconnect' AND urgent")

    home.world.do_tasks(home.account, "ask_to_reconnect")
    home.world.invoice(home.account, amount=BILL, kind="electricity", currency=home.place.currency)
    home.world.days(3)

    assert asked == ["ask_to_reconnect"]
    assert due == timedelta(hours=4)
    assert of_hand(home) == []
    assert home.world.log(home.account).count("taken_back_by_hand") == 1
    assert home.world.audited() == []


@pytest.mark.parametrize("place", [NETHERLANDS], ids=["NL"])
def test_a_contract_that_has_ended_stays_ended_when_its_bills_are_paid(home: Home) -> None:
    pays_all(home)

    assert of_hand(home) == []
    assert "taken_back_by_hand" not in home.world.log(home.account)


@IN_GERMANY
@pytest.mark.parametrize("reason", ["medical", "debt_help"])
def test_whom_a_hold_relieves_is_neither_cut_nor_left_in_the_dark(home: Home, reason: str) -> None:
    home.world.hold(home.account, reason)
    home.world.run()

    assert of_hand(home) == ["ask_to_reconnect"]
    assert home.world.audited() == []


@IN_GERMANY
def test_a_part_of_what_is_owed_gives_nothing_back(home: Home) -> None:
    home.world.pays(home.account, 100, currency=home.place.currency)
    home.world.run()

    assert of_hand(home) == []
    assert of_hand(home, "done") == ["request_to_grid"]


@IN_GERMANY
def test_a_cut_by_hand_that_a_person_voids_is_taken_back_by_hand(home: Home) -> None:
    world = home.world
    number = world.value("SELECT number FROM step_taken WHERE step = %(s)s", s=home.place.last)
    with world.db.transaction(world.partner) as tx:
        void_step(tx, case_id=home.case, step_number=number, actor="anne", now=world.moment, note="not theirs")
    world.run()

    assert of_hand(home) == ["ask_to_reconnect"]
    assert world.audited() == []
