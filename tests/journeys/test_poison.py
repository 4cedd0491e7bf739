"""An effect that ends every worker that acts on it: a person gets it, and those beside it go their way."""

from datetime import timedelta

from relight.flow.road.outcome import LOST_MAX
from relight.flow.road.release import ALONE_AFTER, LEASE, Job
from tests.journeys.world import World

CUSTOMERS = 3


def test_what_ends_its_worker_goes_to_a_person_and_takes_nobody_along(world: World) -> None:
    accounts = [world.customer(contacts={"sms": f"+479000010{at}"}) for at in range(CUSTOMERS)]
    for account in accounts:
        world.invoice(account, due=world.moment.date() - timedelta(days=5))
    world.decide()
    poison = accounts[1]

    together = [release_and_die(world), release_and_die(world)]
    alone = []
    while jobs := next_jobs(world):
        alone.append(len(jobs))
        if jobs[0].account_id != poison.id:
            world.act(jobs)
        else:
            die(world)

    assert together == [CUSTOMERS, CUSTOMERS]
    assert alone == [1] * (CUSTOMERS - 1 + LOST_MAX - ALONE_AFTER)
    assert {account.id: ends(world, account.id) for account in accounts} == {
        accounts[0].id: ("done", 3),
        poison.id: ("given_up", LOST_MAX),
        accounts[2].id: ("done", 3),
    }
    assert world.rows("SELECT account_id, code FROM task WHERE state = 'open'") == [(poison.id, "given_up")]


def next_jobs(world: World) -> list[Job]:
    """What one turn of a worker releases, once something is due."""
    due = world.value("SELECT min(due_at) FROM effect WHERE state = 'pending' AND kind = 'message'")
    if due is None:
        return []
    world.moment = max(world.moment, due)
    return world.machine.releaser.release(world.partner, "bulk", world.moment)[1]


def release_and_die(world: World) -> int:
    """A worker releases all that is due, and is gone; how much it was."""
    jobs = next_jobs(world)
    die(world)
    return len(jobs)


def die(world: World) -> None:
    """Nobody writes how it ended, and the lease runs out."""
    world.moment += LEASE + timedelta(seconds=1)
    world.machine.find_lost()


def ends(world: World, account_id: int) -> tuple[str, int]:
    """How the reminder to an account ended, and after how many attempts."""
    sql = "SELECT state, attempts FROM effect WHERE account_id = %(account)s AND kind = 'message'"
    state, attempts = world.rows(sql, account=account_id)[0]
    return state, attempts
