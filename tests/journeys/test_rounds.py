"""A worker's round over all partners: one's trouble is not the next one's, and what is on record is acted on, also when
the worker is told to stop meanwhile."""

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from relight.flow.road.moment import as_told
from relight.flow.road.release import Job, LinkMaker
from relight.flow.road.worker import Worker
from relight.telemetry import metrics
from tests.journeys.world import Account, World

LINK = LinkMaker("https://betal.example", lambda partner_id, link_id: f"{partner_id}-{link_id}")
_STATES = "SELECT DISTINCT state FROM effect WHERE kind = 'message' AND account_id = %(account)s"
_TROUBLES = [ValueError("of this partner alone"), psycopg.OperationalError("the connection was lost")]


@pytest.fixture
def reminded(world: World) -> Account:
    """A customer who was decided to be reminded, at the moment at which it may leave."""
    account = world.customer(contacts={"sms": "+4790000400"})
    world.invoice(account, due=world.moment.date() - timedelta(days=5))
    world.decide()
    due = world.value("SELECT max(due_at) FROM effect WHERE state = 'pending' AND kind = 'message'")
    world.moment = max(world.moment, due)
    return account


@pytest.fixture
def worker(world: World, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """A worker at the world's moment, for its partner and those around it."""
    monkeypatch.setattr(world.db, "clock", lambda: world.moment)
    made = Worker(world.db, LINK, only={world.partner}, lanes=("bulk",))
    made.turner.moment = made.releaser.moment = made.desk.moment = as_told
    return made


def fails_but_for(partner: int, function: Callable[..., Any], error: Exception) -> Callable[..., Any]:
    """What raises for every other partner."""

    def called(partner_id: int, *given: Any, **more: Any) -> Any:
        if partner_id != partner:
            raise error
        return function(partner_id, *given, **more)

    return called


def around(partner: int) -> set[int]:
    """The partner, the one before and the one behind."""
    return {partner - 1, partner, partner + 1}


@pytest.mark.parametrize("error", _TROUBLES)
def test_partners_behind_one_that_cannot_be_decided_are_decided(
    world: World, worker: Worker, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    account = world.customer(contacts={"sms": "+4790000401"})
    world.invoice(account, due=world.moment.date() - timedelta(days=5))
    turn = fails_but_for(world.partner, worker.turner.turn, error)
    monkeypatch.setattr(worker.turner, "turn", turn)
    failures = metrics.LOOP_FAILURES.labels("decide bulk", _named(error))
    before = failures._value.get()

    turned, _ = worker._decide_once(worker.lanes[0], around(world.partner), [])

    assert turned == [world.partner]
    assert world.steps(account) == ["friendly"]
    assert failures._value.get() == before + 2


@pytest.mark.parametrize("error", _TROUBLES)
def test_what_left_for_one_partner_is_acted_on_although_the_others_cannot_be_released(
    world: World, worker: Worker, reminded: Account, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    jobs = list[Job]()
    release = fails_but_for(world.partner, worker.releaser.release, error)
    monkeypatch.setattr(worker.releaser, "release", release)

    worker._release_once(worker.lanes[0], around(world.partner), jobs)

    assert [job.account_id for job in jobs] == [reminded.id]


def test_where_no_connection_is_to_be_had_the_round_ends_and_loses_nothing(
    world: World, worker: Worker, reminded: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = list[Job]()
    release = fails_but_for(world.partner, worker.releaser.release, PoolTimeout("none in time"))
    monkeypatch.setattr(worker.releaser, "release", release)

    with pytest.raises(PoolTimeout):
        worker._release_once(worker.lanes[0], {world.partner, world.partner + 1}, jobs)

    assert [job.account_id for job in jobs] == [reminded.id]


def test_who_is_told_to_stop_while_something_leaves_acts_on_it_first(
    world: World, worker: Worker, reminded: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, may_go_on = threading.Event(), threading.Event()
    release = worker.releaser.release

    def slow(*given: Any, **more: Any) -> Any:
        came_to = release(*given, **more)
        left.set()
        assert may_go_on.wait(30)
        return came_to

    monkeypatch.setattr(worker.releaser, "release", slow)

    async def stopped_meanwhile() -> None:
        running = asyncio.create_task(worker.run())
        assert await asyncio.to_thread(left.wait, 30)
        assert world.rows(_STATES, account=reminded.id) == [("in_flight",)]
        worker.stop()
        await asyncio.sleep(0.05)
        may_go_on.set()
        await asyncio.wait_for(running, 30)

    asyncio.run(stopped_meanwhile())

    assert world.rows(_STATES, account=reminded.id) == [("done",)]


def test_the_road_goes_on_while_all_other_threads_wait(
    world: World, worker: Worker, reminded: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ends that wait for a lock, each partner's own, must not keep us from looking for who holds it."""
    monkeypatch.setattr("relight.flow.road.worker._BEAT_SECONDS", 0.05)
    may_go_on, rounds = threading.Event(), [threading.Event() for _ in range(3)]
    for name, came_round in zip(("_find_lost", "_beat"), rounds, strict=False):
        monkeypatch.setattr(worker, name, lambda *_, came_round=came_round: came_round.set())
    monkeypatch.setattr("relight.flow.road.worker.end_stopped", lambda _: rounds[-1].set())
    worker.extras = [(f"waits {number}", lambda: asyncio.to_thread(may_go_on.wait, 60)) for number in range(40)]
    later = world.customer(contacts={"sms": "+4790000402"})
    world.invoice(later, due=world.moment.date() - timedelta(days=5))
    wanted = [True, True, True], ["friendly"], [("in_flight",)]

    async def lived() -> None:
        running = asyncio.create_task(worker.run())
        try:
            for _ in range(600):
                seen = [one.is_set() for one in rounds], world.steps(later), world.rows(_STATES, account=reminded.id)
                if seen == wanted:
                    break
                await asyncio.sleep(0.05)
        finally:
            may_go_on.set()
            worker.stop()
            await running
        assert seen == wanted

    asyncio.run(lived())

    assert world.rows(_STATES, account=reminded.id) == [("done",)]


def test_who_is_told_to_stop_begins_with_no_further_partner(world: World, worker: Worker, reminded: Account) -> None:
    worker.stop()
    jobs = list[Job]()

    assert worker._decide_once(worker.lanes[0], {world.partner}, jobs) == ([], [])
    assert worker._release_once(worker.lanes[0], {world.partner}, jobs) == []
    assert jobs == []
    assert world.rows(_STATES, account=reminded.id) == [("pending",)]


def test_what_is_under_way_keeps_its_lease_until_it_has_ended(
    world: World, worker: Worker, reminded: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver takes longer than a lease; the worker is told to stop."""
    monkeypatch.setattr("relight.flow.road.worker._BEAT_SECONDS", 0.05)
    begun, beats = asyncio.Event(), list[int]()
    monkeypatch.setattr(worker, "_beat", lambda jobs: beats.append(len(jobs)))
    act = worker.room.get(world.partner, "messages", "sms").send

    async def slow(*given: Any) -> Any:
        begun.set()
        while 1 not in beats[-1:] or len(beats) < 10:  # told that we live, again and again
            await asyncio.sleep(0.02)
        return await act(*given)

    monkeypatch.setattr(worker.room.get(world.partner, "messages", "sms"), "send", slow)

    async def stopped_meanwhile() -> None:
        running = asyncio.create_task(worker.run())
        await asyncio.wait_for(begun.wait(), 30)
        beats.clear()
        worker.stop()
        await asyncio.wait_for(running, 30)

    asyncio.run(stopped_meanwhile())

    assert world.rows(_STATES, account=reminded.id) == [("done",)]


def _named(error: Exception) -> str:
    return "database away" if isinstance(error, psycopg.OperationalError) else type(error).__name__


@pytest.mark.parametrize("error", [OSError("the mailbox is gone"), ValueError("no such time zone")])
def test_a_channel_that_can_no_longer_be_heard_is_told_of(
    worker: Worker, world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    class Deaf:
        async def listen(self, sink: object) -> None:
            raise error

    monkeypatch.setattr(worker.room, "get", lambda partner, port, name: Deaf())
    failures = metrics.LOOP_FAILURES.labels("ears", type(error).__name__)
    before = failures._value.get()

    asyncio.run(worker._hear(world.partner, "sms"))

    assert failures._value.get() == before + 1


def test_urgent_messages_leave_in_the_half_of_the_lane_that_is_theirs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Receipts to an SMSC that is slow: what is under way fills their half, and the next one waits for its end."""
    monkeypatch.setattr(world.db, "clock", lambda: world.moment)
    worker = Worker(world.db, LINK, only={world.partner}, lanes=("urgent",))
    worker.turner.moment = worker.releaser.moment = as_told
    (lane,) = worker.lanes
    lane.slots.size = 2
    payers = [world.customer(contacts={"sms": f"+479000041{number}"}) for number in range(2)]
    for payer in payers:
        world.invoice(payer, due=world.moment.date() - timedelta(days=5))
        world.decide()
        world.pays(payer, 79900)
        world.decide()
    jobs = list[Job]()

    worker._release_once(lane, {world.partner}, jobs)
    lane.slots.take(jobs[0])
    worker._release_once(lane, {world.partner}, more := list[Job]())
    lane.slots.give_back(jobs[0])
    worker._release_once(lane, {world.partner}, rest := list[Job]())

    assert [[job.account_id for job in batch] for batch in (jobs, more, rest)] == [[payers[0].id], [], [payers[1].id]]
