"""Outcomes: what a driver's attempt came to, as facts; the next turn of the case sees them.

By class of failure: busy and unknown attempts are repeated with growing pauses where that is safe; refusals are not. A
restore is repeated for a day, with an alarm for a person after the third failure; anything given up becomes a task.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from psycopg.types.json import Jsonb

from relight.flow.cases.operations import close_tasks
from relight.flow.cases.tasks import add_task
from relight.flow.database import Tx, statements
from relight.flow.effects.port import Outcome, Repeat, Result
from relight.flow.handover import operations as handover
from relight.flow.supply import operations as supply

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
class Effect:
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
    paid_at: datetime | None

    @property
    def restores(self) -> bool:
        """A command that gives something back: the urgent ones."""
        return self.kind == "supply" and self.lane == "urgent"

    @property
    def is_waited_for(self) -> bool:
        """Whether something hangs on how it ended."""
        return self.kind == "supply" or (self.kind == "handover" and self.lane == "urgent")

    @property
    def is_newest(self) -> bool:
        """No newer command took over."""
        return self.generation == self.newest_generation


@dataclass(slots=True)
class Ends:
    """What becomes of a batch's effects, written together: (id, state, why); and messages' ids at their providers."""

    effects: list[tuple[int, str, str]] = field(default_factory=list[tuple[int, str, str]])
    sent: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])


def late(tx: Tx, effect: Effect, attempt_id: int, outcome: Outcome, now: datetime) -> None:
    """An older attempt answers after all: believe nothing of it, but look again where another level is wanted now."""
    said = {"result": outcome.result.value, "code": outcome.code, "at": now.isoformat()}
    tx.run(SQL.late_answer, {"attempt": attempt_id, "facts": Jsonb(said)})
    if effect.service_id is not None and outcome.result is not Result.LATE and not effect.is_newest:
        supply.forget(tx, effect.service_id, now)


def settle(tx: Tx, ends: Ends, effect: Effect, outcome: Outcome, repeat: Repeat, now: datetime) -> None:
    """What becomes of an effect after an attempt."""
    is_seen = outcome.result is Result.DONE and effect.is_newest
    may_have_happened = outcome.result is Result.UNKNOWN or outcome.facts.get("begun")
    if effect.service_id is not None and may_have_happened and not is_seen:
        supply.forget(tx, effect.service_id, now)  # a payment now must not find it "still on"
    match outcome.result:
        case Result.DONE:
            _done(tx, ends, effect, outcome, now)
        case Result.REFUSED:
            _refused(tx, ends, effect, outcome, now)
        case Result.LATE:
            _again(tx, effect, now, "late")
        case Result.BUSY:
            _retry(tx, ends, effect, outcome, now)
        case Result.UNKNOWN:
            if repeat is Repeat.NEVER or _ends_workers(tx, effect, outcome):
                _give_up(tx, ends, effect, outcome, now)
            else:
                _retry(tx, ends, effect, outcome, now)


def _ends_workers(tx: Tx, effect: Effect, outcome: Outcome) -> bool:
    """Whether attempt after attempt took its worker along: one more would take the next, with all that it has begun."""
    if outcome.code != LOST or (effect.kind == "supply" and not effect.is_newest):
        return False
    ends = tx.value(SQL.lost_of_last, {"effect": effect.id, "last": LOST_MAX, "code": LOST})
    return int(ends) >= LOST_MAX


def _done(tx: Tx, ends: Ends, effect: Effect, outcome: Outcome, now: datetime) -> None:
    _end(ends, effect, "done")
    if effect.kind == "message":
        told = outcome.facts.get("provider_ids", ())
        ids = [str(id_) for id_ in told] if isinstance(told, list | tuple) else []
        ends.sent.append((effect.id, json.dumps(ids)))
        return
    if effect.kind == "handover":
        handover.went(tx, effect.id, what=effect.template, now=now)
        return
    assert effect.service_id is not None
    if effect.is_newest:
        observed = str(outcome.facts.get("observed") or effect.level)
        supply.observe(tx, effect.service_id, observed, str(outcome.facts.get("proof", "")), now)
        if effect.restores and effect.attempts >= ALARM_AFTER:
            close_tasks(tx, dedup=f"not_restored-{effect.service_id}", now=now)
    else:
        supply.forget(tx, effect.service_id, now)


def _refused(tx: Tx, ends: Ends, effect: Effect, outcome: Outcome, now: datetime) -> None:
    if effect.restores and now - effect.created_at < RESTORE_FOR:
        _retry(tx, ends, effect, outcome, now)  # who paid is restored: a refusal is an alarm, not an end
    elif effect.kind == "message" or _is_back_already(tx, effect, outcome, now):
        _end(ends, effect, "refused", outcome.code)
    else:
        _give_up(tx, ends, effect, outcome, now)


def _is_back_already(tx: Tx, effect: Effect, outcome: Outcome, now: datetime) -> bool:
    """Whether an agency that is to give something back knows nothing of it."""
    if effect.kind != "handover":
        return False
    return handover.never_had(tx, effect.id, what=effect.template, code=outcome.code, now=now)


def _retry(tx: Tx, ends: Ends, effect: Effect, outcome: Outcome, now: datetime) -> None:
    if effect.kind == "supply" and not effect.is_newest:
        _end(ends, effect, "cancelled", "superseded")
        return
    if effect.restores:
        if effect.attempts >= ALARM_AFTER:
            _alarm(tx, effect, outcome, now)
        if now - effect.created_at >= RESTORE_FOR:
            _give_up(tx, ends, effect, outcome, now)
            return
    elif effect.attempts >= ATTEMPTS_MAX:
        _give_up(tx, ends, effect, outcome, now)
        return
    pause = outcome.retry_after_seconds or _PAUSES[min(effect.attempts, len(_PAUSES)) - 1]
    if outcome.code == LOST:
        pause = _LOST_PAUSE
    if effect.restores:
        pause = min(pause, _RESTORE_PAUSE_MAX, _PAUSES[min(effect.attempts, len(_PAUSES)) - 1])
    _again(tx, effect, now + timedelta(seconds=pause), outcome.code or outcome.result.value)


def _end(ends: Ends, effect: Effect, state: str, why: str = "") -> None:
    ends.effects.append((effect.id, state, why[:100]))


def _again(tx: Tx, effect: Effect, due_at: datetime, why: str) -> None:
    tx.run(SQL.again, {"effect": effect.id, "due_at": due_at, "why": why[:100]})


def _give_up(tx: Tx, ends: Ends, effect: Effect, outcome: Outcome, now: datetime) -> None:
    _end(ends, effect, "given_up", outcome.code)
    if effect.kind == "handover":
        handover.did_not_go(tx, effect.id, what=effect.template, now=now)
    _task(tx, effect, outcome, now, "given_up", urgent=effect.restores)


def _alarm(tx: Tx, effect: Effect, outcome: Outcome, now: datetime) -> None:
    _task(tx, effect, outcome, now, "not_restored", urgent=True)


def _task(tx: Tx, effect: Effect, outcome: Outcome, now: datetime, code: str, *, urgent: bool) -> None:
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
