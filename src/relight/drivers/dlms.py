"""Power on and off at the customer's meter: DLMS/COSEM, remote_disconnect and remote_reconnect, proven by reading back.

A meter takes one association at a time, so exchanges with one meter follow one another; many meters go in parallel on
threads of the driver's own, of which reads get a quarter at most: who is to be restored does not stand behind meters
that somebody looks at. Every exchange is one TCP connection: an answer that comes after we gave up dies with its
connection and is never taken for the answer to something newer. Source: IEC 62056-6-2, Disconnect Control (class 70).
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime
from typing import TypeVar
from weakref import WeakValueDictionary

from relight.core.levels import Level
from relight.drivers.dlms_settings import DlmsSettings, WrongAddress
from relight.drivers.dlms_tcp import LineError, Silent
from relight.drivers.dlms_wire import (
    REMOTE_DISCONNECT,
    REMOTE_RECONNECT,
    ActionRefused,
    Breaker,
    MeterLine,
    MeterRefused,
)
from relight.flow.effects.port import Attempt, Outcome, Repeat, Result
from relight.flow.supply.port import Observation, Target
from relight.telemetry.traces import span

_METHODS = {Level.OFF: REMOTE_DISCONNECT, Level.FULL: REMOTE_RECONNECT}
_LEVELS = {(0, False): Level.OFF, (1, True): Level.FULL, (2, False): Level.READY}  # control_state, relay closed
_MODES_WITHOUT_BUTTON = (2, 4)
_SETTLE_POLL_SECONDS = 0.1

_T = TypeVar("_T")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DlmsDriver:
    """Sets meters to FULL and OFF. Settings: see `DlmsSettings`; raises `WrongSettings`.

    `Target.address` is `{"host", "port"}` and, where a meter differs from the rest, `"server_address"`;
    `Target.serial` is the meter that must answer there, for a cut and for a restore: mains may be worked on behind a
    meter that we have no business with.
    """

    name = "dlms"
    repeat = Repeat.SAFE
    levels = frozenset({Level.FULL, Level.OFF})

    def __init__(self, settings: Mapping[str, object], *, clock: Callable[[], datetime] = _utc_now) -> None:
        self._settings = DlmsSettings.read(settings)
        self._clock = clock
        self._threads = ThreadPoolExecutor(self._settings.meters_max, thread_name_prefix="dlms")
        self._looks = asyncio.Semaphore(max(1, self._settings.meters_max // 4))
        self._turns: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()
        self._lines: set[MeterLine] = set()

    async def apply(self, target: Target, level: Level, attempt: Attempt) -> Outcome:
        """Cut or reconnect, and read back. Codes of our own: `level_not_supported`, `wrong_address`, `no_serial`,
        `wrong_device`, `control_mode_0` (refused), `unreachable`, `malformed_answer` (busy), `no_answer`,
        `line_closed`, `malformed_answer`, `state_disagrees` (unknown); all others are the meter's."""
        if level not in self.levels:
            return Outcome(Result.REFUSED, code="level_not_supported", detail=f"a meter cannot be set to {level}")
        if not target.serial:
            return Outcome(Result.REFUSED, code="no_serial", detail="no meter serial is registered for this service")
        try:
            access = self._settings.access(target.address)
        except WrongAddress as error:
            return Outcome(Result.REFUSED, code="wrong_address", detail=str(error))
        line = MeterLine(access)
        return await self._exchange(access.meter, line, lambda: self._set(line, target.serial, level, attempt))

    async def read(self, target: Target) -> Observation:
        """Read the breaker, at the cost of one connection and two requests. Without a level, `proof` is the code
        of what went wrong; a meter with another serial has no say about this service (`wrong_device`)."""
        try:
            access = self._settings.access(target.address)
        except WrongAddress:
            return Observation(None, self._clock(), proof="wrong_address")
        line = MeterLine(access)
        async with self._looks:  # before the meter's turn: a read that waits here holds up no command
            return await self._exchange(access.meter, line, lambda: self._observe(line, target.serial))

    async def aclose(self) -> None:
        """Hang up every line and end the threads."""
        for line in list(self._lines):
            line.abort()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def _exchange(self, meter: tuple[str, int], line: MeterLine, work: Callable[[], _T]) -> _T:
        turn = self._turns.setdefault(meter, asyncio.Lock())
        async with turn:
            self._lines.add(line)
            job = self._threads.submit(copy_context().run, work)  # within the trace of this command
            end = asyncio.wrap_future(job)
            try:
                return await asyncio.shield(end)
            except asyncio.CancelledError:
                if not job.cancel():
                    # The next exchange may begin only when this one has let go of the meter.
                    line.abort()
                    await asyncio.wait([end])
                raise
            finally:
                self._lines.discard(line)

    def _set(self, line: MeterLine, serial: str, level: Level, attempt: Attempt) -> Outcome:
        try:
            if self._clock() >= attempt.send_before:
                return Outcome.late()
            with line:
                before = line.read()
                settled = _without_sending(before, serial, level)
                if settled is not None:
                    return settled
                if self._clock() >= attempt.send_before:
                    return Outcome.late()
                with span("move breaker", only_within=True):
                    line.act(_METHODS[level])
                with span("read back", only_within=True):
                    return self._prove(line, before, level)
        except LineError as error:
            return _failed(error, acted=line.acted, retry_after_seconds=self._settings.retry_after_seconds)

    def _prove(self, line: MeterLine, before: Breaker, level: Level) -> Outcome:
        wanted = _wanted(level, before.control_mode)
        deadline = time.monotonic() + self._settings.settle_seconds
        while True:
            after = line.read_back(before)
            if _level(after) in wanted:
                return _done(after, sent=True)
            if time.monotonic() >= deadline:
                detail = f"after success the meter says state {after.control_state}, relay closed {after.closed}"
                facts = {**_facts(after), "sent": True}
                return Outcome(Result.UNKNOWN, code="state_disagrees", detail=detail, facts=facts)
            time.sleep(_SETTLE_POLL_SECONDS)

    def _observe(self, line: MeterLine, serial: str) -> Observation:
        try:
            with line:
                seen = line.read()
        except LineError as error:
            return Observation(None, self._clock(), proof=_code_before_sending(error))
        if serial and seen.serial != serial:
            return Observation(None, self._clock(), proof="wrong_device", serial=seen.serial)
        return Observation(_level(seen), self._clock(), proof="control_state", serial=seen.serial)


