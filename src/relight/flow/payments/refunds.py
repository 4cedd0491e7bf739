"""Money that a provider gives back: booked when it is ordered, sent until it is taken, finished when it is told.

What stands as the customer's credit can be given back, never what paid a bill: that goes back whole, and the bill opens
again when the provider tells (`give_back_whole`).
"""

import uuid
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from psycopg.types.json import Jsonb

from relight.flow.apart import apart
from relight.flow.cases.operations import lock_accounts, wake
from relight.flow.claims.allocation import allocate_by_age
from relight.flow.claims.receiving import partner_today
from relight.flow.database import Database, Tx, statements
from relight.flow.payments import queries
from relight.flow.payments.errors import NoSuchProvider, UnableToRefund
from relight.flow.payments.port import ProviderUnavailable, RefundOrder
from relight.flow.payments.providers import FAILURES_MAX, Settings, provider

SQL = statements(__package__, "refunds.sql")
OPERATIONS = statements(__package__, "operations.sql")

# Providers keep a key for a day; after that the same request would be another refund.
KEY_LIVES = timedelta(hours=20)
_TASK_DUE = timedelta(days=1)
_SENT_AT_ONCE_MAX = 100

_log = structlog.get_logger(__name__)


class _Waiting(NamedTuple):
    refund_id: int
    key: str
    amount: int
    currency: str
    ordered_at: datetime
    provider: str
    ref: str
    operation: str


class _Payment(NamedTuple):
    payment_id: int
    account_id: int | None
    ref: str
    state: str
    amount: int
    currency: str
    provider: str
    kind: str
    left_over: int
    refunded: int


def order_refund(tx: Tx, *, provider_name: str, ref: str, amount: int | None, by: str, now: datetime) -> int:
    """Give back `amount` of what a payment left as credit, all of it when None; the sum, in minor units.

    Booked at once, so that no bill takes it meanwhile; `send_refunds` asks the provider. Raises `UnableToRefund`.
    """
    found = _locked(tx, provider_name, ref)
    left = min(found.left_over, found.amount - found.refunded)
    wanted = left if amount is None else amount
    if not 0 < wanted <= left:
        raise UnableToRefund(f"of {ref}, {left} stands as credit; {wanted} cannot be given back")
    given = {
        "partner": tx.partner_id,
        "account": found.account_id,
        "payment": found.payment_id,
        "key": uuid.uuid4().hex,
        "amount": wanted,
        "currency": found.currency,
        "today": partner_today(tx, now),
        "by": by,
        "now": now,
    }
    tx.value(SQL.order, given)
    assert found.account_id is not None
    wake(tx, [found.account_id], now, urgent=False)
    return wanted


def give_back_whole(db: Database, partner_id: int, settings: Settings | None, provider_name: str, ref: str) -> str:
    """Ask the provider to give a whole payment back, whatever it paid; the provider's number of the refund.

    Nothing is booked until the provider tells that the money left: then its claims open again, as for any return.
    Raises `UnableToRefund` or `ProviderUnavailable`; asking again is harmless.
    """
    with db.transaction(partner_id) as tx:
        found = _locked(tx, provider_name, ref)
        if found.refunded:
            raise UnableToRefund(f"a part of {ref} was given back already; give back what is left of it as credit")
        operation = tx.value(SQL.operation_of, {"provider": provider_name, "ref": ref}) or ""
    taken = provider(settings, provider_name)
    order = RefundOrder(
        key=f"whole-{partner_id}-{found.payment_id}",
        provider_ref=ref,
        amount=found.amount,
        currency=found.currency,
        operation=operation,
    )
    return taken.refund(order)


def send_refunds(db: Database, now: datetime) -> int:
    """Ask the providers for the refunds that were ordered; how many were taken. Call it about every 20 seconds."""
    with db.transaction(None) as tx:
        partners: list[tuple[int, Settings]] = tx.rows(queries.SQL.partners)
    taken = 0
    for partner_id, settings in partners:
        with apart("refunds", partner_id):
            taken += send_refunds_of(db, partner_id, settings, now)
    return taken


