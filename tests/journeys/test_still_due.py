"""What waits in the outbox leaves, when there is room, only where the policy would still come to it."""

from datetime import timedelta
from itertools import pairwise

import pytest

from relight.flow.claims.rows import ClaimRow, Customer
from relight.flow.effects.port import Outcome, Repeat, Result
from relight.flow.road.act import end_of
from relight.flow.road.ends import finish
from relight.flow.road.intake import take_in_claims
from relight.flow.road.release import Job
from tests.flow.factories import Account
from tests.journeys.world import World

ANY_SUM = ("    after: 1 month\n    when: {arrears: {min: 300}}\n", "    after: 1 month\n")
BRANCH = (
    "      - {message: disconnect_notice, channel: {all: [sms, email]}}\n",
    "      - {message: disconnect_notice, channel: {all: [sms, email]}}\n"
    "    next: [{when: {arrears: {min: 300}}, step: limit}]\n",
)


def room(world: World, cuts: int) -> None:
    world.owner.execute("UPDATE partner SET cuts_per_hour = %s WHERE id = %s", (cuts, world.partner))


def decided_not_left(world: World) -> tuple[Account, int]:
    account = world.customer()
    line = world.service(account)
    world.invoice(account, amount=89_900, due=world.moment.date() - timedelta(days=1))
    world.until_step(account, "reminder")
    room(world, 0)
    world.until_step(account, "limit")
    world.run()
    assert world.commands(line) == [("walled_garden", "pending")]
    return account, line


def becomes_vip(world: World, account: Account) -> None:
    vip = Customer(account.ref, profile="vip")
    row = ClaimRow(
        account_ref=account.ref, number="F-later", amount=100, currency="NOK", service_kind="broadband",
        due_date=world.moment.date() + timedelta(days=200), customers=(vip,),
    )  # fmt: skip
    with world.db.transaction(world.partner) as tx:
        assert not take_in_claims(tx, [row], run_id=None, now=world.moment).refused


def test_whom_the_profile_spares_by_now_is_not_cut(world: World) -> None:
    world.policy("broadband-no")
    account, line = decided_not_left(world)

    becomes_vip(world, account)
    world.run()
    room(world, 50)
    world.days(1)

    assert world.commands(line)[0] == ("walled_garden", "withheld")
    assert world.observed(line) == "full"


@pytest.mark.parametrize(
    ("policy", "paid"),
    [((ANY_SUM, BRANCH), 85_000), ((ANY_SUM,), 89_400)],
    ids=["the_branch_is_closed", "too_little_to_follow_up"],
)
def test_who_owes_too_little_by_now_is_not_cut(world: World, policy: tuple[tuple[str, str], ...], paid: int) -> None:
    world.policy("broadband-no", *policy)
    account, line = decided_not_left(world)

    world.pays(account, paid)
    world.run()
    room(world, 50)
    world.days(1)

    assert world.observed(line) == "full"
    assert world.value("SELECT why FROM effect WHERE kind = 'supply'") == "guard.not_due"


def test_who_still_is_due_is_cut_when_there_is_room(world: World) -> None:
    world.policy("broadband-no", ANY_SUM, BRANCH)
    account, line = decided_not_left(world)

    world.pays(account, 20_000)
    world.run()
    room(world, 50)
    world.days(1)

    assert world.observed(line) == "walled_garden"


def test_cuts_that_were_put_off_while_a_driver_was_away_leave_by_the_cap(world: World) -> None:
    homes = []
    for _ in range(3):
        account = world.customer()
        homes.append((account, world.service(account)))
        world.invoice(account, amount=89_900, due=world.moment.date() - timedelta(days=1))
    world.until_step(homes[0][0], "reminder")
    world.run()
    room(world, 1)
    while not all("limit" in world.steps(account) for account, _ in homes):
        world.act(world.release())
        world.moment = world.next_due() or world.moment
        world.bank_was_heard(world.moment)
        world.decide()

    begun, left = world.moment, list[tuple[int, int]]()
    for minute in range(0, 320, 5):
        world.moment = begun + timedelta(minutes=minute)
        world.bank_was_heard(world.moment)
        for job in world.release():
            if job.target is not None and minute < 125:  # the gateway is away for two hours
                put_off(world, job)
                continue
            left += [(minute, job.account_id)] if job.target is not None else []
            world.act([job])

    minutes = [minute for minute, _ in left]
    assert [world.observed(line) for _, line in homes] == ["walled_garden"] * 3
    assert all(later - earlier >= 55 for earlier, later in pairwise(minutes)), minutes


def put_off(world: World, job: Job) -> None:
    away = Outcome(Result.BUSY, code="gateway_down", retry_after_seconds=1200)
    finish(world.db, world.partner, [end_of(job, away, Repeat.SAFE)], world.moment)
