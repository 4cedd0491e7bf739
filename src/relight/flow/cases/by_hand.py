"""What people were to do by hand for steps that are voided, and what they did: no driver can take it back, so people
are asked to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from relight.core.actions import Action
from relight.core.by_hand import TAKEN_BACK_WITHIN, taking_back
from relight.flow.cases.policies import PolicyShelf
from relight.flow.cases.tasks import add_task
from relight.flow.database import Tx, statements

SQL = statements(__package__, "by_hand.sql")
_SHELF = PolicyShelf()


@dataclass(frozen=True, slots=True)
class _Done:
    """A part of a step that somebody carried out, and the version of the policy that asked for it."""

    case_id: int
    account_id: int
    number: int
    step: str
    part: int
    version: int


def end_by_hand(tx: Tx, steps: Sequence[int], *, actor: str, now: datetime) -> None:
    """Put away the tasks of these steps (their ids) by which somebody was to cut, to end a contract or to hand over;
    for what was done a task to take it back. The caller holds the accounts' locks, and has voided the steps."""
    tx.run(SQL.dismiss, {"steps": list(steps), "actor": actor, "now": now})
    for row in tx.rows(SQL.done, {"steps": list(steps)}):
        _take_back(tx, _Done(*row), now)


def _take_back(tx: Tx, done: _Done, now: datetime) -> None:
    action = _action(tx, done)
    task = taking_back(action) if action is not None else None
    if task is not None:
        _task(tx, task[0], done, now, urgent=task[1])


def _action(tx: Tx, done: _Done) -> Action | None:
    step = _SHELF.get(tx, done.version).by_name.get(done.step)
    return step.do[done.part] if step is not None and done.part < len(step.do) else None


def _task(tx: Tx, code: str, done: _Done, now: datetime, *, urgent: bool) -> None:
    add_task(
        tx,
        case_id=done.case_id,
        account_id=done.account_id,
        code=code,
        due_at=now + TAKEN_BACK_WITHIN,
        dedup=f"{code}-{done.case_id}-{done.number}-{done.part}",
        now=now,
        params={"step": done.step},
        urgent=urgent,
    )
