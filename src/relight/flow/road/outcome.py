"""Outcomes: what a driver's attempt came to, written as facts; the next turn of the case sees them.

By class of failure: busy and unknown attempts are repeated with growing pauses where that is safe; refusals are not. A
restore is repeated for a day, with an alarm for a person after the third failure; anything given up becomes a task.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from relight.flow.cases.operations import add_task, lock_accounts, wake_case
from relight.flow.database import Database, Tx, statements
from relight.flow.effects import rests
from relight.flow.effects.port import Outcome, Repeat, Result
from relight.flow.handover import operations as handover
from relight.flow.messages import handlers as messages
from relight.flow.supply import operations as supply
from relight.flow.traces.operations import remember
from relight.telemetry import metrics

SQL = statements("relight.flow.effects", "release.sql")
ATTEMPTS_MAX = 8
ALARM_AFTER = 3
LOST = "lost"
LOST_MAX = 5  # in a row, after which an attempt is what ends workers, and a person has to look
_LOST_PAUSE = 1  # second: nobody was busy
RESTORE_FOR = timedelta(hours=24)
_PAUSES = (5, 15, 60, 300, 900, 3600)
_RESTORE_PAUSE_MAX = 60
_PERSON_WITHIN = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class _Effect:
    """An effect, and what its service is to be by now."""

    id: int
    case_id: int
    account_id: int
    kind: str
    service_id: int | None
    level: str
    generation: int | None
    attempts: int
    created_at: datetime
    lane: str
    state: str
    template: str
    newest_generation: int | None
    desired: str | None
    channel: str

    @property
    def restores(self) -> bool:
        """A command that gives something back: the urgent ones."""
        return self.kind == "supply" and self.lane == "urgent"

    @property
    def is_newest(self) -> bool:
        """No newer command took over."""
        return self.generation == self.newest_generation


def finish(
    db: Database,
    *,
    partner_id: int,
    account_id: int,
    effect_id: int,
    attempt_id: int,
    driver: str,
    outcome: Outcome,
    repeat: Repeat,
    now: datetime,
) -> None:
    """Write one attempt's end. An answer to an attempt that was already given up for lost is kept beside it."""
    with db.transaction(partner_id) as tx:
        lock_accounts(tx, [account_id])
        row = tx.row(SQL.effect, {"effect": effect_id})
        assert row is not None, "an attempt without its effect"
        effect = _Effect(*row)
        ended = tx.row(
            SQL.finish_attempt,
            {
                "attempt": attempt_id,
                "now": now,
                "result": outcome.result.value,
                "code": outcome.code[:100],
                "detail": outcome.detail[:500],
                "facts": Jsonb(dict(outcome.facts)),
            },
        )
        if ended is None and outcome.code == LOST:
            return  # another worker missed the same one, or its end was written meanwhile
        if ended is None:
            _late(tx, effect, attempt_id, outcome, now)
        else:
            _settle(tx, effect, outcome, repeat, now)
        wake_case(tx, effect.case_id, now, urgent=effect.kind == "supply" or effect.lane == "urgent")
        remember(tx, [account_id], now)
        if ended is not None:
            rests.note(tx, kind=effect.kind, attempt_id=attempt_id, outcome=outcome, now=now)
        restored_after = _restored_after(tx, effect, outcome, now) if ended is not None else None
    if restored_after is not None:
        metrics.RESTORE_SECONDS.labels(driver).observe(restored_after)


def _restored_after(tx: Tx, effect: _Effect, outcome: Outcome, now: datetime) -> float | None:
    """Seconds from the payment that asked for a restore (else its decision) to this proof of it."""
    if outcome.result is not Result.DONE or not effect.restores or not effect.is_newest:
        return None
    paid_at = tx.value(SQL.paid_at, {"account": effect.account_id, "decided_at": effect.created_at})
    return max(0.0, (now - (paid_at or effect.created_at)).total_seconds())


def lost(db: Database, partner_id: int, repeat_of: Any, now: datetime, *, limit: int = 100) -> int:
    """Attempts whose lease ran out end as unknown; `repeat_of` tells a driver's promise by its name. How many."""
    with db.transaction(partner_id) as tx:
        rows = tx.rows(SQL.lost, {"now": now, "limit": limit})
    for effect_id, account_id, attempt_id, driver in rows:
        outcome = Outcome(Result.UNKNOWN, code=LOST, detail="nobody saw the end of this attempt")
        finish(
            db,
            partner_id=partner_id,
            account_id=account_id,
            effect_id=effect_id,
            attempt_id=attempt_id,
            driver=driver,
            outcome=outcome,
            repeat=repeat_of(driver),
            now=now,
        )
        metrics.LOST.labels(driver).inc()
    return len(rows)


def _late(tx: Tx, effect: _Effect, attempt_id: int, outcome: Outcome, now: datetime) -> None:
    """An older attempt answers after all: believe nothing of it, but look again where another level is wanted now."""
    said = {"result": outcome.result.value, "code": outcome.code, "at": now.isoformat()}
    tx.run(SQL.late_answer, {"attempt": attempt_id, "facts": Jsonb(said)})
    if effect.service_id is not None and outcome.result is not Result.LATE and not effect.is_newest:
        supply.forget(tx, effect.service_id, now)


