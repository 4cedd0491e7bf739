"""Money goes back: one person asks, another one grants it, and a file orders it from the bank, or its provider does.

What a bill needs is not refunded: only what lies free on an account, or on none. Once it is granted no bill takes it
any more. The caller owns the transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from relight.core.money import format_amount
from relight.flow.cases.errors import UnableTo, UnableToApprove, UnableToFind
from relight.flow.cases.people import Person
from relight.flow.claims import placing
from relight.flow.claims.placing import Placed
from relight.flow.claims.receiving import partner_today
from relight.flow.database import Tx, statements
from relight.flow.payments import refunds
from relight.flow.payments.errors import UnableToRefund
from relight.flow.payments.files.pain001 import Order, as_account, pain001
from relight.flow.payments.matching import MONEY, Act, keep_act, lock_payment

SQL = statements(__package__, "bank_refunds.sql")


class UnableToRefundByBank(UnableTo):
    """The money cannot go back so; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to go back, in minor units: from this account's credit, or (None) from what lies on no account.

    Without `to_account` it goes to the account that the bank says it was paid from; `by_provider`, the way it came.
    """

    account_id: int | None
    amount: int
    to_name: str
    to_account: str = ""
    by_provider: bool = False


class OpenRefund(NamedTuple):
    """One that waits for a colleague's yes (`asked`), or for the bank's file (`granted`)."""

    id: int
    payment_id: int
    amount: int
    currency: str
    to_name: str
    to_account: str
    reason: str
    state: str
    asked_at: datetime
    asked_by: str
    decided_by: str
    account: str
    payment: str
    way: str


def ask(tx: Tx, act: Act, wanted: Wanted) -> int:
    """Ask that money goes back; the refund's id. `act.note` is the reason, which its receiver reads.

    Raises `UnableToRefundByBank`.
    """
    act.by.must(MONEY)
    if not act.note.strip() or not (wanted.to_name.strip() or wanted.by_provider):
        raise UnableToRefundByBank("Say who gets the money, and why: the receiver reads both.")
    found = lock_payment(tx, act.payment_id, [])
    way = {"way": "provider" if wanted.by_provider else "bank", "to_name": wanted.to_name.strip()}
    to_account = _provider_of(tx, found, wanted) if wanted.by_provider else _bank_account(tx, act, wanted)
    asked = {"payment": act.payment_id, "account": wanted.account_id}
    _refuse_too_much(tx, found, wanted.account_id, wanted.amount + tx.value(SQL.pledged, asked))
    given = {"amount": wanted.amount, **way, "to_account": to_account}
    refund = tx.value(SQL.ask, {**asked, **given, "reason": act.note, "actor": act.by.name, "now": act.now})
    keep_act(tx, act, "refund_asked", [(wanted.account_id, wanted.amount)])
    return int(refund)


def decide(tx: Tx, refund_id: int, *, granted: bool, by: Person, now: datetime, note: str = "") -> None:
    """Another person's yes or no. Raises `UnableToApprove`, or `UnableToRefundByBank` where it is not there now."""
    by.must("approve")
    about = tx.row(SQL.about, {"refund": refund_id})
    if about is None:
        raise UnableToFind("There is no such refund.")
    payment, account, amount, asked_by, way, provider_name, ref = about
    found = lock_payment(tx, payment, [account] if account else [])
    state = tx.value(SQL.lock, {"refund": refund_id})
    if state != "asked":
        raise UnableToApprove(f"This was already {state}. Load the page again to see by whom.")
    if by.name == asked_by:
        raise UnableToApprove("Who asked for it cannot approve it. Ask a colleague.")
    if granted and way == "provider":
        _order_from_provider(tx, provider_name, ref, amount=amount, by=by, now=now)
    elif granted:
        _refuse_too_much(tx, found, account, amount)
        tx.run(placing.SQL.take_in_hand, {"payments": [payment], "now": now})
        tx.run(SQL.post, {"refund": refund_id, "today": partner_today(tx, now), "now": now})
    state = ("ordered" if way == "provider" else "granted") if granted else "refused"
    tx.run(SQL.decide, {"refund": refund_id, "state": state, "actor": by.name, "note": note, "now": now})


