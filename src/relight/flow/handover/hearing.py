"""What agencies say, taken in: kept word for word, settled where it is money, and put on the log of its case.

The agency's own id of a message makes a replay harmless, its own moment keeps an old word from undoing a newer one, and
the agency's id of a payment makes money that is told twice count once. What we cannot place is kept, for a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from relight.flow.cases.operations import append_event, locked_at, wake_case
from relight.flow.cases.tasks import add_task
from relight.flow.claims.rows import PaymentRow
from relight.flow.database import Tx, statements
from relight.flow.handover.errors import UnableToFindAgency
from relight.flow.handover.money import Settle, agency_source, take_in
from relight.flow.handover.port import Status

SQL = statements(__package__, "hearing.sql")
_PERSON_WITHIN = timedelta(days=1)
_STATES = {"accepted": "accepted", "refused": "refused", "plan": "plan", "uncollectable": "uncollectable",
           "legal_step": "legal", "recall_confirmed": "recalled"}  # fmt: skip
_ENDED = frozenset({"refused", "uncollectable", "recalled"})


class Heard(NamedTuple):
    """What became of a status: taken, repeated, older (kept, and nothing changed), unknown_case or differs (a person
    has a task). `why` is a sentence for the last two."""

    status: Status
    verdict: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A hand-over that a status speaks of. `bill` is the number of the claim that money pays first."""

    id: int
    case_id: int
    account_id: int
    account_ref: str
    state: str
    word_at: datetime | None
    currency: str
    bill: str


@dataclass(frozen=True, slots=True)
class _Told:
    """Who says it, by which way, and when we heard it."""

    agency_id: int
    name: str
    title: str
    way: str
    settle: Settle
    now: datetime


def hear(tx: Tx, agency: str, statuses: Sequence[Status], *, settle: Settle, way: str, now: datetime) -> list[Heard]:
    """Take in what an agency says, in order; `way` is file or webhook. The caller owns the transaction."""
    row = tx.row(SQL.agency, {"name": agency})
    if row is None:
        raise UnableToFindAgency(f"There is no agency {agency!r}. `relight agency list` names them.")
    given = {"agency": row[0], "refs": [one.ref for one in statuses]}
    now = locked_at(tx, sorted({account for (account,) in tx.rows(SQL.cases, given)}), now)
    told = _Told(row[0], agency, row[1], way, settle, now)
    before = dict(tx.rows(SQL.told_before, {"agency": told.agency_id, "ids": [one.id for one in statuses]}))
    heard: list[Heard] = []
    for status in statuses:
        heard.append(_hear(tx, told, status, before))
        before.setdefault(status.id, dict(status.body))
    return heard


def _hear(tx: Tx, told: _Told, status: Status, before: dict[str, Any]) -> Heard:
    if status.id in before:
        if before[status.id] == dict(status.body):
            return Heard(status, "repeated")
        again = f"{status.id}#{sha256(repr(sorted(status.body.items())).encode()).hexdigest()[:12]}"
        why = f"message {status.id} said something else before"
        _keep(tx, told, status, None, "differs", message_id=again)
        return _ask_a_person(tx, told, status, None, "differs", why)
    found = tx.row(SQL.known, {"agency": told.agency_id, "refs": [status.ref]})
    if found is None:
        _keep(tx, told, status, None, "unknown_case")
        return _ask_a_person(tx, told, status, None, "unknown_case", f"we gave {told.title} no case {status.ref}")
    known = Known(*found[1:])
    if status.currency and status.currency != known.currency:
        _keep(tx, told, status, known, "differs")
        why = f"the case is in {known.currency}, and the payment in {status.currency}"
        return _ask_a_person(tx, told, status, known, "differs", why)
    return _take(tx, told, status, known)


def _take(tx: Tx, told: _Told, status: Status, known: Known) -> Heard:
    """Money counts whenever it is told; of all else the newest word counts, by the agency's own clock."""
    money = status.status in ("paid", "payment_returned")
    if not money and known.word_at is not None and status.said_at < known.word_at:
        _keep(tx, told, status, known, "older")
        return Heard(status, "older")
    if money and not status.direct and (why := _settled(tx, told, status, known)):
        _keep(tx, told, status, known, "differs")
        return _ask_a_person(tx, told, status, known, "differs", why)
    _keep(tx, told, status, known, "taken")
    if status.status in _STATES:
        _become(tx, told, status, known)
    _log(tx, told, status, known)
    _give_to_person(tx, told, status, known)
    wake_case(tx, known.case_id, told.now, urgent=True)
    return Heard(status, "taken")


