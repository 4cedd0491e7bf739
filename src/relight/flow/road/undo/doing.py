"""Undoing, a batch a transaction: void the steps, take the fees back, wake the cases so that what was cut comes back.

Nothing is changed that was written: steps are voided by an event, fees by a reversing transfer, services by the case's
next turn, in the urgent lane. One that is killed has undone whole batches; whoever goes on begins after the last one.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from relight.flow.cases.drafts import SQL as ACTS
from relight.flow.cases.operations import ITSELF, locked_at, wake
from relight.flow.cases.voiding import take_back
from relight.flow.database import Database, Tx
from relight.flow.handover.operations import recall
from relight.flow.partners.stopping import wait_for_batches
from relight.flow.road.undo import apology
from relight.flow.road.undo.asking import UnableToUndo, Undo, undo
from relight.flow.road.undo.finding import BATCH, SQL, Harm, asked_of, harm_of, page_of, steps_of

HOLD = timedelta(days=7)
Progress = Callable[[int], None]


def carry_out(
    db: Database, partner_id: int, number: int, clock: Callable[[], datetime], *, on_progress: Progress | None = None
) -> Undo:
    """Undo until nothing is left, or go on where somebody stopped; `on_progress` is told how many cases were looked at.

    Raises `UnableToFind`, and `UnableToUndo` for one that nobody agreed to.
    """
    looked = 0
    while more := step(db, partner_id, number, clock()):
        looked += more
        if on_progress is not None:
            on_progress(looked)
    with db.transaction(partner_id) as tx:
        return undo(tx, number)


def step(db: Database, partner_id: int, number: int, now: datetime, *, batch: int = BATCH) -> int:
    """One batch in one transaction; how many cases were looked at, 0 when it is done. Two at it take turns."""
    _start(db, partner_id, number, now)
    with db.transaction(partner_id) as tx:
        tx.rows(SQL.lock, {"undo": number})
        at = undo(tx, number)
        if at.state == "done":
            return 0
        asked = {**asked_of(tx, at.scope), "until": at.until}
        page = page_of(tx, asked, after=at.after_case, limit=batch)
        if not page:
            _finish(tx, at, now)
            return 0
        now = locked_at(tx, sorted({account for _, account in page}), now)
        _undo(tx, at, steps_of(tx, asked, [case for case, _ in page]), now)
        tx.run(SQL.come_to, {"undo": number, "after": page[-1][0]})
        return len(page)


def go_on(db: Database, partner_id: int, clock: Callable[[], datetime]) -> int:
    """Carry out what was agreed to, and send out what was approved: the worker's part. How many batches."""
    with db.transaction(partner_id) as tx:
        waiting = tx.rows(SQL.waiting)
    batches = 0
    for number, undoing in waiting:
        one_more = step if undoing else apology.send_out
        while one_more(db, partner_id, number, clock()):
            batches += 1
    return batches


def _start(db: Database, partner_id: int, number: int, now: datetime) -> None:
    """Begin one that was agreed to, in a transaction of its own: what turns had decided by then is committed before the
    first case is looked at, and no turn waits for longer than this takes."""
    with db.transaction(partner_id) as tx:
        tx.rows(SQL.lock, {"undo": number})
        at = undo(tx, number)
        if at.state in ("asked", "refused"):
            raise UnableToUndo(f"Undo {number} is {at.state}: nobody agreed to it.")
        if at.state != "granted":
            return
        wait_for_batches(tx)
        now = tx.after_waiting(now)
        told = {"undo": at.id, "since": at.since.isoformat(), "import": at.run, "bulk": at.bulk, "why": at.why}
        tx.run(SQL.start, {"undo": at.id, "now": now, "act": _record(tx, at, "undoing", told, now)})


def _finish(tx: Tx, at: Undo, now: datetime) -> None:
    tx.run(SQL.finish, {"undo": at.id, "now": now})
    _record(tx, at, "undone", {"undo": at.id, **at.done}, now)


def _record(tx: Tx, at: Undo, code: str, told: dict[str, Any], now: datetime) -> int:
    """Into the policy's history, by the name of who asked; the act's number is the bulk id of the events."""
    given = {"partner": tx.partner_id, "name": at.policy, "hash": "", "version": at.version, "code": code}
    return tx.value(ACTS.put_down, {**given, "params": Jsonb(told), "actor": at.asked_by, "now": now})


def _undo(tx: Tx, at: Undo, steps: Sequence[int], now: datetime) -> None:
    """The caller holds the accounts' locks."""
    harms = harm_of(tx, steps, now)
    if not harms:
        return
    until = now + HOLD
    told = {"why": at.why, "cause": f"undo {at.id}", "actor": at.asked_by, "act": at.act}
    held = {"hold_until": until, "until_text": until.isoformat()}
    accounts = [
        row[0] for row in tx.rows(SQL.void, {"partner": tx.partner_id, "steps": steps, "now": now, **told, **held})
    ]
    take_back(tx, steps, accounts, actor=ITSELF, now=now)
    cases = [harm.case_id for harm in harms]
    tx.run(SQL.spare_tasks, {"cases": cases, "now": now, "actor": at.asked_by})
    _call_back(tx, at, harms, now)
    _note(tx, at, harms, now)
    dark = sorted({harm.account_id for harm in harms if harm.services})
    wake(tx, dark, now, urgent=True)
    wake(tx, sorted({harm.account_id for harm in harms} - set(dark)), now, urgent=False)


def _call_back(tx: Tx, at: Undo, harms: Sequence[Harm], now: datetime) -> None:
    for harm in harms:
        if harm.handovers:
            told = {"why": "person", "actor": at.asked_by, "note": at.why}
            recall(tx, case_id=harm.case_id, steps=harm.numbers, now=now, **told)


def _note(tx: Tx, at: Undo, harms: Sequence[Harm], now: datetime) -> None:
    columns = {
        name: [getattr(harm, name) for harm in harms]
        for name in ("fees", "services", "messages", "letters", "stopped", "handovers", "reached")
    }
    tx.run(
        SQL.note,
        {
            **columns,
            "partner": tx.partner_id,
            "undo": at.id,
            "cases": [harm.case_id for harm in harms],
            "accounts": [harm.account_id for harm in harms],
            "numbers": [json.dumps(list(harm.numbers)) for harm in harms],
            "now": now,
        },
    )
