"""What became of collections: money that came, a bank's no, money that went back, or no word at all.

Each ends once. A no is followed by what the scheme's rules say of its reason: another try, an end of the mandate, or a
person who asks the customer. The caller owns the transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from relight.flow.cases.operations import locked_at, wake
from relight.flow.cases.tasks import add_task
from relight.flow.claims.rows import PaymentRow
from relight.flow.database import Database, Tx, statements
from relight.flow.payments.mandates import days
from relight.flow.payments.mandates.announcing import tell_failed
from relight.flow.payments.mandates.noting import SQL as MANDATES
from relight.flow.payments.mandates.planning import Place, Planned, place_of, plan_accounts
from relight.flow.payments.mandates.rules import UNANSWERED, Answer, pay_day, schemes
from relight.flow.payments.mandates.withdrawing import SQL as BACK
from relight.flow.payments.mandates.withdrawing import tell

SQL = statements(__package__, "answering.sql")
NO_REASON = "MS03"  # what banks say who say nothing
_ASK_WITHIN = timedelta(days=3)
_BATCH = 500
_CAN_FAIL = {
    "refused": frozenset({"planned", "sent", "unanswered", "called_back"}),
    "returned": frozenset({"collected"}),
    UNANSWERED: frozenset({"sent"}),
}


class Named(NamedTuple):
    """A collection by its ref: its account's number and its bill's, to find them by."""

    id: int
    account_ref: str
    bill: str
    amount: int
    currency: str
    state: str
    account_id: int


class Came(NamedTuple):
    """A payment that was taken in, and what it says of itself."""

    payment_id: int
    row: PaymentRow
    end_to_end: str


class Failure(NamedTuple):
    """A collection that brought nothing (`refused`, `unanswered`) or whose money went back (`returned`)."""

    collection_id: int
    how: str
    reason: str


class _About(NamedTuple):
    id: int
    claim_id: int
    account_id: int
    mandate_id: int
    scheme: str
    amount: int
    attempt: int
    state: str
    hold_id: int
    mandate: str


def named(tx: Tx, refs: Iterable[str]) -> dict[str, Named]:
    """Collections by what banks send back of them."""
    wanted = sorted({ref for ref in refs if ref.startswith("RLC")})
    return {ref: Named(*row) for ref, *row in tx.rows(SQL.named, {"refs": wanted})} if wanted else {}


def came(tx: Tx, payments: Sequence[Came], *, now: datetime) -> None:
    """Payments that are the money of collections end them: by the bank's ref, or by their bill's reference and sum."""
    by_ref = named(tx, [one.end_to_end for one in payments])
    found = {
        by_ref[one.end_to_end].id: one.payment_id
        for one in payments
        if one.end_to_end in by_ref and by_ref[one.end_to_end].amount == one.row.amount
    }
    others = [one for one in payments if one.end_to_end not in by_ref and one.row.reference]
    if others:
        given = {
            "turns": list(range(len(others))),
            "references": [one.row.reference for one in others],
            "amounts": [one.row.amount for one in others],
            "currencies": [one.row.currency for one in others],
            "days": [one.row.value_date for one in others],
        }
        found |= {collection: others[turn].payment_id for turn, collection in tx.rows(SQL.by_reference, given)}
    if found:
        _collect(tx, found, now)


def went_back(tx: Tx, reasons: Mapping[int, str], *, now: datetime) -> None:
    """Payments (by id, with the bank's reason) that went back: those that were collected have failed after all."""
    if not reasons:
        return
    found = tx.rows(SQL.by_payment, {"payments": list(reasons)})
    fail(tx, [Failure(collection, "returned", reasons[payment]) for payment, collection in found], now=now)


def fail(tx: Tx, failures: Sequence[Failure], *, now: datetime) -> int:
    """End collections that failed, each once, and do what their reasons ask for; how many ended."""
    if not failures:
        return 0
    told = {one.collection_id: one for one in failures}
    accounts = [row[0] for row in tx.rows(SQL.accounts_of, {"collections": list(told)})]
    now = locked_at(tx, accounts, now)
    rows = [_About(*row) for row in tx.rows(SQL.about, {"collections": list(told)})]
    failed = [one for one in rows if one.state in _CAN_FAIL[told[one.id].how]]
    if not failed:
        return 0
    place = place_of(tx, now)
    answers = {one.id: schemes()[one.scheme].answer(told[one.id].reason) for one in failed}
    _end(tx, failed, told, answers, place, now)
    again = sorted({one.account_id for one in failed if _may_retry(one, answers[one.id])})
    if again:  # at once, so that its bill is not followed up before the next try
        plan_accounts(tx, again, place, now=now, told=Planned())
    wake(tx, [one.account_id for one in failed], now, urgent=False)
    return len(failed)


def sweep(db: Database, partner_id: int, *, now: datetime) -> int:
    """End collections of which nobody has said anything though their days have passed; how many."""
    ended = 0
    while True:
        with db.transaction(partner_id) as tx:
            found = [row[0] for row in tx.rows(SQL.unanswered, {"now": now, "limit": _BATCH})]
            done = fail(tx, [Failure(one, UNANSWERED, UNANSWERED) for one in found], now=now)
            if not done:
                return ended
            ended += done


def _collect(tx: Tx, found: Mapping[int, int], now: datetime) -> None:
    given = {"collections": list(found), "payments": list(found.values())}
    done = [row[0] for row in tx.rows(SQL.collected, {**given, "now": now})]
    about = [_About(*row) for row in tx.rows(SQL.about, {"collections": done})]
    tx.run(BACK.let_go, {"holds": [one.hold_id for one in about], "now": now})


def _end(
    tx: Tx,
    failed: Sequence[_About],
    told: Mapping[int, Failure],
    answers: Mapping[int, Answer],
    place: Place,
    now: datetime,
) -> None:
    reasons = {one.id: told[one.id].reason for one in failed}
    retries = [_retry_date(one, answers[one.id], place) for one in failed]
    given = {
        "collections": [one.id for one in failed],
        "states": [told[one.id].how for one in failed],
        "reasons": list(reasons.values()),
        "retries": retries,
    }
    tx.run(SQL.fail, {**given, "now": now})
    tx.run(BACK.let_go, {"holds": [one.hold_id for one in failed], "now": now})
    ending = [one for one in failed if answers[one.id].ends_mandate]
    mandates = {"mandates": [one.mandate_id for one in ending], "reasons": [reasons[one.id] for one in ending]}
    tx.run(MANDATES.finish_these, {**mandates, "today": place.today})
    events = [(one.claim_id, "collection_failed", {"amount": one.amount, "why": reasons[one.id]}) for one in failed]
    tell(tx, events, now)
    last = [one for one in failed if not _may_retry(one, answers[one.id])]
    tell_failed(tx, [one.id for one in last if answers[one.id].tells], now=now)
    for one in failed:
        if answers[one.id].asks or (answers[one.id].retry and not _may_retry(one, answers[one.id])):
            _ask(tx, one, reasons[one.id], now)


def _may_retry(one: _About, answer: Answer) -> bool:
    return answer.retry is not None and one.attempt <= answer.retry.times


def _retry_date(one: _About, answer: Answer, place: Place) -> date | None:
    if answer.retry is None or not _may_retry(one, answer):
        return None
    scheme = schemes()[one.scheme]
    wages = pay_day(place.country)
    return days.retry_on(place.calendar, scheme, answer.retry, failed=place.today, pay_day=wages)


def _ask(tx: Tx, one: _About, reason: str, now: datetime) -> None:
    """A person asks the customer how they would rather pay; one task an account."""
    add_task(
        tx,
        case_id=None,
        account_id=one.account_id,
        code="collection_failed",
        due_at=now + _ASK_WITHIN,
        dedup=f"collection-failed-{one.account_id}",
        now=now,
        params={"amount": one.amount, "reason": reason, "scheme": one.scheme, "mandate": one.mandate},
    )