def send_refunds_of(db: Database, partner_id: int, settings: Settings, now: datetime) -> int:
    """The refunds of one partner. One that is not answered is asked for again with the same key, for most of a day; a
    provider that fails several times in a row is left alone until the next time."""
    with db.transaction(partner_id) as tx:
        waiting = [_Waiting(*row) for row in tx.rows(SQL.waiting, {"limit": _SENT_AT_ONCE_MAX})]
    taken, failures = 0, Counter[str]()
    for one in _from_anywhere(waiting, now):
        if now - one.ordered_at > KEY_LIVES:
            _leave_to_a_person(db, partner_id, one, now)
        elif failures[one.provider] < FAILURES_MAX:
            is_taken = _send(db, partner_id, settings, one)
            taken += is_taken
            failures[one.provider] = 0 if is_taken else failures[one.provider] + 1
    return taken


def _from_anywhere(waiting: list[_Waiting], now: datetime) -> list[_Waiting]:
    """In turn, beginning elsewhere each time: a few that a provider refuses again and again keep none behind them
    waiting. A clock's microseconds are as good as dice."""
    first = now.microsecond % len(waiting) if waiting else 0
    return waiting[first:] + waiting[:first]


def finish(tx: Tx, *, source_id: int, ref: str, amount: int, now: datetime) -> None:
    """The provider says that money went back which we ordered. The caller holds the account's lock."""
    tx.run(SQL.done, _told(tx, source_id, ref, amount, now))


def undo(tx: Tx, *, source_id: int, ref: str, amount: int, now: datetime) -> None:
    """The provider says that a refund did not get through: it is credit again, and pays what is open.

    The caller holds the account's lock.
    """
    accounts = [row[0] for row in tx.rows(SQL.undo, _told(tx, source_id, ref, amount, now))]
    allocate_by_age(tx, accounts, today=partner_today(tx, now), now=now)
    wake(tx, accounts, now, urgent=True)


def _locked(tx: Tx, provider_name: str, ref: str) -> _Payment:
    given = {"provider": provider_name, "ref": ref}
    account_id = tx.value(SQL.account_of, given)
    if account_id is not None:
        lock_accounts(tx, [account_id])
    row = tx.row(SQL.payment, given)
    found = _Payment(*row) if row else None
    if found is None or found.kind != "provider":
        raise UnableToRefund(f"{provider_name} has told of no payment {ref!r}")
    if found.account_id is None or found.state not in ("confirmed", "booked"):
        raise UnableToRefund(f"payment {ref} is {found.state}, or belongs to no account")
    return found


def _send(db: Database, partner_id: int, settings: Settings, one: _Waiting) -> bool:
    """Ask the provider; whether it has taken it."""
    order = RefundOrder(
        key=one.key, provider_ref=one.ref, amount=one.amount, currency=one.currency, operation=one.operation
    )
    try:
        refund_ref = provider(settings, one.provider).refund(order)
    except (ProviderUnavailable, NoSuchProvider, ValueError) as error:
        _log.warning("refund_not_sent", provider=one.provider, partner=partner_id, error=str(error))
        return False
    with db.transaction(partner_id) as tx:
        tx.run(SQL.sent, {"refund": one.refund_id, "refund_ref": refund_ref})
    return True


def _leave_to_a_person(db: Database, partner_id: int, one: _Waiting, now: datetime) -> None:
    params = {"provider": one.provider, "ref": one.ref, "amount": one.amount, "unsure": True}
    with db.transaction(partner_id) as tx:
        if tx.value(SQL.unsure, {"refund": one.refund_id, "now": now}) is not None:
            given = {"partner": partner_id, "code": "refund_failed", "params": Jsonb(params)}
            due = {"dedup": f"refund-unsure-{one.refund_id}", "now": now, "due_at": now + _TASK_DUE}
            tx.run(OPERATIONS.add_loose_task, {**given, **due})


def _told(tx: Tx, source_id: int, ref: str, amount: int, now: datetime) -> dict[str, Any]:
    return {
        "partner": tx.partner_id,
        "source": source_id,
        "ref": ref,
        "amount": amount,
        "today": partner_today(tx, now),
        "now": now,
    }
