"""The bell of a worker's loop: whom it names, and how long it lets a loop rest."""

import asyncio

import pytest

from relight.flow.road.bell import Bell

PAUSE = 0.2


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
        await asyncio.sleep(PAUSE)
        ended = loop.time()
        bell.found_work()
        bell.ring(1)
        await bell.wait()
        return loop.time() - ended

    assert asyncio.run(rests_for()) >= PAUSE - 0.01


def test_where_more_is_waiting_it_goes_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def goes_on() -> bool:
        bell, loop = Bell(60), asyncio.get_running_loop()
        bell.take()
        now = loop.time
        monkeypatch.setattr(loop, "time", lambda: now() + 3600)  # a round that took an hour
        bell.found_work(more=True)
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
