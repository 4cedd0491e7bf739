"""From a pay link to a provider's page: links for messages, and checkouts that a double click cannot double."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from relight.flow.database import Tx, statements
from relight.flow.payments import links
from relight.flow.payments.errors import LinkNotUsable, NothingToPay

SQL = statements(__package__, "operations.sql")

# A link that goes out once more leaves the customer a month at least.
LINK_MARGIN = timedelta(days=30)
# Clicks within this span are one order. Longer than a customer hesitates, shorter than any provider keeps a key (24 h).
SAME_ORDER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Started:
    """An order that may now be given to a provider, in minor units of `currency`."""

    checkout_id: int
    key: str
    amount: int
    currency: str


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


def start_checkout(tx: Tx, *, link_id: int, provider: str, amount: int, currency: str, now: datetime) -> Started:
    """An order to pay `amount`: the one that a click just before started, or a new one with a key of its own."""
    if amount <= 0:
        raise NothingToPay("nothing is owed on this account")
    if tx.row(SQL.lock_link, {"link": link_id}) is None:
        raise LinkNotUsable("the pay link is not there any more")
    order = {"link": link_id, "provider": provider, "amount": amount, "currency": currency, "now": now}
    again = tx.row(SQL.checkout_again, {**order, "span": SAME_ORDER})
    if again is not None:
        return Started(*again)
    key = uuid.uuid4().hex
    return Started(tx.value(SQL.start_checkout, {**order, "key": key}), key, amount, currency)


def attach(tx: Tx, *, checkout_id: int, provider_ref: str, now: datetime) -> None:
    """Keep the provider's own id of a checkout. Before this commits, the customer is not sent to the provider: no
    webhook about the payment can come earlier."""
    tx.run(SQL.attach, {"checkout": checkout_id, "ref": provider_ref, "now": now})
