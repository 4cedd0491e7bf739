"""What an undo voids is what it was asked for: no step too many, and none that was being decided when it began."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from relight.flow.cases.people import Person
from relight.flow.database import Tx
from relight.flow.road.moving import Plan, move, plan, plan_back
from relight.flow.road.turn import Turner
from relight.flow.road.undo import asking
from relight.flow.road.undo.doing import step
from relight.flow.road.undo.finding import Scope
from tests.flow.factories import Account
from tests.journeys.processes import wait_for
from tests.journeys.test_stopped_meanwhile import WAITS
from tests.journeys.test_voided_fee import OWED, WITH_A_FEE
from tests.journeys.world import World

NAME = "broadband-no"
ANNE, BENTE = Person("anne", "manager"), Person("bente", "manager")
MINUTE = timedelta(minutes=1)


def owing(world: World, **options: Any) -> Account:
    """A customer with an unpaid bill."""
    account = world.customer()
    world.service(account)
    world.invoice(account, amount=OWED, **options)
    return account


def asked(world: World, **scope: Any) -> int:
    """Anne asks for an undo of what was done since the first day."""
    with world.db.transaction(world.partner) as tx:
        since = world.moment - timedelta(days=400)
        return asking.ask(tx, Scope(since, **scope), why="too early", by=ANNE, now=world.moment)[0]


def carried_out(world: World, number: int) -> None:
    """The undo alone; nothing else happens at this moment."""
    while step(world.db, world.partner, number, world.moment):
        pass


def undone(world: World) -> set[int]:
    """The accounts whose steps were voided."""
    return {account for (account,) in world.rows("SELECT account_id FROM undo_case")}


def in_its_turn(world: World, account: Account, to: str) -> None:
    """Time passes until the account has taken a step, and a little longer."""
    world.until_step(account, to)
    world.moment += MINUTE


@pytest.fixture
def first(world: World) -> Account:
    """Somebody who was reminded."""
    account = owing(world)
    in_its_turn(world, account, "friendly")
    return account


def test_what_is_done_after_one_person_asked_is_not_undone(world: World, first: Account) -> None:
    number = asked(world)
    world.moment += MINUTE
    second = owing(world, due=world.moment.date() - timedelta(days=5))
    world.bank_was_heard(world.moment)
    Turner(world.db).turn(world.partner, "bulk", world.moment)  # not the whole world: it would carry the undo out
    world.moment += MINUTE

    carried_out(world, number)

    assert undone(world) == {first.id}
    assert world.steps(second) == ["friendly"]


def test_what_is_done_until_two_people_agreed_is_undone(
    world: World, first: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ALONE_MAX", 0)
    number = asked(world)
    second = owing(world)
    in_its_turn(world, second, "friendly")

    with world.db.transaction(world.partner) as tx:
        asking.agree(tx, number, granted=True, by=BENTE, now=world.moment)
    carried_out(world, number)

    assert undone(world) == {first.id, second.id}


def test_a_turn_under_way_when_it_begins_is_waited_for_and_undone(world: World, first: Account) -> None:
    second = owing(world, due=world.moment.date() - timedelta(days=5))
    world.bank_was_heard(world.moment)
    number = asked(world)

    with ThreadPoolExecutor(1) as pool:
        beginnings: list[Future[int]] = []

        def meanwhile(tx: Tx, now: datetime) -> Callable[[], datetime]:
            tx.rows("SELECT")  # in a pipeline: the turn holds its locks now
            beginnings.append(pool.submit(step, world.db, world.partner, number, now))
            wait_for(lambda: world.value(WAITS), "the undo waits for the turn")
            return lambda: now

        Turner(world.db, moment=meanwhile).turn(world.partner, "bulk", world.moment)
        beginnings[0].result(timeout=30)

    assert undone(world) == {first.id, second.id}
    assert world.steps(second) == []


def test_what_was_done_after_a_move_was_taken_back_is_not_its_own(world: World) -> None:
    first, second = owing(world), owing(world)
    for account in (first, second):
        in_its_turn(world, account, "friendly")
    world.days(1)
    world.policy(NAME, *WITH_A_FEE)
    moved = moves(world, lambda tx: plan(tx, NAME, old=1, new=2))
    back = world.value("SELECT id FROM dunning_case WHERE account_id = %(a)s", a=second.id)
    moves(world, lambda tx: replace(plan_back(tx, moved), cases=(back,)))
    for account in (first, second):
        in_its_turn(world, account, "reminder")

    carried_out(world, asked(world, bulk=moved))

    assert undone(world) == {first.id}
    assert (world.steps(first), world.steps(second)) == (["friendly"], ["friendly", "reminder"])


def moves(world: World, wanted: Callable[[Tx], Plan]) -> int:
    """Bente moves cases; the number of the move."""
    with world.db.transaction(world.partner) as tx:
        found = wanted(tx)
    bulk = move(world.db, world.partner, found, by=BENTE, clock=lambda: world.moment).bulk
    assert bulk is not None
    world.moment += MINUTE
    return bulk
