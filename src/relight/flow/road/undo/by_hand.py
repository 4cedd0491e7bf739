"""What people carried out for steps that are voided: no driver can take it back, so people are asked to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from relight.core.actions import Action, ContractTerminateAction, HandoverAction, RequestToGridAction
from relight.flow.cases.operations import add_task
from relight.flow.cases.policies import PolicyShelf
from relight.flow.database import Tx
from relight.flow.road.undo.finding import SQL

_PERSON_WITHIN = timedelta(hours=4)
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


def ask_to_take_back(tx: Tx, steps: Sequence[int], now: datetime) -> None:
    """A task for each cut, termination and hand-over that somebody carried out for these steps (their ids). What is
    still to be done is not asked for any more: its task goes with the step. The caller holds the accounts' locks."""
    for row in tx.rows(SQL.by_hand, {"steps": list(steps)}):
        _take_back(tx, _Done(*row), now)


def _take_back(tx: Tx, done: _Done, now: datetime) -> None:
    match _action(tx, done):
        case RequestToGridAction("disconnect"):
            _task(tx, "ask_to_reconnect", done, now, urgent=True)
        case RequestToGridAction("end_of_supply"):
            _task(tx, "take_back_end_of_supply", done, now, urgent=True)
        case ContractTerminateAction():
            _task(tx, "take_back_termination", done, now)
        case HandoverAction():
            _task(tx, "take_back_handover", done, now)
        case _:
            pass


def _action(tx: Tx, done: _Done) -> Action | None:
    step = _SHELF.get(tx, done.version).by_name.get(done.step)
    return step.do[done.part] if step is not None and done.part < len(step.do) else None


def _task(tx: Tx, code: str, done: _Done, now: datetime, *, urgent: bool = False) -> None:
    add_task(
        tx,
        case_id=done.case_id,
        account_id=done.account_id,
        code=code,
        due_at=now + _PERSON_WITHIN,
        dedup=f"{code}-{done.case_id}-{done.number}-{done.part}",
        now=now,
        params={"step": done.step},
        urgent=urgent,
    )
