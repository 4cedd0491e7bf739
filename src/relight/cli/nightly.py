"""The nightly audit: a live partner's last two days in the small hours of its own clock, and everything once a week."""

import asyncio
import os
import sys
from contextlib import ExitStack
from datetime import datetime, timedelta

import structlog

from relight.flow.database import Database
from relight.flow.road.due import Only, partners
from relight.flow.watch import audits
from relight.telemetry import folder

log = structlog.get_logger(__name__)

_LOOK_EVERY_SECONDS = 600
_LOOKED_AT = timedelta(days=2)
_AUDITED = (0, 1)  # nothing was found, or something, which is an alarm; else the audit itself has failed


async def watch_over(db: Database, only: Only, *, pause: float = _LOOK_EVERY_SECONDS) -> None:
    """Make each partner's audit when it is due, one after another, for good; what is found becomes an alarm."""
    while True:
        await asyncio.sleep(pause)
        for partner_id in await asyncio.to_thread(partners, db, only):
            await _audit(db, partner_id)


async def _audit(db: Database, partner_id: int) -> None:
    """In a process of its own, since reading for minutes would hold up our loops; ended when we are."""
    with ExitStack() as held:
        now = await asyncio.to_thread(db.clock)
        due = await asyncio.to_thread(_begin, held, db, partner_id, now)
        if due is None:
            return
        slug, is_whole = due
        since = [] if is_whole else ["--since", (now - _LOOKED_AT).isoformat()]
        words = ["-m", "relight.project.main", "audit", "--partner", slug, *since]
        nowhere = asyncio.subprocess.DEVNULL
        alone = {name: value for name, value in os.environ.items() if name != folder.VARIABLE}  # no figures of ours
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdout=nowhere, stderr=nowhere, env=alone
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise
    told = log.info if code in _AUDITED else log.error
    told("audited", partner=slug, why="everything" if is_whole else "lately", code=code)


def _begin(held: ExitStack, db: Database, partner_id: int, now: datetime) -> tuple[str, bool] | None:
    """A transaction that stays open meanwhile: as long as we live, nobody else makes this audit."""
    return audits.begin(held.enter_context(db.transaction(partner_id)), now)
