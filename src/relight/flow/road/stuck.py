"""A case that cannot be decided, or an effect that cannot leave, holds up nobody else.

A batch that failed is done again one by one. What fails by itself too rests for a while and is tried again, for as long
as it takes; a person is told at once, since whoever has paid must not wait for a mended program.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

import psycopg
import structlog

from relight.flow.cases.operations import lock_accounts
from relight.flow.cases.tasks import add_task
from relight.flow.database import Database, Tx, statements
from relight.flow.road.record import VersionMoved
from relight.telemetry import metrics

log = structlog.get_logger(__name__)
SQL = statements(__package__, "stuck.sql")
RESTS = {"urgent": timedelta(minutes=1), "bulk": timedelta(minutes=15)}
STUCK_MAX = 5  # of one batch: where more fail, it is hardly them, and the rest of the batch is left for the next round
CODE = "case_stuck"

T = TypeVar("T")
One = TypeVar("One")


def may_be_one(error: Exception) -> bool:
    """Whether a single case of a batch may be to blame: not where the database or this host has a trouble of its own,
    the tables are others than ours, or another worker was faster."""
    if isinstance(error, psycopg.Error):
        return isinstance(error, psycopg.IntegrityError | psycopg.DataError | psycopg.errors.CardinalityViolation)
    return not isinstance(error, VersionMoved | OSError | MemoryError)


def one_by_one(batch: Iterable[One], do: Callable[[One], T], put_off: Callable[[One, Exception], None]) -> list[T]:
    """Do each by itself, and put off which fails; what the others came to. Raises what is no single one's fault, unless
    something is done by then: it shall not be lost, and the next round meets the trouble again."""
    done: list[T] = []
    stuck = 0
    for one in batch:
        try:
            done.append(do(one))
        except Exception as error:
            if not may_be_one(error):
                if done:
                    break
                raise
            put_off(one, error)
            stuck += 1
            if stuck == STUCK_MAX:
                break
    return done


def put_off_case(
    db: Database, partner_id: int, lane: str, case_id: int, account_id: int, error: Exception, now: datetime
) -> None:
    """Let a case rest that could not be decided."""
    _say("decide", lane, error, case=case_id)
    with db.transaction(partner_id) as tx:
        lock_accounts(tx, [account_id])
        tx.run(SQL.rest_case, {"case": case_id, "until": now + RESTS[lane], "now": now})
        _tell_somebody(tx, case_id, account_id, error, now)


def lock_account_of(tx: Tx, effect_id: int) -> None:
    """Take the lock of the account that an effect is about."""
    tx.lock(SQL.lock_account, {"effect": effect_id})


def put_off_effect(db: Database, partner_id: int, lane: str, effect_id: int, error: Exception, now: datetime) -> None:
    """Let an effect rest that could not be released."""
    _say("release", lane, error, effect=effect_id)
    with db.transaction(partner_id) as tx:
        lock_account_of(tx, effect_id)
        for case_id, account_id in tx.rows(SQL.rest_effect, {"effect": effect_id, "until": now + RESTS[lane]}):
            _tell_somebody(tx, case_id, account_id, error, now)


def _say(stage: str, lane: str, error: Exception, **about: int) -> None:
    log.error(CODE, loop=f"{stage} {lane}", **about, exc_info=error)
    metrics.failed(f"{stage} {lane}", type(error).__name__)


def _tell_somebody(tx: Tx, case_id: int, account_id: int, error: Exception, now: datetime) -> None:
    add_task(
        tx,
        case_id=case_id,
        account_id=account_id,
        code=CODE,
        due_at=now,
        dedup=f"stuck-{case_id}",
        now=now,
        params={"error": type(error).__name__},
        urgent=True,
    )
