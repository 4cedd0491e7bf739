"""What people and other stages do to cases: each writes its facts, puts itself on the log, and wakes the case.

None of these decides anything: the next turn does. All lock the account first, like every writer of facts.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from relight.core.facts import PERSONAL_HOLDS
from relight.flow.cases.errors import UnableToApprove, UnableToFind, UnableToVoid
from relight.flow.cases.voiding import take_back
from relight.flow.database import Database, Tx, statements

SQL = statements(__package__, "operations.sql")
URGENT_CHANNEL = "relight_urgent"  # where a payment's wake is heard
ITSELF = "relight"  # who did what nobody did by hand
_VOIDED_HOLD = timedelta(days=7)
_WAKE_BATCH = 1000


def lock_accounts(tx: Tx, account_ids: Sequence[int]) -> None:
    """Take the accounts' locks, in id order."""
    tx.lock(SQL.lock_accounts, {"accounts": list(account_ids)})


def locked_at(tx: Tx, account_ids: Sequence[int], now: datetime) -> datetime:
    """Take the accounts' locks; the moment for what is written under them. Of those who act by hand or are told from
    outside all go by it: meanwhile somebody else may have decided about these accounts (`Tx.after_waiting`)."""
    lock_accounts(tx, account_ids)
    return tx.after_waiting(now)


def wake(tx: Tx, account_ids: Sequence[int], now: datetime, *, urgent: bool) -> int:
    """All open cases of these accounts (with `urgent` also closed ones) think again now; how many."""
    if not account_ids:
        return 0
    woken = tx.run(SQL.wake, {"accounts": list(account_ids), "now": now, "urgent": urgent})
    if urgent and woken:
        tx.notify(URGENT_CHANNEL)
    return woken


def wake_all(db: Database, partner_id: int, clock: Callable[[], datetime]) -> int:
    """All open cases of a partner think again, in batches of a transaction each; how many did not do so anyway. One
    that is killed has woken some; the others think again within a week by themselves."""
    woken, after = 0, 0
    while True:
        with db.transaction(partner_id) as tx:
            accounts = [row[0] for row in tx.rows(SQL.followed, {"after": after, "limit": _WAKE_BATCH})]
            if not accounts:
                return woken
            woken += wake(tx, accounts, locked_at(tx, accounts, clock()), urgent=False)
        after = accounts[-1]


def wake_case(tx: Tx, case_id: int, now: datetime, *, urgent: bool) -> None:
    """One case thinks again now."""
    wake_cases(tx, [case_id], now, urgent=urgent)


def wake_cases(tx: Tx, case_ids: Sequence[int], now: datetime, *, urgent: bool, quietly: bool = False) -> None:
    """These cases think again now. `quietly`: whoever is to decide them knows."""
    if not case_ids:
        return
    tx.run(SQL.wake_cases, {"cases": list(case_ids), "now": now, "urgent": urgent})
    if urgent and not quietly:
        tx.notify(URGENT_CHANNEL)


def append_event(
    tx: Tx,
    *,
    case_id: int,
    code: str,
    actor: str,
    now: datetime,
    params: Mapping[str, Any] | None = None,
    cause: str = "",
    voids: int | None = None,
    bulk_id: int | None = None,
) -> int:
    """Put a person's act on the case's log; its number. The caller holds the account's lock."""
    return tx.value(
        SQL.append_event,
        {
            "case": case_id,
            "code": code,
            "params": Jsonb(dict(params or {})),
            "actor": actor,
            "cause": cause,
            "now": now,
            "voids": voids,
            "bulk": bulk_id,
        },
    )


def add_note(tx: Tx, *, case_id: int, actor: str, now: datetime, text: str) -> None:
    """A remark on the timeline; changes nothing."""
    _, now = _lock_case(tx, case_id, now)
    append_event(tx, case_id=case_id, code="note", actor=actor, now=now, params={"text": text})


def close_tasks(tx: Tx, *, dedup: str, now: datetime) -> None:
    """What a person was asked for has come by itself. The caller holds the account's lock."""
    for task_id, case_id, code in tx.rows(SQL.close_tasks, {"dedup": dedup, "now": now, "actor": ITSELF}):
        if case_id is not None:
            event = {"task": task_id, "code": code, "state": "done", "note": ""}
            append_event(tx, case_id=case_id, code="task_finished", actor=ITSELF, now=now, params=event)


def place_hold(
    tx: Tx,
    *,
    case_id: int,
    account_id: int,
    reason: str,
    actor: str,
    now: datetime,
    ends_at: datetime | None = None,
    review_date: date | None = None,
    claim_id: int | None = None,
    service_id: int | None = None,
    amount: int | None = None,
    note: str = "",
    source: str = "",
    protective: bool = False,
) -> int:
    """Pause a case, a claim (or part of it, in minor units) or a service, from now; the hold's id. What protects a
    person holds the person's other accounts too."""
    personal = protective and reason in PERSONAL_HOLDS and claim_id is None and service_id is None
    others = _same_person(tx, account_id, now) if personal else []
    now = locked_at(tx, [account_id, *others], now)
    hold_id = tx.value(
        SQL.place_hold,
        {
            "case": case_id,
            "account": account_id,
            "claim": claim_id,
            "service": service_id,
            "amount": amount,
            "reason": reason,
            "note": note,
            "now": now,
            "ends_at": ends_at,
            "review_date": review_date,
            "protective": protective,
            "source": source,
            "actor": actor,
        },
    )
    if hold_id is None:
        raise UnableToFind("There is no such account.")
    params = {"hold": hold_id, "reason": reason, "until": ends_at.isoformat() if ends_at else None, "claim": claim_id}
    append_event(tx, case_id=case_id, code="hold_placed", actor=actor, now=now, params=params)
    if others:
        told = {"reason": reason, "note": note, "now": now, "ends_at": ends_at, "actor": actor}
        tx.run(SQL.hold_too, {**told, "accounts": others, "of": _of_hold(hold_id)})
    wake(tx, [account_id, *others], now, urgent=True)
    return hold_id


