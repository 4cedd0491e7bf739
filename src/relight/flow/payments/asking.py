"""A lost webhook is found by asking: what became of checkouts that somebody may have paid.

Each provider of each partner is asked on a thread of its own, so that one that does not answer keeps nobody waiting.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from relight.flow.apart import apart
from relight.flow.database import Database
from relight.flow.payments import queries
from relight.flow.payments.checkouts import OPEN_MAX, SQL
from relight.flow.payments.errors import UnableToPay
from relight.flow.payments.operations import record_notices
from relight.flow.payments.port import ProviderUnavailable
from relight.flow.payments.providers import FAILURES_MAX, Settings, provider
from relight.telemetry.traces import span

ASK_AFTER = timedelta(seconds=20)
YOUNG = timedelta(minutes=15)

_LOOP = "poll payments"
_AT_ONCE_MAX = 200
_THREADS = 8

_log = structlog.get_logger(__name__)


class _Turn(NamedTuple):
    """What one provider of one partner is asked: the payments' ids, and its own names for their pages."""

    partner_id: int
    settings: Settings
    name: str
    asked: Sequence[tuple[str, str]]


def poll_open_checkouts(db: Database, now: datetime) -> int:
    """Ask the providers what became of checkouts whose webhook may be lost; how many gave news.

    Call about every 20 seconds. A provider that does not answer is asked again the next time.
    """
    with db.transaction(None) as tx:
        partners: list[tuple[int, Settings]] = tx.rows(queries.SQL.partners)
    turns = list[_Turn]()
    for partner_id, settings in partners:
        with apart(_LOOP, partner_id):
            turns += _turns(db, partner_id, settings, now)
    if not turns:
        return 0
    with ThreadPoolExecutor(min(_THREADS, len(turns)), "asking providers") as threads:
        return sum(threads.map(lambda turn: _ask(db, turn, now), turns))


def _turns(db: Database, partner_id: int, settings: Settings, now: datetime) -> list[_Turn]:
    with db.transaction(partner_id) as tx:
        tx.run(SQL.expire_checkouts, {"now": now, "span_max": OPEN_MAX})
        spans = {"span_max": OPEN_MAX, "rest": ASK_AFTER, "young": YOUNG, "limit": _AT_ONCE_MAX}
        waiting = tx.rows(queries.SQL.open_checkouts, {"now": now, **spans})
    by_name: dict[str, list[tuple[str, str]]] = {}
    for name, ref, handle in waiting:
        by_name.setdefault(name, []).append((ref, handle))
    return [_Turn(partner_id, settings, name, asked) for name, asked in by_name.items()]


def _ask(db: Database, turn: _Turn, now: datetime) -> int:
    told = failures = 0
    for ref, handle in turn.asked:
        try:
            events = provider(turn.settings, turn.name).poll(ref, now, handle)
        except (ProviderUnavailable, UnableToPay, ValueError) as error:
            _log.warning("provider_not_asked", provider=turn.name, error=str(error))
            failures += 1
            if failures == FAILURES_MAX:
                break
            continue
        failures = 0
        if events:
            asked = span("payment asked for", partner=turn.partner_id, provider=turn.name)
            with apart(_LOOP, turn.partner_id), asked, db.transaction(turn.partner_id) as tx:
                told += len(record_notices(tx, provider_name=turn.name, events=events, now=now))
    return told
