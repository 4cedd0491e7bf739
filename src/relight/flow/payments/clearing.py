"""One customer, one open checkout: before a new one is started, the others are asked about, and ended.

Between two transactions, since providers are asked; `start_checkout` looks once more under the customer's lock.
"""

from collections.abc import Collection
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import structlog

from relight.flow.database import Tx
from relight.flow.payments.checkouts import SAME_ORDER, SQL, Unfinished, unfinished
from relight.flow.payments.errors import NoSuchProvider, PaymentOnItsWay
from relight.flow.payments.operations import record_notices
from relight.flow.payments.port import PaymentState, ProviderUnavailable
from relight.flow.payments.providers import Settings, provider

_COMING = frozenset({PaymentState.AUTHORISED, PaymentState.CONFIRMED, PaymentState.BOOKED})

_log = structlog.get_logger(__name__)


class Transactions(Protocol):
    """Whatever opens transactions of a partner: the worker's database or the web's."""

    def transaction(self, partner_id: int | None) -> AbstractContextManager[Tx]:
        """One transaction."""
        ...


def clear_the_way(
    db: Transactions,
    partner_id: int,
    settings: Settings | None,
    *,
    link_id: int,
    wanted: str,
    amount: int,
    currency: str,
    now: datetime,
) -> Collection[int]:
    """End this customer's other open checkouts, so that only the `wanted` way can be paid.

    Answers those whose provider does not answer: who sits in the dark is not kept from paying another way, and a sum
    paid twice is credit that goes back. Raises `PaymentOnItsWay` for one that was paid, or cannot be ended.
    """
    with db.transaction(partner_id) as tx:
        account_id = tx.value(SQL.account_of, {"link": link_id})
        order = {"account": account_id, "provider": wanted, "amount": amount, "currency": currency, "now": now}
        same = tx.row(SQL.checkout_again, {**order, "span": SAME_ORDER})
        others = unfinished(tx, account_id, now, [same[0]] if same else [])
    return {one.checkout_id for one in others if one.provider_ref and not _ended(db, partner_id, settings, one, now)}


def _ended(db: Transactions, partner_id: int, settings: Settings | None, one: Unfinished, now: datetime) -> bool:
    """Whether a checkout cannot be paid any more; False where nobody knows."""
    try:
        taken = provider(settings, one.provider)
        events = taken.poll(one.provider_ref, now, one.handle)
        ended = bool(events) or taken.cancel(one.provider_ref, one.handle)
    except (ProviderUnavailable, NoSuchProvider, ValueError) as error:
        _log.warning("provider_not_asked", provider=one.provider, partner=partner_id, error=str(error))
        return False
    with db.transaction(partner_id) as tx:
        if events:
            record_notices(tx, provider_name=one.provider, events=events, now=now)
        elif ended:
            tx.run(SQL.finish_checkouts, {"checkouts": [one.checkout_id], "states": ["failed"], "now": now})
    if not ended:
        raise PaymentOnItsWay(f"checkout {one.checkout_id} cannot be ended", one.redirect_url)
    if any(event.state in _COMING for event in events):
        raise PaymentOnItsWay(f"checkout {one.checkout_id} was paid")
    return True