def _settled(tx: Tx, told: _Told, status: Status, known: Known) -> str:
    """Book money that the agency received, or gave back; why it cannot be, in a sentence."""
    state = "confirmed" if status.status == "paid" else "returned"
    assert status.day is not None
    row = PaymentRow(status.payment, status.amount, status.currency, state, status.day, known.account_ref, known.bill)
    source_id = agency_source(tx, told.name)
    refused = take_in(tx, told.settle, source_id, row, now=told.now).refused
    if refused:
        return refused
    if state == "returned":
        tx.run(SQL.reopen_paid, {"handover": known.id})
    else:
        tx.rows(SQL.finish_paid, {"handover": known.id, "source": source_id, "now": told.now})
    return ""


def _become(tx: Tx, told: _Told, status: Status, known: Known) -> None:
    state = _STATES[status.status]
    tx.run(SQL.becomes, {
        "handover": known.id, "state": state, "said_at": status.said_at, "agency_case": status.agency_case,
        "ended": state in _ENDED, "now": told.now,
    })  # fmt: skip
    if state == "recalled":
        tx.run(SQL.recall_done, {"handover": known.id, "now": told.now})


def _log(tx: Tx, told: _Told, status: Status, known: Known) -> None:
    params: dict[str, Any] = {"agency": told.title, "handover": known.id}
    if status.amount:
        params |= {"amount": status.amount, "payment": status.payment, "direct": status.direct}
    if status.reason:
        params["note"] = status.reason
    code = _EVENTS[status.status]
    append_event(tx, case_id=known.case_id, code=code, actor=told.title, now=told.now, params=params)


_EVENTS = {
    "accepted": "agency_accepted", "refused": "agency_refused", "paid": "agency_paid",
    "payment_returned": "agency_payment_returned", "plan": "agency_plan", "uncollectable": "agency_uncollectable",
    "legal_step": "agency_legal_step", "recall_confirmed": "agency_recalled", "recall_refused": "agency_recall_refused",
}  # fmt: skip


def _give_to_person(tx: Tx, told: _Told, status: Status, known: Known) -> None:
    """What ends without the money, or does not end when we asked for it, is a person's to decide."""
    code = {"refused": "agency_refused", "uncollectable": "agency_uncollectable",
            "recall_refused": "agency_recall_refused"}.get(status.status)  # fmt: skip
    if code is None:
        return
    add_task(
        tx,
        case_id=known.case_id,
        account_id=known.account_id,
        code=code,
        due_at=told.now + _PERSON_WITHIN,
        dedup=f"{code}-{known.id}",
        now=told.now,
        params={"agency": told.title, "detail": status.reason},
    )


def _keep(
    tx: Tx, told: _Told, status: Status, known: Known | None, verdict: str, *, message_id: str | None = None
) -> None:
    tx.rows(SQL.keep, {
        "partner": tx.partner_id, "agency": told.agency_id, "handover": known.id if known else None,
        "id": message_id or status.id, "status": status.status, "said_at": status.said_at, "now": told.now,
        "way": told.way, "body": Jsonb(dict(status.body)), "verdict": verdict,
    })  # fmt: skip


def _ask_a_person(tx: Tx, told: _Told, status: Status, known: Known | None, verdict: str, why: str) -> Heard:
    code = f"agency_{verdict}"
    due_at, dedup = told.now + _PERSON_WITHIN, f"{code}-{told.agency_id}-{status.id}"
    params = {"agency": told.title, "ref": status.ref, "status": status.status, "detail": why}
    if known is None:
        tx.run(SQL.add_loose_task, {
            "partner": tx.partner_id, "code": code, "params": Jsonb(params), "now": told.now, "due_at": due_at,
            "dedup": dedup,
        })  # fmt: skip
    else:
        add_task(
            tx,
            case_id=known.case_id,
            account_id=known.account_id,
            code=code,
            due_at=due_at,
            dedup=dedup,
            now=told.now,
            params=params,
        )
    return Heard(status, verdict, why)