def _level(breaker: Breaker) -> Level | None:
    """The level that control state and relay agree on; None when they contradict each other."""
    return _LEVELS.get((breaker.control_state, breaker.closed))


def _wanted(level: Level, control_mode: int) -> frozenset[Level]:
    """What a read-back may show after success: with a button the customer may have been quick."""
    if level is Level.OFF:
        return frozenset({Level.OFF})
    if control_mode in _MODES_WITHOUT_BUTTON:
        return frozenset({Level.FULL})
    return frozenset({Level.READY, Level.FULL})


def _without_sending(before: Breaker, serial: str, level: Level) -> Outcome | None:
    """How an attempt ends that needs no action, or may not have one; None when the breaker has to move."""
    if before.serial != serial:
        detail = "another meter answers at this access point; nothing was sent"
        return Outcome(Result.REFUSED, code="wrong_device", detail=detail, facts={"serial": before.serial})
    there_already = {Level.OFF} if level is Level.OFF else {Level.FULL, Level.READY}
    if _level(before) in there_already:
        return _done(before, sent=False)
    if before.control_mode == 0:
        return Outcome(Result.REFUSED, code="control_mode_0", detail="this meter's breaker is not remotely controlled")
    return None


def _done(breaker: Breaker, *, sent: bool) -> Outcome:
    return Outcome(Result.DONE, detail="" if sent else "there already", facts={**_facts(breaker), "sent": sent})


def _facts(breaker: Breaker) -> dict[str, object]:
    return {
        "observed": _level(breaker),
        "proof": "control_state",
        "serial": breaker.serial,
        "control_mode": breaker.control_mode,
    }


def _failed(error: LineError, *, acted: bool, retry_after_seconds: int) -> Outcome:
    """The end of an attempt whose line failed: before the action nothing was done, after it nobody knows."""
    if isinstance(error, ActionRefused) or (isinstance(error, MeterRefused) and not acted):
        if not error.transient:
            return Outcome(Result.REFUSED, code=error.code, detail=error.detail)
    elif acted:
        return Outcome(Result.UNKNOWN, code=error.code, detail=error.detail)
    code = _code_before_sending(error)
    return Outcome(Result.BUSY, code=code, detail=error.detail, retry_after_seconds=retry_after_seconds)


def _code_before_sending(error: LineError) -> str:
    """Silence before the action is one thing to the worker, however it came about."""
    return "unreachable" if isinstance(error, Silent) else error.code
