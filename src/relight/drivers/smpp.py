"""SMS over SMPP 3.4, both ways: sends, and listens for delivery receipts and customers' answers.

SMPP cannot deduplicate, and asking for a message's state (`query_sm`) is optional and rarely offered. So a message
whose answer never came is not repeated: `repeat` is NEVER, a person or another channel takes over. What surely was
not sent (link down, throttled, queue full) is BUSY, which the worker may repeat at will.
"""

import asyncio
import logging
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from smpplib import consts

from relight.drivers.message_settings import read_settings
from relight.drivers.smpp_inbound import (
    Delivery,
    Joiner,
    Reading,
    is_receipt,
    plain_id,
    read_inbound,
    read_piece,
    read_receipt,
)
from relight.drivers.smpp_link import Link, NoAnswer, NotSent, TooLate
from relight.drivers.smpp_settings import SmppSettings
from relight.drivers.smpp_submit import BUSY, THROTTLED, describe, submits
from relight.flow.effects.port import Attempt, Outcome, Repeat, Result
from relight.flow.messages.port import Channel, Inbound, Message, Receipt, Sink

log = logging.getLogger(__name__)

_RETRY_SECONDS = 5
_LANES = 64  # receipts are handled side by side, those of one number in order
_HELD_MAX = 2_000


@dataclass(frozen=True, slots=True)
class _PartEnd:
    """How one part ended: DONE with the SMSC's id, or not."""

    result: Result
    code: str = ""
    provider_id: str = ""


