"""A wrong run had people do things: others take them back, and what nobody has done yet is asked of nobody any more."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest

from relight.flow.cases.people import Person, operator
from relight.flow.cases.tasks import add_task
from relight.flow.database import Database
from relight.flow.road.publishing import publish_at_once
from relight.flow.road.undo import asking
from relight.flow.road.undo.doing import carry_out
from relight.flow.road.undo.finding import Scope
from tests.flow.collecting import POLICY
from tests.flow.factories import Account
from tests.journeys.test_plan_offers import GERMANY, NETHERLANDS, Home, Place
from tests.journeys.world import World

ANNE = Person("anne", "manager")
OWED = 89_900
TAKEN_BACK = {
    "DE": ["ask_to_reconnect"],
    "NL": ["take_back_end_of_supply", "take_back_termination"],
}


def undo_all(world: World, since: datetime | None = None) -> asking.Undo:
    """One person takes everything back that was done since then, or ever."""
    world.moment += timedelta(minutes=1)
    with world.db.transaction(world.partner) as tx:
        scope = Scope(since or world.moment - timedelta(days=400))
        number, _ = asking.ask(tx, scope, why="all of it was wrong", by=ANNE, now=world.moment)
    return carry_out(world.db, world.partner, number, lambda: world.moment)


@pytest.fixture(params=[GERMANY, NETHERLANDS], ids=lambda place: place.country)
def ended(
    request: pytest.FixtureRequest, db: Database, owner: psycopg.Connection, partner: int, now: datetime
) -> Iterator[Home]:
    """A household without power: people have done all that its case asked of them."""
    place: Place = request.param
    made = Home(db, owner, partner, now, place)
    made.until(place.last)
    yield made
    made.world.close()


def test_whoever_was_cut_or_ended_by_hand_is_given_back_by_hand(ended: Home) -> None:
    world, country = ended.world, ended.place.country

    undone = undo_all(world)
    world.run()

    back = sorted(code for code in world.tasks(ended.account) if code.startswith(("ask_to_", "take_back_")))
    due = world.value("SELECT max(due_at) FROM task WHERE code = ANY (%(codes)s) AND urgent", codes=TAKEN_BACK[country])
    assert back == TAKEN_BACK[country]
    assert due == world.moment + timedelta(hours=4)
    assert undone.done["reached"] == 1
    assert world.audited() == []


def test_what_nobody_has_carried_out_is_asked_of_nobody(ended: Home) -> None:
    world = ended.world
    world.owner.execute(
        "UPDATE task SET state = 'open', done_at = NULL WHERE partner_id = %s"
        " AND code IN ('request_to_grid', 'contract_terminate')",
        (world.partner,),
    )

    undo_all(world)

    left = set(world.tasks(ended.account))
    assert not left & {"request_to_grid", "contract_terminate", *TAKEN_BACK[ended.place.country]}


@pytest.fixture
def agent(db: Database, owner: psycopg.Connection, partner: int, now: datetime) -> Iterator[tuple[World, Account]]:
    """A partner that hands over to an agency by hand: nobody has set it up here; and a customer who went that far."""
    world = World(db, owner, partner, now, policies=())
    with db.transaction(partner) as tx:
        publish_at_once(tx, POLICY, by=operator("test"), now=now)
    account = world.customer()
    world.service(account)
    world.invoice(account, amount=OWED)
    world.until_step(account, "agency")
    world.run()
    yield world, account
    world.close()


def test_what_was_handed_over_by_hand_is_called_back_by_hand(agent: tuple[World, Account]) -> None:
    world, account = agent
    world.do_tasks(account, "handover")

    undo_all(world)

    assert [code for code in world.tasks(account) if code.startswith("take_back_")] == ["take_back_handover"]


def fails(world: World, step: str, kind: str, state: str, why: str, told: str) -> str:
    """A step's effect came to nothing, and a person has a task about it; what tells such tasks apart."""
    effect, case, account, service, template, channel = world.rows(
        "SELECT e.id, e.case_id, e.account_id, e.service_id, e.template, e.channel FROM effect e JOIN step_taken s"
        " ON s.case_id = e.case_id AND s.number = e.step_number WHERE s.step = %(step)s AND e.kind = %(kind)s",
        step=step,
        kind=kind,
    )[0]
    world.owner.execute("UPDATE effect SET state = %s, why = %s WHERE id = %s", (state, why, effect))
    dedup = told.format(effect=effect, case=case, service=service, template=template, channel=channel)
    with world.db.transaction(world.partner) as tx:
        add_task(tx, case_id=case, account_id=account, code=why or state, due_at=world.moment, dedup=dedup,
                 now=world.moment)  # fmt: skip
    return dedup


def test_a_task_about_what_was_given_up_goes_with_its_step_and_stays_where_the_step_stands(world: World) -> None:
    account = world.customer()
    world.service(account)
    world.invoice(account, amount=OWED)
    world.until_step(account, "limit")
    world.run()
    stands = fails(world, "friendly", "message", "given_up", "", "given_up-effect-{effect}")
    cut = fails(world, "limit", "supply", "given_up", "", "given_up-{service}")
    unfit = fails(world, "limit", "message", "refused", "unfit_message", "unfit-{template}-{channel}-{case}")

    undo_all(world, since=world.value("SELECT decided_at FROM step_taken WHERE step = 'limit'"))

    told = dict(world.rows("SELECT dedup, state FROM task WHERE account_id = %(a)s", a=account.id))
    assert {dedup: told[dedup] for dedup in (stands, cut, unfit)} == {
        stands: "open", cut: "dismissed", unfit: "dismissed",
    }  # fmt: skip
