"""Acting: hand released attempts to their drivers, and write how they ended. Nothing here decides."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

import structlog

from relight.flow.database import AWAY
from relight.flow.effects.drivers import DriverRoom, NoDriver
from relight.flow.effects.port import Outcome, Repeat, Result
from relight.flow.road.desk import Desk
from relight.flow.road.ends import Ended
from relight.flow.road.release import Job
from relight.telemetry.metrics import attempted
from relight.telemetry.traces import span

log = structlog.get_logger(__name__)

ANSWER_WITHIN = 300.0  # seconds; drivers have time-outs of their own, and this ends one that forgot
_TRY_AGAIN_SECONDS = 1


def section_of(job: Job) -> str:
    """Which of the partner's drivers an attempt goes to."""
    if job.package is not None:
        return "handover"
    return "messages" if job.message is not None else "supply"


async def act(room: DriverRoom, job: Job) -> tuple[Outcome, Repeat]:
    """Let the driver act; whatever happens is an outcome. Raises one of `AWAY`, with nothing sent, if the database was
    away when the driver's settings were to be read."""
    try:
        driver = room.get(job.partner_id, section_of(job), job.driver)
    except (NoDriver, ValueError) as wrong:
        return Outcome(Result.BUSY, code="no_driver", detail=str(wrong), retry_after_seconds=300), Repeat.SAFE
    except AWAY:
        raise
    except Exception as bug:
        log.exception("driver_not_built", driver=job.driver, effect=job.effect_id)
        detail = "the driver could not be made; see the log"
        return Outcome(Result.BUSY, code=type(bug).__name__, detail=detail, retry_after_seconds=300), Repeat.SAFE
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            outcome = await _hand_over(driver, job)
    except TimeoutError:
        log.error("driver_hangs", driver=job.driver, effect=job.effect_id)
        outcome = Outcome(Result.UNKNOWN, code="no_end", detail="the driver did not come to an end")
    except Exception as bug:
        log.exception("driver_raised", driver=job.driver, effect=job.effect_id)
        outcome = Outcome(Result.UNKNOWN, code=type(bug).__name__, detail="the driver failed; see the log")
    return outcome, driver.repeat


async def _hand_over(driver: Any, job: Job) -> Outcome:
    if job.message is not None:
        return await driver.send(job.message, job.attempt)
    if job.package is not None:
        return await driver.send(job.package, job.attempt)
    assert job.target is not None
    assert job.level is not None
    return await driver.apply(job.target, job.level, job.attempt)


async def act_and_finish(desk: Desk, room: DriverRoom, job: Job) -> None:
    """One attempt to its end, which is handed in at the desk."""
    kind, began = section_of(job), time.perf_counter()
    with span(f"{kind} command", parent=job.trace, only_within=True, driver=job.driver, effect=job.effect_id,
              attempt=job.attempt_id, key=job.attempt.key, level=job.level and job.level.value) as told:  # fmt: skip
        outcome, repeat = await _act_once_reached(room, job)
        attempted(kind, job.driver, outcome.result.value, time.perf_counter() - began)
        told.note(result=outcome.result.value)
        if outcome.result not in (Result.DONE, Result.LATE):
            told.fail(outcome.code)
        with span("record outcome", only_within=True, effect=job.effect_id) as recorded:
            ended = end_of(job, outcome, repeat, trace=recorded.traceparent)
            await desk.hand_in(job.partner_id, ended, is_message=job.message is not None)


async def _act_once_reached(room: DriverRoom, job: Job) -> tuple[Outcome, Repeat]:
    """As `act`, once its driver's settings can be read: an attempt that was let go with nobody acting on it would be
    taken for one that may have been sent. A driver sends nothing after `send_before`."""
    while True:
        try:
            return await act(room, job)
        except AWAY as away:
            log.warning("settings_wait", driver=job.driver, effect=job.effect_id, error=type(away).__name__)
        while not await asyncio.to_thread(_is_reached, room, job.partner_id):  # apart: a silent server takes seconds
            await asyncio.sleep(_TRY_AGAIN_SECONDS)


def _is_reached(room: DriverRoom, partner_id: int) -> bool:
    try:
        room.names(partner_id, "supply")
    except AWAY:
        return False
    return True


def end_of(job: Job, outcome: Outcome, repeat: Repeat, *, trace: str = "") -> Ended:
    """An attempt's end, as it is written."""
    return Ended(job.account_id, job.effect_id, job.attempt_id, job.driver, outcome, repeat, trace)


async def gather_all(tasks: list[Awaitable[None]]) -> None:
    """Wait for all; the first bug is raised after the others have ended."""
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