def _settle(tx: Tx, effect: _Effect, outcome: Outcome, repeat: Repeat, now: datetime) -> None:
    if effect.service_id is not None and (outcome.result is Result.UNKNOWN or outcome.facts.get("begun")):
        supply.forget(tx, effect.service_id, now)  # it may have happened: a payment now must not find it "still on"
    match outcome.result:
        case Result.DONE:
            _done(tx, effect, outcome, now)
        case Result.REFUSED:
            _refused(tx, effect, outcome, now)
        case Result.LATE:
            _again(tx, effect, now, "late")
        case Result.BUSY:
            _retry(tx, effect, outcome, now)
        case Result.UNKNOWN:
            if repeat is Repeat.NEVER or _ends_workers(tx, effect, outcome):
                _give_up(tx, effect, outcome, now)
            else:
                _retry(tx, effect, outcome, now)


def _ends_workers(tx: Tx, effect: _Effect, outcome: Outcome) -> bool:
    """Whether attempt after attempt took its worker along: one more would take the next, with all that it has begun."""
    if outcome.code != LOST or (effect.kind == "supply" and not effect.is_newest):
        return False
    ends = tx.value(SQL.lost_of_last, {"effect": effect.id, "last": LOST_MAX, "code": LOST})
    return int(ends) >= LOST_MAX


def _done(tx: Tx, effect: _Effect, outcome: Outcome, now: datetime) -> None:
    _end(tx, effect, "done", now)
    if effect.kind == "message":
        told = outcome.facts.get("provider_ids", ())
        ids = [str(id_) for id_ in told] if isinstance(told, list | tuple) else []
        tx.run(messages.SQL.sent, {"effect": effect.id, "now": now, "provider_ids": ids})
        return
    if effect.kind == "handover":
        handover.went(tx, effect.id, what=effect.template, now=now)
        return
    assert effect.service_id is not None
    if effect.is_newest:
        observed = str(outcome.facts.get("observed") or effect.level)
        supply.observe(tx, effect.service_id, observed, str(outcome.facts.get("proof", "")), now)
    else:
        supply.forget(tx, effect.service_id, now)


def _refused(tx: Tx, effect: _Effect, outcome: Outcome, now: datetime) -> None:
    if effect.restores and now - effect.created_at < RESTORE_FOR:
        _retry(tx, effect, outcome, now)  # who paid is restored: a refusal is an alarm, not an end
    elif effect.kind == "message" or _is_back_already(tx, effect, outcome, now):
        _end(tx, effect, "refused", now, outcome.code)
    else:
        _give_up(tx, effect, outcome, now)


def _is_back_already(tx: Tx, effect: _Effect, outcome: Outcome, now: datetime) -> bool:
    """Whether an agency that is to give something back knows nothing of it."""
    if effect.kind != "handover":
        return False
    return handover.never_had(tx, effect.id, what=effect.template, code=outcome.code, now=now)


def _retry(tx: Tx, effect: _Effect, outcome: Outcome, now: datetime) -> None:
    if effect.kind == "supply" and not effect.is_newest:
        _end(tx, effect, "cancelled", now, "superseded")
        return
    if effect.restores:
        if effect.attempts >= ALARM_AFTER:
            _alarm(tx, effect, outcome, now)
        if now - effect.created_at >= RESTORE_FOR:
            _give_up(tx, effect, outcome, now)
            return
    elif effect.attempts >= ATTEMPTS_MAX:
        _give_up(tx, effect, outcome, now)
        return
    pause = outcome.retry_after_seconds or _PAUSES[min(effect.attempts, len(_PAUSES)) - 1]
    if outcome.code == LOST:
        pause = _LOST_PAUSE
    if effect.restores:
        pause = min(pause, _RESTORE_PAUSE_MAX, _PAUSES[min(effect.attempts, len(_PAUSES)) - 1])
    _again(tx, effect, now + timedelta(seconds=pause), outcome.code or outcome.result.value)


def _end(tx: Tx, effect: _Effect, state: str, now: datetime, why: str = "") -> None:
    tx.run(SQL.end, {"effect": effect.id, "state": state, "now": now, "why": why[:100]})
    metrics.ended(effect.kind, effect.channel, state)


def _again(tx: Tx, effect: _Effect, due_at: datetime, why: str) -> None:
    tx.run(SQL.again, {"effect": effect.id, "due_at": due_at, "why": why[:100]})


def _give_up(tx: Tx, effect: _Effect, outcome: Outcome, now: datetime) -> None:
    _end(tx, effect, "given_up", now, outcome.code)
    if effect.kind == "handover":
        handover.did_not_go(tx, effect.id, what=effect.template, now=now)
    _task(tx, effect, outcome, now, "given_up", urgent=effect.restores)


def _alarm(tx: Tx, effect: _Effect, outcome: Outcome, now: datetime) -> None:
    _task(tx, effect, outcome, now, "not_restored", urgent=True)


def _task(tx: Tx, effect: _Effect, outcome: Outcome, now: datetime, code: str, *, urgent: bool) -> None:
    add_task(
        tx,
        case_id=effect.case_id,
        account_id=effect.account_id,
        code=code,
        due_at=now if urgent else now + _PERSON_WITHIN,
        dedup=f"{code}-{effect.service_id or f'effect-{effect.id}'}",  # two kinds of numbers: 7 and 7 are not the same
        now=now,
        params={"kind": effect.kind, "level": effect.level, "template": effect.template, "service": effect.service_id,
                "code": outcome.code, "detail": outcome.detail, "attempts": effect.attempts},
        urgent=urgent,
    )  # fmt: skip