def _same_person(tx: Tx, account_id: int, now: datetime) -> list[int]:
    return [row[0] for row in tx.rows(SQL.same_person, {"account": account_id, "now": now})]


def _of_hold(hold_id: int) -> str:
    """What holds on a person's other accounts have as their source."""
    return f"hold {hold_id}"


def review_holds(tx: Tx, now: datetime) -> int:
    """Make tasks of the partner's protective holds whose review date has come; they go on until somebody ends them."""
    return tx.run(SQL.review_holds, {"partner": tx.partner_id, "now": now})


def end_hold(tx: Tx, *, hold_id: int, actor: str, now: datetime, note: str = "") -> None:
    """Let go of a hold; ending one that has ended changes nothing."""
    found = tx.row(SQL.hold, {"hold": hold_id})
    if found is None:
        raise UnableToFind("There is no such hold.")
    case_id, account_id, reason, _ = found
    others = [row[0] for row in tx.rows(SQL.held_too, {"of": _of_hold(hold_id)})]
    now = locked_at(tx, [account_id, *others], now)
    params = {"hold": hold_id, "of": _of_hold(hold_id), "accounts": others, "now": now, "actor": actor}
    if not tx.run(SQL.end_hold, params):
        return
    tx.run(SQL.finish_hold_review, params)
    if case_id is not None:
        told = {"hold": hold_id, "reason": reason, "note": note}
        append_event(tx, case_id=case_id, code="hold_ended", actor=actor, now=now, params=told)
    wake(tx, [account_id, *others], now, urgent=True)


def decide_approval(tx: Tx, *, approval_id: int, actor: str, granted: bool, now: datetime, note: str = "") -> None:
    """A person's yes or no to what a case asks. Raises `UnableToApprove`; two people must be two."""
    found = tx.row(SQL.approval, {"approval": approval_id})
    if found is None:
        raise UnableToFind("There is no such approval.")
    now = locked_at(tx, [found[1]], now)
    case_id, _, step, state, requested_by, decided_by, _ = tx.row(SQL.approval, {"approval": approval_id}) or found
    if state != "requested":
        raise UnableToApprove(f"This was already {state}. Load the page again to see by whom.")
    if actor == requested_by:
        raise UnableToApprove("Who asked for it cannot approve it. Ask a colleague.")
    if actor in decided_by:
        raise UnableToApprove("You have already said yes; a second person has to agree.")
    new_state = tx.value(
        SQL.answer_approval,
        {"approval": approval_id, "actor": [actor], "granted": granted, "now": now, "note": note},
    )
    code = "approval_given" if granted else "approval_denied"
    append_event(
        tx, case_id=case_id, code=code, actor=actor, now=now, params={"step": step, "note": note, "state": new_state}
    )
    if new_state != "requested":
        dedup = f"approve-{case_id}-{step}"
        tx.run(SQL.finish_step_tasks, {"case": case_id, "now": now, "actor": actor, "dedup": dedup})
    wake_case(tx, case_id, now, urgent=True)


def void_step(tx: Tx, *, case_id: int, step_number: int, actor: str, now: datetime, note: str) -> None:
    """Take a wrong step out of counts and clocks, with every later one for the same claims, since it rested on it; and
    reverse their fees and the late interest that only they named. What they blocked is given back by the next turn.

    The case is held for seven days, so that a person can mend what was wrong before it could be taken again.
    """
    account_id, now = _lock_case(tx, case_id, now)
    voided = sorted(tx.rows(SQL.void_step, {"case": case_id, "number": step_number, "now": now}))
    if not voided:
        raise UnableToVoid("This step is not there any more, or somebody has already voided it.")
    steps = [id_ for id_, _, _ in voided]
    take_back(tx, steps, [account_id], actor=actor, now=now)
    for _, step, number in voided:
        told = {"step": step, "number": number, "note": note}
        append_event(tx, case_id=case_id, code="step_voided", actor=actor, now=now, params=told, voids=number)
    place_hold(
        tx,
        case_id=case_id,
        account_id=account_id,
        reason="manual",
        actor=actor,
        now=now,
        ends_at=now + _VOIDED_HOLD,
        note=note,
    )


def finish_task(tx: Tx, *, task_id: int, actor: str, now: datetime, state: str = "done", note: str = "") -> None:
    """A person did what was asked (or dismissed it); the step that waited for it goes on."""
    found = tx.row(SQL.task, {"task": task_id})
    if found is None:
        raise UnableToFind("There is no such task.")
    case_id, account_id, code, was, _ = found
    if account_id is not None:
        now = locked_at(tx, [account_id], now)
    params = {"task": task_id, "state": state, "now": now, "actor": actor, "note": note}
    if was != "open" or not tx.run(SQL.finish_task, params) or case_id is None:
        return
    event = {"task": task_id, "code": code, "state": state, "note": note}
    append_event(tx, case_id=case_id, code="task_finished", actor=actor, now=now, params=event)
    wake_case(tx, case_id, now, urgent=False)


def _lock_case(tx: Tx, case_id: int, now: datetime) -> tuple[int, datetime]:
    """The case's account, which is locked now, and the moment for what is written."""
    account_id = tx.value(SQL.account_of, {"case": case_id})
    if account_id is None:
        raise UnableToFind("There is no such case.")
    return account_id, locked_at(tx, [account_id], now)
