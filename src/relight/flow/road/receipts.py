"""Receipts of delivery: those that come while others are being written are written together.

A phone company sends one for each part of each message, at the pace of the messages; a transaction for each would take
from who pays.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from relight.flow.cases.operations import locked_at, wake_cases
from relight.flow.database import AWAY, Database
from relight.flow.messages.handlers import SQL
from relight.flow.messages.port import Receipt

log = structlog.get_logger(__name__)

AT_ONCE = 50
_GATHER_SECONDS = 0.1  # nobody waits for a receipt; where several come, more will


@dataclass(frozen=True, slots=True)
class _Waiting:
    told: Receipt
    is_known: asyncio.Future[bool]


class Receipts:
    """Of one partner's messages. `write` says of each receipt whether its message is known."""

    def __init__(self, write: Callable[[Sequence[Receipt]], list[bool]]):
        self._write = write
        self._waiting: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._several = False

    async def take(self, told: Receipt) -> bool:
        """Until it is written; whether its message is known. Raises what the writing raised: then it is not."""
        one = _Waiting(told, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        return await one.is_known

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                if self._several and len(self._waiting) < AT_ONCE:
                    await asyncio.sleep(_GATHER_SECONDS)
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), AT_ONCE))]
                self._several = len(batch) > 1
                await self._write_down(batch)
        finally:
            self._writer = None

    async def _write_down(self, batch: Sequence[_Waiting]) -> None:
        try:
            known = await asyncio.to_thread(self._write, [one.told for one in batch])
        except AWAY as away:
            return _answer(batch, [away] * len(batch))
        except Exception as bug:
            log.exception("receipts_fail", count=len(batch))
            if len(batch) == 1:
                return _answer(batch, [bug])
            for one in batch:  # whichever it is, the others shall not come again because of it
                await self._write_down([one])
            return None
        return _answer(batch, known)


def _answer(batch: Sequence[_Waiting], answers: Sequence[bool | Exception]) -> None:
    for one, answer in zip(batch, answers, strict=True):
        if one.is_known.done():  # who told us was stopped meanwhile
            continue
        if isinstance(answer, Exception):
            one.is_known.set_exception(answer)
        else:
            one.is_known.set_result(answer)


def write_delivered(db: Database, partner_id: int, told: Sequence[Receipt], now: datetime) -> list[bool]:
    """Messages were delivered, and their cases think again; of each receipt whether its message is known (yet). The
    first receipt of a message counts."""
    with db.transaction(partner_id) as tx:
        names = {"provider_ids": [one.provider_id for one in told], "keys": [one.key for one in told]}
        found = {number - 1: rest for number, *rest in tx.rows(SQL.messages_of, names)}
        first = {message[0]: number for number, message in sorted(found.items(), reverse=True)}
        if first:
            now = locked_at(tx, sorted({account_id for _, _, account_id, *_ in found.values()}), now)
            times = {"messages": [*first], "at": [told[number].at for number in first.values()]}
            news = tx.rows(SQL.delivered, times)
            wake_cases(tx, sorted({row[0] for row in news}), now, urgent=False)
    return [number in found for number in range(len(told))]