class SmppDriver:
    """Sends and receives SMS through one bind as a transceiver. See `MessageDriver` for the contract."""

    name = "smpp"
    channel = Channel.SMS
    repeat = Repeat.NEVER

    def __init__(
        self, settings: Mapping[str, object], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._settings = read_settings("smpp", SmppSettings, settings)
        self._clock = clock
        self._reading = Reading(
            plain=self._settings.data_coding,
            receipt_id_base=self._settings.receipt_id_base,
            receipt_zone=self._settings.receipt_timezone,
            country_code=self._settings.country_code,
        )
        self._held: asyncio.Queue[Delivery] = asyncio.Queue(maxsize=_HELD_MAX)
        self._link = Link(self._settings, self._hold)
        self._quiet_until = 0.0  # by the loop's clock: the SMSC asked us to slow down
        self._quiet_seconds = 0.0

    async def send(self, message: Message, attempt: Attempt) -> Outcome:
        """Send one SMS in as many parts as it takes; DONE once the SMSC has answered for each of them."""
        try:
            parts = submits(message, attempt.key, self._settings)
        except ValueError as error:
            return Outcome(Result.REFUSED, code=error.args[0], detail="the message cannot be sent as an SMS")
        self._link.start()
        seconds_left = (attempt.send_before - self._clock()).total_seconds()
        if seconds_left <= 0:
            return Outcome.late()
        quiet = self._quiet_until - asyncio.get_running_loop().time()
        if quiet > seconds_left:
            return self._busy("throttled", math.ceil(quiet))
        await asyncio.sleep(max(0.0, quiet))
        if not await self._link.wait_bound(seconds_left - max(0.0, quiet)):
            return self._busy(self._link.trouble)
        return await self._send_parts(parts, attempt)

    async def listen(self, sink: Sink) -> None:
        """Hand receipts and messages to `sink`; answer the SMSC for each only when `sink` has returned."""
        self._link.start()
        lanes: list[asyncio.Queue[Delivery]] = [asyncio.Queue(maxsize=_HELD_MAX) for _ in range(_LANES)]
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(self._drain(lane, sink))
            while True:
                delivery = await self._held.get()
                await lanes[zlib.crc32(delivery.sender.encode()) % _LANES].put(delivery)

    async def aclose(self) -> None:
        """Unbind and disconnect. What was not acknowledged comes again at the next bind."""
        await self._link.aclose()

    async def _send_parts(self, parts: list[dict[str, object]], attempt: Attempt) -> Outcome:
        """Once a part is out, the others are tried again for a while: half a message helps nobody."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._settings.response_seconds
        begun = False

        def may_leave() -> bool:
            nonlocal begun
            begun = begun or self._clock() < attempt.send_before
            return begun

        ends: dict[int, _PartEnd] = {}
        while True:
            open_ = [number for number in range(len(parts)) if number not in ends or ends[number].result != Result.DONE]
            results = await asyncio.gather(*(self._send_part(parts[number], may_leave) for number in open_))
            ends.update(zip(open_, results, strict=True))
            outcome = self._together([ends[number] for number in range(len(parts))])
            if outcome.code != "partial" or loop.time() >= give_up_at:
                return outcome
            await asyncio.sleep(max(0.1, self._quiet_until - loop.time()))
            await self._link.wait_bound(give_up_at - loop.time())

    async def _send_part(self, fields: dict[str, object], may_leave: Callable[[], bool]) -> _PartEnd:
        try:
            answer = await self._link.submit(may_leave, **fields)
        except TooLate:
            return _PartEnd(Result.LATE)
        except NotSent:
            return _PartEnd(Result.BUSY, self._link.trouble)
        except NoAnswer as silence:
            return _PartEnd(Result.UNKNOWN, str(silence))
        if answer.status == consts.SMPP_ESME_ROK:
            self._quiet_seconds = 0.0
            return _PartEnd(Result.DONE, provider_id=plain_id(answer.message_id, self._settings.submit_id_base))
        if answer.status in THROTTLED:
            self._slow_down()
        busy = answer.status in BUSY or answer.status in self._settings.busy_statuses
        return _PartEnd(Result.BUSY if busy else Result.REFUSED, str(answer.status))

    def _together(self, ends: list[_PartEnd]) -> Outcome:
        """One outcome for all parts. `partial` is what `_send_parts` may still mend."""
        facts = {"provider_ids": [end.provider_id for end in ends if end.result == Result.DONE], "parts": len(ends)}
        by_result = {end.result: end for end in reversed(ends)}
        if set(by_result) == {Result.DONE}:
            return Outcome(Result.DONE, code="0", facts=facts)
        if Result.UNKNOWN in by_result:
            code = by_result[Result.UNKNOWN].code
            return Outcome(Result.UNKNOWN, code=code, detail="sent, but the SMSC did not answer", facts=facts)
        if Result.REFUSED in by_result:
            code = by_result[Result.REFUSED].code
            return Outcome(Result.REFUSED, code=code, detail=f"the SMSC refused: {describe(code)}", facts=facts)
        if Result.DONE in by_result:
            return Outcome(Result.UNKNOWN, code="partial", detail="only some parts were accepted", facts=facts)
        if Result.LATE in by_result:
            return Outcome.late()
        quiet = self._quiet_until - asyncio.get_running_loop().time()
        return self._busy(by_result[Result.BUSY].code, max(1, math.ceil(quiet)) if quiet > 0 else _RETRY_SECONDS)

    def _busy(self, code: str, retry_after_seconds: int = _RETRY_SECONDS) -> Outcome:
        detail = f"not sent: {describe(code)}"
        return Outcome(Result.BUSY, code=code, detail=detail, retry_after_seconds=retry_after_seconds)

    def _slow_down(self) -> None:
        """Once for each pause, however many messages of the window were told so."""
        now = asyncio.get_running_loop().time()
        if now < self._quiet_until:
            return
        doubled = max(self._settings.throttle_seconds, self._quiet_seconds * 2)
        self._quiet_seconds = min(doubled, self._settings.throttle_seconds_max)
        self._quiet_until = now + self._quiet_seconds

    def _hold(self, delivery: Delivery) -> None:
        try:
            self._held.put_nowait(delivery)
        except asyncio.QueueFull:
            delivery.answer(consts.SMPP_ESME_RX_T_APPN)

    async def _drain(self, lane: asyncio.Queue[Delivery], sink: Sink) -> None:
        loop = asyncio.get_running_loop()
        joiner = Joiner(self._settings.join_seconds)
        while True:
            try:
                async with asyncio.timeout(joiner.wait_seconds(loop.time())):
                    delivery = await lane.get()
            except TimeoutError:
                ready = joiner.expired(loop.time())
            else:
                if is_receipt(delivery):
                    receipt = read_receipt(delivery, self._reading, self._clock())
                    await _hand_over(receipt, [delivery], sink)
                    continue
                ready = joiner.add(read_piece(delivery, self._reading), delivery, loop.time())
            for text, deliveries in ready:
                await _hand_over(read_inbound(text, deliveries, self._reading, self._clock()), deliveries, sink)


async def _hand_over(event: Receipt | Inbound | None, deliveries: list[Delivery], sink: Sink) -> None:
    """Answer yes when `sink` has it; when it could not take it, ask the SMSC to come again."""
    status = consts.SMPP_ESME_ROK
    if event is None:
        log.warning("a delivery receipt without a message id; dropped")
    else:
        try:
            await sink(event)
        except Exception:  # whatever the sink's trouble is, the SMSC keeps the message and brings it again
            log.exception("could not store what the SMSC sent; it will come again")
            status = consts.SMPP_ESME_RX_T_APPN
    for delivery in deliveries:
        delivery.answer(status)
