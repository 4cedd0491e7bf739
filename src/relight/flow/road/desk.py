"""The desk where attempts' ends are handed in: those that come while others are being written are written together.

A burst of a hundred messages ends within a few milliseconds, and a transaction for each would cost more than all else
that is done for it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from relight.flow.database import AWAY, Database
from relight.flow.road.ends import Ended, finish
from relight.flow.road.moment import Moment, as_told

log = structlog.get_logger(__name__)

AT_ONCE = 50
WRITE_WITHIN = 600.0  # seconds that an end is kept while the database is away
_TRY_AGAIN_SECONDS = 1


@dataclass(slots=True)
class Line:
    """A partner's ends that wait to be written."""

    waiting: deque[Ended] = field(default_factory=deque[Ended])
    writer: asyncio.Task[None] | None = None

    def next_batch(self) -> list[Ended]:
        """The first in the line, of an account at most one; the others keep their places."""
        batch, left, accounts = list[Ended](), list[Ended](), set[int]()
        while self.waiting and len(batch) < AT_ONCE:
            one = self.waiting.popleft()
            (left if one.account_id in accounts else batch).append(one)
            accounts.add(one.account_id)
        self.waiting.extendleft(reversed(left))
        return batch


class Desk:
    """Writes ends, for each partner one batch at a time; commands' apart from messages', which are many."""

    def __init__(self, db: Database, clock: Callable[[], datetime], *, moment: Moment = as_told):
        self.db, self.clock, self.moment = db, clock, moment
        self._lines: dict[tuple[int, bool], Line] = {}
        self._told: dict[int, asyncio.Future[None]] = {}

    async def hand_in(self, partner_id: int, ended: Ended, *, is_message: bool) -> None:
        """Until it is written. Raises what the writing raised: only we know how the attempt ended, so while the
        database is away (it fails over, say) it is kept and tried again."""
        line = self._lines.setdefault((partner_id, is_message), Line())
        self._told[ended.attempt_id] = written = asyncio.get_running_loop().create_future()
        line.waiting.append(ended)
        if line.writer is None:
            line.writer = asyncio.create_task(self._write_all(partner_id, line))
        await written

    async def _write_all(self, partner_id: int, line: Line) -> None:
        try:
            while batch := line.next_batch():
                await self._write(partner_id, batch)
        finally:
            line.writer = None

    async def _write(self, partner_id: int, batch: list[Ended]) -> None:
        until = time.monotonic() + WRITE_WITHIN
        while True:
            try:
                await asyncio.to_thread(self._finish, partner_id, batch)
            except AWAY as away:
                if time.monotonic() > until:
                    return self._tell(batch, away)
                log.warning("outcome_waits", count=len(batch), error=type(away).__name__)
                await asyncio.sleep(_TRY_AGAIN_SECONDS)
            except Exception as bug:
                log.exception("outcome_fails", count=len(batch))
                if len(batch) == 1:
                    return self._tell(batch, bug)
                for one in batch:  # whichever it is, the others' ends shall not be lost with it
                    await self._write(partner_id, [one])
                return None
            else:
                return self._tell(batch)

    def _finish(self, partner_id: int, batch: list[Ended]) -> None:
        finish(self.db, partner_id, batch, self.clock(), moment=self.moment)

    def _tell(self, batch: list[Ended], wrong: Exception | None = None) -> None:
        for one in batch:
            written = self._told.pop(one.attempt_id)
            if written.done():  # nobody waits for it any more
                continue
            if wrong is None:
                written.set_result(None)
            else:
                written.set_exception(wrong)
