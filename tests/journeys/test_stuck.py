"""A case that cannot be decided, or an effect that cannot leave, holds up nobody else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from relight.core.decide import decide
from relight.core.levels import Level
from relight.flow.road import release, stuck
from relight.flow.road.at_once import AtOnce
from relight.flow.road.stuck import RESTS, STUCK_MAX
from relight.flow.watch.alarms import all_alarms
from tests.journeys.world import Account, World

OWED = 89_900
_CASE = "SELECT version, lane, wakes_at FROM dunning_case WHERE account_id = %(account)s"
_TASKS = "SELECT account_id, code, urgent, params FROM task WHERE state = 'open' ORDER BY account_id"
_EFFECTS = "SELECT account_id, state, why, due_at FROM effect WHERE kind = 'message' ORDER BY account_id"


@pytest.fixture
def customers(world: World) -> list[Account]:
    """Three who are to be reminded today."""
    made = [world.customer(contacts={"sms": f"+479000010{at}"}) for at in range(3)]
    for account in made:
        world.invoice(account, due=world.moment.date() - timedelta(days=5))
    return made


def breaks_at(account: Account, function: Callable[..., Any], facts_at: int) -> Callable[..., Any]:
    """A function that fails on one account's facts, which are its argument at that place."""

    def broken(*given: Any) -> Any:
        if given[facts_at].account_id == account.id:
            raise KeyError("a step that is not in the policy")
        return function(*given)

    return broken


def test_others_are_decided_and_a_person_has_the_one_that_cannot_be(world: World, customers: list[Account]) -> None:
    stays, *others = customers
    before = world.rows(_CASE, account=stays.id)[0]
    world.machine.turner.decider = breaks_at(stays, decide, 2)

    assert world.machine.turner.turn(world.partner, "bulk", world.moment) == len(others)

    assert [world.steps(account) for account in others] == [["friendly"], ["friendly"]]
    assert world.rows(_CASE, account=stays.id) == [(before[0], "bulk", world.moment + RESTS["bulk"])]
    assert world.rows(_TASKS) == [(stays.id, "case_stuck", True, {"error": "KeyError"})]
    assert [(one.code, one.count) for one in alarms(world)] == [("case_stuck", 1)]


def test_it_is_tried_again_and_goes_on_once_it_can(world: World, customers: list[Account]) -> None:
    stays, *_ = customers
    world.machine.turner.decider = breaks_at(stays, decide, 2)
    world.decide()
    world.moment += RESTS["bulk"]
    assert world.decide() == 0
    assert len(world.rows(_TASKS)) == 1

    world.machine.turner.decider = decide
    world.moment += RESTS["bulk"]

    assert world.decide() == 1
    assert world.steps(stays) == ["friendly"]
    world.run()
    assert world.audited() == []


def test_what_the_tables_refuse_is_one_cases_own_too(
    world: World, customers: list[Account], owner: psycopg.Connection
) -> None:
    stays, *others = customers
    owner.execute(
        "INSERT INTO case_event (partner_id, case_id, number, code, actor, at)"
        " SELECT partner_id, id, version + 1, 'odd', 'test', now() FROM dunning_case WHERE account_id = %s",
        [stays.id],
    )

    assert world.decide() == len(others)

    assert world.rows(_TASKS) == [(stays.id, "case_stuck", True, {"error": "UniqueViolation"})]


def test_where_many_fail_the_rest_of_the_batch_waits_for_the_next_round(world: World) -> None:
    for at in range(STUCK_MAX + 2):
        account = world.customer(contacts={"sms": f"+479000020{at}"})
        world.invoice(account, due=world.moment.date() - timedelta(days=5))
    world.machine.turner.decider = fails

    assert world.machine.turner.turn(world.partner, "bulk", world.moment) == 0
    assert len(world.rows(_TASKS)) == STUCK_MAX
    assert world.machine.turner.turn(world.partner, "bulk", world.moment) == 0
    assert len(world.rows(_TASKS)) == STUCK_MAX + 2


@pytest.mark.parametrize(
    "error", [psycopg.OperationalError("away"), psycopg.errors.UndefinedColumn("no such column"), OSError("no space")]
)
def test_what_is_no_cases_fault_puts_off_none(world: World, customers: list[Account], error: Exception) -> None:
    assert customers

    def away(*_: Any) -> Any:
        raise error

    world.machine.turner.decider = away

    with pytest.raises(type(error)):
        world.machine.turner.turn(world.partner, "bulk", world.moment)

    assert world.rows(_TASKS) == []
    assert world.value("SELECT count(*) FROM dunning_case WHERE wakes_at <= %(now)s", now=world.moment) == 3


def test_who_paid_is_restored_although_the_one_before_cannot_be_decided(world: World) -> None:
    stays, other = (limited(world, at) for at in range(2))
    world.moment += timedelta(seconds=1)
    world.pays(stays, OWED)
    world.pays(other, OWED)
    world.machine.turner.decider = breaks_at(stays, decide, 2)
    at_once = AtOnce(world.machine.releaser, 9)

    assert world.machine.turner.turn(world.partner, "urgent", world.moment, at_once=at_once) == 1

    assert [(job.account_id, job.level) for job in at_once.jobs] == [(other.id, Level.FULL)]
    assert world.rows(_CASE, account=stays.id)[0][2] == world.moment + RESTS["urgent"]
    assert (stays.id, "case_stuck", True, {"error": "KeyError"}) in world.rows(_TASKS)


def test_an_effect_that_cannot_leave_lets_the_others_go(
    world: World, customers: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, *others = customers
    world.decide()
    due = world.value("SELECT max(due_at) FROM effect WHERE state = 'pending' AND kind = 'message'")
    world.moment = max(world.moment, due)
    with monkeypatch.context() as broken:
        broken.setattr(release, "check_leave", breaks_at(stays, release.check_leave, 2))
        jobs = world.release()

    assert [job.account_id for job in jobs] == [account.id for account in others]
    assert world.rows(_EFFECTS)[0] == (stays.id, "pending", "stuck", world.moment + RESTS["bulk"])
    assert world.rows(_TASKS) == [(stays.id, "case_stuck", True, {"error": "KeyError"})]
    world.act(jobs)
    world.moment += RESTS["bulk"]
    world.run()
    assert [row[:2] for row in world.rows(_EFFECTS)] == [(account.id, "done") for account in customers]


def test_one_that_is_tried_alone_when_the_server_goes_away_is_not_put_off() -> None:
    def gone(_: int) -> int:
        raise psycopg.OperationalError("away")

    with pytest.raises(psycopg.OperationalError):
        stuck.one_by_one([1, 2], gone, lambda *_: pytest.fail("put off"))


def test_what_is_done_one_by_one_is_not_lost_when_the_server_goes_away() -> None:
    def gone(number: int) -> int:
        if number > 1:
            raise psycopg.OperationalError("away")
        return number

    assert stuck.one_by_one([1, 2, 3], gone, lambda *_: pytest.fail("put off")) == [1]


def fails(*_: Any) -> Any:
    """Nothing can be decided."""
    raise ValueError("no such day")


def limited(world: World, at: int) -> Account:
    """A customer whose broadband was limited."""
    account = world.customer(contacts={"sms": f"+479000030{at}"})
    world.service(account)
    world.invoice(account, amount=OWED)
    world.until_step(account, "limit")
    world.run()
    return account


def alarms(world: World) -> list[Any]:
    """What `relight watch` says of it."""
    told = all_alarms(world.db, world.moment + timedelta(seconds=1))
    return [one for partner in told for one in partner.alarms if one.code == "case_stuck"]
