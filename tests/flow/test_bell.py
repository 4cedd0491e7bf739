"""The bell of a worker's loop: whom it names, and how long it lets a loop rest."""

import asyncio

import pytest

from relight.flow.road.bell import Bell

PAUSE = 0.2
ROUND = 0.05


def test_the_first_round_asks_the_database_and_a_later_one_works_for_whom_it_was_rung() -> None:
    async def rounds() -> list[object]:
        bell = Bell(60)
        first = bell.take()
        bell.ring(4)
        bell.ring(7, 4)
        await bell.wait()
        return [first, bell.take()]

    assert asyncio.run(rounds()) == [None, {4, 7}]


def test_rung_for_nobody_it_stays_silent() -> None:
    async def waits() -> bool:
        bell = Bell(60)
        bell.take()
        bell.ring()
        try:
            async with asyncio.timeout(0.05):
                await bell.wait()
        except TimeoutError:
            return True
        return False

    assert asyncio.run(waits())


def test_after_work_it_rests_for_the_pause_so_that_more_comes_together() -> None:
    async def rests_for() -> float:
        bell, loop = Bell(60, pause_seconds=PAUSE), asyncio.get_running_loop()
        before = loop.time()
        bell.take()
        bell.found_work()
        bell.ring(1)
        await bell.wait()
        return loop.time() - before

    assert asyncio.run(rests_for()) >= PAUSE - 0.01  # the loop's clock may tick early


def test_it_rests_for_as_long_as_the_round_took() -> None:
    async def rests_for() -> float:
        bell, loop = Bell(60), asyncio.get_running_loop()
        bell.take()
        await asyncio.sleep(ROUND)
        ended = loop.time()
        bell.found_work()
        bell.ring(1)
        await bell.wait()
        return loop.time() - ended

    assert asyncio.run(rests_for()) >= ROUND - 0.01


@pytest.mark.parametrize(("more", "rests"), [(False, True), (True, False)])
def test_only_where_nothing_more_is_waiting(monkeypatch: pytest.MonkeyPatch, *, more: bool, rests: bool) -> None:
    rested: list[float] = []

    async def rest(seconds: float) -> None:
        rested.append(seconds)

    async def goes_on() -> None:
        bell, loop = Bell(60), asyncio.get_running_loop()
        bell.take()
        now = loop.time()
        monkeypatch.setattr(loop, "time", lambda: now + 3600)  # a round of an hour, and no time passes after it
        bell.found_work(more=more)
        bell.ring(1)
        monkeypatch.setattr(asyncio, "sleep", rest)
        await bell.wait()

    asyncio.run(goes_on())
    assert [seconds > 0 for seconds in rested] == [rests]


@pytest.mark.parametrize("pause_seconds", [0, 5])
@pytest.mark.parametrize("more", [False, True])
def test_a_round_that_took_an_hour_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, *, more: bool, pause_seconds: float
) -> None:
    async def goes_on() -> bool:
        bell, loop = Bell(60, pause_seconds=pause_seconds), asyncio.get_running_loop()
        bell.take()
        now = loop.time
        monkeypatch.setattr(loop, "time", lambda: now() + 3600)
        bell.found_work(more=more)
        bell.ring(1)
        await asyncio.wait_for(bell.wait(), 30)
        return True

    assert asyncio.run(goes_on())


def test_whoever_comes_to_a_loop_that_found_nothing_is_not_kept_waiting() -> None:
    async def turns() -> bool:
        bell = Bell(60, pause_seconds=60)
        bell.take()
        bell.ring(1)
        await bell.wait()
        return True

    assert asyncio.run(asyncio.wait_for(turns(), 30))
