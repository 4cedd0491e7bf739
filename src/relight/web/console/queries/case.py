"""A case's page: eleven statements, each by an index, whatever the case holds."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any

from relight.flow.cases.operations import lock_accounts
from relight.flow.database import Tx, statements
from relight.web.console.desk import Desk
from relight.web.console.queries import from_json, row, rows
from relight.web.console.queries.case_rows import (
    AnswerRow,
    Approval,
    Attempt,
    BlockRow,
    CaseFile,
    Claim,
    Contact,
    Effect,
    Event,
    Head,
    Hold,
    Line,
    Message,
    Payment,
    Service,
    Task,
)

SQL = statements(__package__, "case.sql")
NEWEST = 100
ALL_MAX = 2000


def head(case_id: int) -> Head | None:
    """The case's header; None when this partner has no such case."""
    found = row(SQL.head, {"case": case_id})
    if found is None:
        return None
    *fields, waits_for, wakes_at, policy, version, services, name, ref, kind, language, contacts = found
    fields += [tuple(waits_for.split()), wakes_at, policy, version, tuple(services)]
    fields += [name or fields[2], ref or "", kind or "", language or ""]
    fields.append(tuple(Contact(*one) for one in from_json(contacts) or ()))
    return Head(*fields)


def case_file(desk: Desk, case_id: int, *, everything: bool = False) -> CaseFile | None:
    """All of a case, the newest hundred events unless `everything` is wanted; None where there is no such case."""
    top = head(case_id)
    if top is None:
        return None
    most = limit(everything)
    params = {"case": case_id, "account": top.account_id, "now": desk.now, "limit": most}
    events = [_event(one) for one in rows(SQL.events, {**params, "limit": most + 1})]
    return CaseFile(
        head=top,
        events=tuple(events[:most]),
        more_events=len(events) > most,
        claims=tuple(_claim(one) for one in rows(SQL.claims, params)),
        services=tuple(_service(one) for one in rows(SQL.services, params)),
        effects=_effects(rows(SQL.effects, params)),
        messages=tuple(Message(*one) for one in rows(SQL.messages, params)),
        answers=tuple(AnswerRow(*one) for one in rows(SQL.answers, params)),
        holds=tuple(Hold(*one) for one in rows(SQL.holds, params)),
        approvals=tuple(_approval(one) for one in rows(SQL.approvals, params)),
        tasks=tuple(_task(one) for one in rows(SQL.tasks, params)),
        payments=tuple(Payment(*one) for one in rows(SQL.payments, params)),
    )


def limit(everything: bool) -> int:
    """How many of the newest entries a page shows."""
    return ALL_MAX if everything else NEWEST


def is_as_seen(tx: Tx, case_id: int, version: str) -> bool:
    """Whether the case's log is where it was seen. Takes the account's lock: it stays there until the end of `tx`."""
    lock_accounts(tx, [tx.value(SQL.account_of, {"case": case_id})])
    return str(tx.value(SQL.version, {"case": case_id})) == version


def letter(case_id: int, message_id: int) -> bytes | None:
    """A letter's PDF as posted; None where there is none, or it has been erased."""
    found = row(SQL.letter, {"case": case_id, "message": message_id})
    return bytes(found[0]) if found else None


def _event(found: tuple[Any, ...]) -> Event:
    number, code, params, reasons, *rest = found
    return Event(number, code, from_json(params) or {}, tuple(from_json(reasons) or ()), *rest)


def _claim(found: tuple[Any, ...]) -> Claim:
    fields = list(found)
    fields[14] = tuple(Line(*one) for one in from_json(fields[14]) or ())
    return Claim(*fields)


def _service(found: tuple[Any, ...]) -> Service:
    *head, blocks = found
    told = from_json(blocks) or ()
    head.append(tuple(BlockRow(why, level, datetime.fromisoformat(at), case) for why, level, at, case in told))
    return Service(*head)


def _approval(found: tuple[Any, ...]) -> Approval:
    *head, decided_by, note = found
    head += [tuple(decided_by), note]
    return Approval(*head)


def _task(found: tuple[Any, ...]) -> Task:
    task_id, code, params, *rest = found
    return Task(task_id, code, from_json(params) or {}, *rest)


def _effects(found: Iterable[tuple[Any, ...]]) -> tuple[Effect, ...]:
    """One effect for each run of rows with the same effect; an effect that never left has no attempt."""
    effects = []
    for fields, attempts in groupby(found, key=lambda one: one[:14]):
        made = tuple(Attempt(*one[14:]) for one in attempts if one[14] is not None)
        effects.append(Effect(*(*fields, made)))
    return tuple(effects)
