"""A restore leaves with its decision, in one transaction; what is not that simple leaves by release."""

from datetime import timedelta

import psycopg
import pytest

from relight.core.levels import Level
from relight.flow.road.at_once import AtOnce
from relight.flow.road.release import LinkMaker, Releaser
from relight.flow.road.turn import Turner
from tests.journeys.world import Account, World

LINK = LinkMaker("https://betal.example", lambda partner_id, link_id: f"{partner_id}-{link_id}")
OWED = 89_900
_COMMANDS = "SELECT level, state, attempts FROM effect WHERE account_id = %(account)s AND kind = 'supply' ORDER BY id"
_STATE = "UPDATE effect SET state = %s WHERE kind = 'supply' AND level = 'walled_garden' AND state = %s"
_ATTEMPTS = "SELECT count(*) FROM attempt a JOIN effect e ON e.id = a.effect_id WHERE e.kind = 'supply'"


@pytest.fixture
def account(world: World) -> Account:
    """A customer whose broadband is to be limited: the command is in the outbox."""
    world.policy("broadband-no")
    made = world.customer(contacts={"sms": "+4790000200"})
    world.service(made)
    world.invoice(made, amount=OWED)
    world.until_step(made, "limit")
    return made


def pays(world: World, account: Account, *, room: int = 9) -> AtOnce:
    """The whole bill is paid, and the urgent lane takes a turn."""
    world.moment += timedelta(seconds=1)
    world.pays(account, OWED)
    at_once = AtOnce(Releaser(world.db, LINK), room)
    assert Turner(world.db).turn(world.partner, "urgent", world.moment, at_once=at_once) == 1
    return at_once


def test_the_attempt_is_on_record_with_the_decision(world: World, account: Account) -> None:
    world.run()
    before = world.value(_ATTEMPTS)

    (job,) = pays(world, account).jobs

    assert (job.account_id, job.level, job.attempt.number) == (account.id, Level.FULL, 1)
    assert world.rows(_COMMANDS, account=account.id)[-1] == ("full", "in_flight", 1)
    assert world.value(_ATTEMPTS) == before + 1
    world.act([job])
    world.run()
    assert world.rows(_COMMANDS, account=account.id)[-1] == ("full", "done", 1)
    assert world.audited() == []


def test_where_there_is_no_room_it_leaves_by_release(world: World, account: Account) -> None:
    world.run()

    assert pays(world, account, room=0).jobs == []

    assert world.rows(_COMMANDS, account=account.id)[-1] == ("full", "pending", 0)
    assert [job.level for job in world.release() if job.level] == [Level.FULL]


def test_it_waits_for_the_command_that_is_under_way(world: World, account: Account, owner: psycopg.Connection) -> None:
    world.run()
    owner.execute(_STATE, ["in_flight", "done"])

    assert pays(world, account).jobs == []

    assert world.rows(_COMMANDS, account=account.id)[-1] == ("full", "pending", 0)
    assert [job for job in world.release() if job.level] == []
    owner.execute(_STATE, ["done", "in_flight"])
    assert [job.level for job in world.release() if job.level] == [Level.FULL]


def test_in_shadow_nothing_leaves(world: World, account: Account, owner: psycopg.Connection) -> None:
    world.run()
    owner.execute("UPDATE partner SET mode = 'shadow' WHERE id = %s", [world.partner])

    assert pays(world, account).jobs == []


def test_a_decision_that_is_not_committed_leaves_nothing(
    world: World, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run()
    before = world.value(_ATTEMPTS)
    taken = AtOnce.take

    def dies(self: AtOnce, *given: object) -> None:
        assert taken(self, *given)  # type: ignore[arg-type]
        raise InterruptedError

    monkeypatch.setattr(AtOnce, "take", dies)
    with pytest.raises(InterruptedError):
        pays(world, account)
    monkeypatch.undo()

    assert world.value(_ATTEMPTS) == before
    world.run()
    assert world.rows(_COMMANDS, account=account.id)[-1] == ("full", "done", 1)
