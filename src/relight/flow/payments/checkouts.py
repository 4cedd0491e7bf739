"""From a pay link to a provider's page: links for messages, and checkouts that a double click cannot double."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from relight.flow.database import Tx, statements
from relight.flow.payments import links
from relight.flow.payments.errors import LinkNotUsable, NothingToPay, PaymentOnItsWay

SQL = statements(__package__, "operations.sql")

# A link that goes out once more leaves the customer a month at least.
LINK_MARGIN = timedelta(days=30)
# Clicks within this span are one order. Longer than a customer hesitates, shorter than any provider keeps a key (24 h).
SAME_ORDER = timedelta(minutes=10)
# Nobody pays later than this on the page of a provider that we know.
OPEN_MAX = timedelta(hours=48)
# A provider answers sooner; what is older was never given to a customer.
MAKING_MAX = timedelta(minutes=1)
# A direct debit takes days; one that was not heard of for longer does not keep anybody from paying.
ON_ITS_WAY_MAX = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Started:
    """An order that may now be given to a provider, in minor units of `currency`.

    `redirect_url` is set where an earlier click gave it already. `link_id` is the pay link that it was started from.
    """

    checkout_id: int
    key: str
    amount: int
    currency: str
    link_id: int
    redirect_url: str = ""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A checkout that may still be paid. Without a `provider_ref` it is just being made."""

    checkout_id: int
    provider: str
    provider_ref: str
    handle: str
    redirect_url: str


def links_for(tx: Tx, cases: Sequence[tuple[int, int]], now: datetime) -> dict[int, int]:
    """A usable pay link for each (case id, account id), made where there is none: case id to link id.

    The caller holds the accounts' locks.
    """
    if not cases:
        return {}
    given = {
        "cases": [case_id for case_id, _ in cases],
        "accounts": [account_id for _, account_id in cases],
        "now": now,
        "margin": LINK_MARGIN,
        "valid_for": links.VALID_FOR,
    }
    return dict(tx.rows(SQL.links_for, given))


def link_for(tx: Tx, case_id: int, account_id: int, now: datetime) -> int:
    """The pay link of one case; raises `LinkNotUsable` when the case is not this account's."""
    found = links_for(tx, [(case_id, account_id)], now).get(case_id)
    if found is None:
        raise LinkNotUsable(f"case {case_id} is not a case of account {account_id}")
    return found


def start_checkout(
    tx: Tx, *, link_id: int, provider: str, amount: int, currency: str, now: datetime, beside: Collection[int] = ()
) -> Started:
    """An order to pay `amount`: the one that a click just before started, or a new one with a key of its own.

    One customer has one open checkout: raises `PaymentOnItsWay` while another may still be paid, but for those in
    `beside`, which nobody could ask about. See `clearing.clear_the_way`.
    """
    if amount <= 0:
        raise NothingToPay("nothing is owed on this account")
    account_id = tx.value(SQL.lock_customer, {"link": link_id})
    if account_id is None:
        raise LinkNotUsable("the pay link is not there any more")
    order = {"link": link_id, "provider": provider, "amount": amount, "currency": currency, "now": now}
    again = tx.row(SQL.checkout_again, {**order, "account": account_id, "span": SAME_ORDER})
    if again is not None:
        return Started(*again)
    if tx.value(SQL.is_on_its_way, {"account": account_id, "now": now, "span": ON_ITS_WAY_MAX}):
        raise PaymentOnItsWay("a payment of this customer is on its way")
    for other in unfinished(tx, account_id, now, beside):
        raise PaymentOnItsWay(f"checkout {other.checkout_id} may still be paid", other.redirect_url)
    key = uuid.uuid4().hex
    return Started(tx.value(SQL.start_checkout, {**order, "key": key}), key, amount, currency, link_id)


def unfinished(tx: Tx, account_id: int, now: datetime, beside: Collection[int] = ()) -> list[Unfinished]:
    """A customer's checkouts that may still be paid, oldest first, but for those in `beside`."""
    given = {"account": account_id, "now": now, "beside": list(beside), "span_max": OPEN_MAX, "making": MAKING_MAX}
    return [Unfinished(*row) for row in tx.rows(SQL.unfinished, given)]


def attach(
    tx: Tx, *, checkout_id: int, provider_ref: str, now: datetime, redirect_url: str = "", handle: str = ""
) -> None:
    """Keep the provider's own id of a checkout, and where it is paid. Before this commits, the customer is not sent to
    the provider: no webhook about the payment can come earlier."""
    given = {"checkout": checkout_id, "ref": provider_ref, "redirect": redirect_url, "handle": handle, "now": now}
    tx.run(SQL.attach, given)


def give_up(tx: Tx, checkout_id: int, now: datetime) -> None:
    """The provider did not take an order: nobody was sent anywhere to pay it, so it keeps no other way closed."""
    tx.run(SQL.finish_checkouts, {"checkouts": [checkout_id], "states": ["failed"], "now": now})
