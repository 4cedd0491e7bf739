"""A message whose attempt was lost is the same message when it goes again: under the cap it counts once."""

from datetime import timedelta

from relight.flow.road.release import LEASE
from tests.journeys.world import Account, World

ONE_A_WEEK = ("max_per_7_days: 5", "max_per_7_days: 1")
_SENT = "SELECT count(*), min(released_at) FROM sent_message WHERE account_id = %(account)s"
_MESSAGES = """
    SELECT state, why, attempts FROM effect WHERE account_id = %(account)s AND kind = 'message' ORDER BY attempts
"""


def asked(world: World) -> Account:
    """A customer who is asked for one bill; the attempt is on record, and its worker is gone."""
    world.policy("broadband-no", ONE_A_WEEK)
    account = world.customer(contacts={"sms": "+4790000200"})
    world.invoice(account, due=world.moment.date() - timedelta(days=5))
    world.decide()
    if (due := world.value("SELECT min(due_at) FROM effect WHERE state = 'pending'")) > world.moment:
        world.moment = due
    assert [job.account_id for job in world.release()] == [account.id]
    return account


def dies(world: World) -> None:
    """Nobody writes how it ended, and the lease runs out."""
    world.moment += LEASE + timedelta(seconds=1)
    world.machine.find_lost()


def waits(world: World) -> timedelta:
    """How long the next message still waits."""
    due: timedelta = world.value("SELECT min(due_at) FROM effect WHERE state = 'pending'") - world.moment
    return due


def test_a_lost_message_goes_again_the_same_hour_though_one_a_week_may_go(world: World) -> None:
    account = asked(world)
    dies(world)
    world.moment += max(waits(world), timedelta(0))

    again = world.release()

    assert [job.account_id for job in again] == [account.id]
    world.act(again)
    assert world.rows(_SENT, account=account.id) == [(1, world.moment)]
    assert world.audited() == []


def test_while_it_is_on_its_way_again_another_message_counts_it(world: World) -> None:
    account = asked(world)
    dies(world)
    world.invoice(account, due=world.moment.date() - timedelta(days=5))
    world.run()
    world.days(4)

    assert world.rows(_MESSAGES, account=account.id) == [("pending", "contact_cap", 0), ("done", "", 2)]
    assert world.audited() == []
