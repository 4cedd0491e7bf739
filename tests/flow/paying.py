"""What tests of paying arrange: a customer with an overdue bill, a case, a pay link, and the test provider."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.types.json import Jsonb

from relight.core.policy_reader import packaged_text
from relight.drivers.testpay import TestProvider
from relight.flow.cases.opening import open_cases
from relight.flow.cases.people import operator
from relight.flow.database import Database, Tx
from relight.flow.payments.operations import attach, link_for, start_checkout
from relight.flow.payments.port import Order, PaymentProvider, PaymentState, ProviderEvent
from relight.flow.road.publishing import publish_at_once
from tests.flow.factories import Account, make_account, make_claim, make_service

OWED = 89900


class Debtor(NamedTuple):
    """Someone who owes `OWED`, with a link to pay it."""

    account: Account
    case_id: int
    link_id: int
    service_id: int
    claim_id: int


def make_debtor(tx: Tx, now: datetime, *, amount: int = OWED, reference: str = "2345676", **options: object) -> Debtor:
    """A customer with one overdue bill for broadband. The partner needs a policy: `with_policy`."""
    account = make_account(tx, now, **options)  # type: ignore[arg-type]
    service_id = make_service(tx, account, now)
    claim_id = make_claim(tx, account, now, amount=amount, reference=reference)
    (case_id,) = open_cases(tx, [account.id], now)
    return Debtor(account, case_id, link_for(tx, case_id, account.id, now), service_id, claim_id)


def with_policy(tx: Tx, now: datetime) -> None:
    """Publish the packaged broadband policy."""
    publish_at_once(tx, packaged_text("broadband-no"), by=operator("test"), now=now)


def with_testpay(owner: psycopg.Connection, partner: int, folder: Path, **settings: object) -> TestProvider:
    """Give a partner the test provider; the driver that its site then uses, with the same settings."""
    given = {"secret": f"whsec-{partner}", "folder": str(folder), **settings}
    owner.execute(
        "UPDATE partner SET driver_settings = %s WHERE id = %s", (Jsonb({"payments": {"testpay": given}}), partner)
    )
    owner.execute("UPDATE brand SET phone = '77 00 00 00', site = 'nordlys.example' WHERE partner_id = %s", (partner,))
    return TestProvider(given)


def order_of(debtor: Debtor, key: str, *, amount: int = OWED, currency: str = "NOK") -> Order:
    """What the site would ask the provider for."""
    return Order(key, amount, currency, "Nordlys 2345676", "2345676", "https://betal.example/p/token/status")


def checked_out(
    db: Database,
    partner: int,
    debtor: Debtor,
    provider: PaymentProvider,
    now: datetime,
    *,
    currency: str = "NOK",
    beside_others: bool = False,
) -> str:
    """A checkout that stands open at the provider; its reference there. `beside_others`: as when the providers of this
    customer's other open checkouts do not answer."""
    with db.transaction(partner) as tx:
        others = [row[0] for row in tx.rows("SELECT id FROM checkout")] if beside_others else []
        started = start_checkout(
            tx,
            link_id=debtor.link_id,
            provider=provider.name,
            amount=OWED,
            currency=currency,
            now=now,
            beside=others,
        )
        made = provider.create(order_of(debtor, started.key, currency=currency))
        attach(
            tx,
            checkout_id=started.checkout_id,
            provider_ref=made.provider_ref,
            redirect_url=made.redirect_url,
            handle=made.handle,
            now=now,
        )
    return made.provider_ref


def said(
    ref: str,
    state: PaymentState = PaymentState.CONFIRMED,
    *,
    amount: int = OWED,
    currency: str = "NOK",
    event_id: str = "",
) -> ProviderEvent:
    """A provider's word about a payment."""
    return ProviderEvent(
        event_id or f"{ref}-{state}", ref, state, amount, currency, datetime(2026, 3, 2, 9, tzinfo=UTC)
    )
