"""The ends of attempts, written batch by batch: how each came out, what becomes of its effect, and who thinks again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relight.flow.apart import apart
from relight.flow.cases.operations import lock_accounts, wake_cases
from relight.flow.database import Database, Tx
from relight.flow.effects import rests
from relight.flow.effects.port import Outcome, Repeat, Result
from relight.flow.messages import handlers as messages
from relight.flow.road.moment import Moment, as_told
from relight.flow.road.outcome import LOST, SQL, Effect, Ends, late, settle
from relight.flow.road.release import agency_driver
from relight.flow.traces.operations import remember
from relight.telemetry import metrics


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that came to its end. `repeat` is its driver's promise, `trace` the span under which it is told."""

    account_id: int
    effect_id: int
    attempt_id: int
    driver: str
    outcome: Outcome
    repeat: Repeat
    trace: str = ""


def finish(db: Database, partner_id: int, ended: Sequence[Ended], now: datetime, *, moment: Moment = as_told) -> None:
    """Write the ends of one partner's attempts, of an account at most one. An answer to an attempt that was already
    given up for lost is kept beside it. `moment` is what is taken for now under the locks."""
    with db.transaction(partner_id) as tx:
        lock_accounts(tx, [one.account_id for one in ended])
        with tx.together():
            later = moment(tx, now)
            about = tx.rows_together(SQL.of_outcomes, {"effects": [one.effect_id for one in ended]})
        now, effects = later(), {row[0]: Effect(*row) for row in about()}
        first = {row[0] for row in tx.rows(SQL.finish_attempts, {**_as_columns(ended), "now": now})}
        # another worker missed the same one, or its end was written meanwhile
        news = [(one, effects[one.effect_id]) for one in ended
                if one.attempt_id in first or one.outcome.code != LOST]  # fmt: skip
        ends = Ends()
        for one, effect in news:
            if one.attempt_id in first:
                settle(tx, ends, effect, one.outcome, one.repeat, now)
            else:
                late(tx, effect, one.attempt_id, one.outcome, now)
        own = [(one, effect) for one, effect in news if one.attempt_id in first]
        restored = [(one.driver, _restored_after(effect, one.outcome, now)) for one, effect in own]
        with tx.together():
            _write(tx, ends, now)
            _wake(tx, news, now)
            rests.note(tx, [((effect.kind, _plain(one.driver)), one.outcome) for one, effect in own], now)
    for state, effect in ((state, effects[id_]) for id_, state, _ in ends.effects):
        metrics.ended(effect.kind, effect.channel, state)
    for driver, seconds in restored:
        if seconds is not None:
            metrics.RESTORE_SECONDS.labels(driver).observe(seconds)


def _as_columns(ended: Sequence[Ended]) -> dict[str, list[Any]]:
    return {
        "ids": [one.attempt_id for one in ended],
        "results": [one.outcome.result.value for one in ended],
        "codes": [one.outcome.code[:100] for one in ended],
        "details": [one.outcome.detail[:500] for one in ended],
        "facts": [json.dumps(dict(one.outcome.facts)) for one in ended],
    }


def _plain(driver: str) -> str:
    """The name in the partner's settings: what attempts keep of an agency says that it is one."""
    return driver.removeprefix(agency_driver(""))


def _write(tx: Tx, ends: Ends, now: datetime) -> None:
    if ends.effects:
        ids, states, whys = (list(column) for column in zip(*ends.effects, strict=True))
        tx.run(SQL.end, {"ids": ids, "states": states, "whys": whys, "now": now})
    if ends.sent:
        effects, provider_ids = (list(column) for column in zip(*ends.sent, strict=True))
        tx.run(messages.SQL.sent, {"effects": effects, "provider_ids": provider_ids, "now": now})


def _wake(tx: Tx, news: Sequence[tuple[Ended, Effect]], now: datetime) -> None:
    """Their cases think again: at once where a service is concerned, or a recall; nobody waits for what a message's end
    makes of its step. An urgent attempt's own worker decides next, and need not be told."""
    own = {effect.case_id for one, effect in news
           if effect.is_waited_for and effect.lane == "urgent" and one.outcome.code != LOST}  # fmt: skip
    others = {effect.case_id for _, effect in news if effect.is_waited_for} - own
    wake_cases(tx, sorted(own), now, urgent=True, quietly=True)
    wake_cases(tx, sorted(others), now, urgent=True)
    wake_cases(tx, sorted({effect.case_id for _, effect in news} - own - others), now, urgent=False)
    for one, effect in news:
        remember(tx, [effect.account_id], now, under=one.trace)


def _restored_after(effect: Effect, outcome: Outcome, now: datetime) -> float | None:
    """Seconds from the payment that asked for a restore (else its decision) to this proof of it."""
    if outcome.result is not Result.DONE or not effect.restores or not effect.is_newest:
        return None
    return max(0.0, (now - (effect.paid_at or effect.created_at)).total_seconds())


def lost(
    db: Database, partner_id: int, repeat_of: Any, now: datetime, *, moment: Moment = as_told, limit: int = 100
) -> int:
    """Attempts whose lease ran out end as unknown; `repeat_of` tells a driver's promise by its name. How many did:
    one that cannot be ended is no other's trouble."""
    with db.transaction(partner_id) as tx:
        rows = tx.rows(SQL.lost, {"now": now, "limit": limit})
    outcome = Outcome(Result.UNKNOWN, code=LOST, detail="nobody saw the end of this attempt")
    ended = 0
    for effect_id, account_id, attempt_id, driver in rows:
        with apart("lost", partner_id):
            one = Ended(account_id, effect_id, attempt_id, driver, outcome, repeat_of(driver))
            finish(db, partner_id, [one], now, moment=moment)
            metrics.LOST.labels(driver).inc()
            ended += 1
    return ended