def order(tx: Tx, *, now: datetime) -> tuple[str, bytes] | None:
    """Order all that was granted: the message's id and the bank's file; None where nothing waits.

    Written once: the same message can be written again (`again`), and a bank takes a message's id once.
    """
    granted = [row[0] for row in tx.rows(SQL.lock_granted)]
    if not granted:
        return None
    message = f"RL{tx.partner_id}-{granted[0]}-{now:%y%m%d%H%M%S}"
    unpaid = sorted({name for _, _, _, name, bank, *_ in tx.rows(SQL.orders, {"message": ""}) if not bank})
    if unpaid:
        raise UnableToRefundByBank(f"{', '.join(unpaid)} has no bank account to pay from: give the creditor one.")
    today = partner_today(tx, now)
    tx.run(SQL.order, {"refunds": granted, "message": message, "today": today, "now": now})
    return message, again(tx, message)


def again(tx: Tx, message: str) -> bytes:
    """The file of a message as it was ordered, for one that was lost on its way. Raises `UnableToFind`."""
    rows = tx.rows(SQL.orders, {"message": message})
    if not rows or not message:
        raise UnableToFind(f"Nothing was ordered under {message!r}.")
    at: datetime = rows[0][-1]
    orders = [
        Order(ref, amount, currency, name, as_account(bank), *to) for ref, amount, currency, name, bank, *to, _ in rows
    ]
    sender = tx.value(SQL.sender, {"partner": tx.partner_id})
    return pain001(orders, message_id=message, sender=sender, on=partner_today(tx, at), at=at)


def way_of(tx: Tx, refund_id: int) -> str:
    """By which way a refund goes: `bank` or `provider`."""
    return str((tx.row(SQL.about, {"refund": refund_id}) or ("",) * 7)[4])


def open_refunds(tx: Tx) -> list[OpenRefund]:
    """What waits for a yes, or for the bank."""
    return [OpenRefund(*row) for row in tx.rows(SQL.open)]


def _bank_account(tx: Tx, act: Act, wanted: Wanted) -> str:
    """To which bank account it goes."""
    told = wanted.to_account or tx.value(SQL.payer_account, {"payment": act.payment_id}) or ""
    if not told:
        raise UnableToRefundByBank("The bank did not say which account it was paid from: say to which one it goes.")
    try:
        return as_account(told)
    except ValueError as wrong:
        raise UnableToRefundByBank(f"{wrong}.") from wrong


def _provider_of(tx: Tx, found: Placed, wanted: Wanted) -> str:
    """The provider that the payment came by; only what lies on the account that it came for goes back that way."""
    name = tx.value(SQL.provider, {"payment": found.id})
    if name is None or wanted.account_id is None or wanted.account_id != found.account_id:
        raise UnableToRefundByBank("No provider can give this back: it did not come by one, or lies elsewhere by now.")
    return str(name)


def _order_from_provider(tx: Tx, provider_name: str, ref: str, *, amount: int, by: Person, now: datetime) -> None:
    """Booked at once; the worker asks the provider."""
    try:
        refunds.order_refund(tx, provider_name=provider_name, ref=ref, amount=amount, by=by.name, now=now)
    except UnableToRefund as refused:
        raise UnableToRefundByBank(f"{refused}.") from refused


def _refuse_too_much(tx: Tx, found: Placed, account_id: int | None, amount: int) -> None:
    free = found.rest if account_id is None else _free(tx, found.id, account_id)
    if amount <= 0 or amount > free:
        there = format_amount(free, found.currency, "en")
        raise UnableToRefundByBank(f"{there} of this payment is there to go back; what bills took is theirs.")


def _free(tx: Tx, payment_id: int, account_id: int) -> int:
    lying: Sequence[placing.Lying] = placing.lying(tx, [payment_id])
    return sum(one.free for one in lying if one.account_id == account_id)
