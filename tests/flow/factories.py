"""What flow tests arrange, in a line each: an account with its debtor, services with supply, claims, sources, payments.

Everything that has a production way in takes it (claims and payments); the rest is inserted as it would stand.
"""

import itertools
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from psycopg.types.json import Jsonb

from relight.flow.claims.operations import Received, post_claims, receive_payments
from relight.flow.claims.rows import ClaimRow, LineRow, PaymentRow
from relight.flow.database import Database, Tx

_numbers = itertools.count(1)

CONTACTS = {"sms": "+4790000001", "email": "kari@kunde.example", "letter": "Kari Nordmann\nStorgata 1\n9008 Tromsø"}


class Account(NamedTuple):
    """An account as tests speak of it."""

    id: int
    ref: str
    party_id: int


def slug_of(db: Database, partner: int) -> str:
    """A partner's name on the command line."""
    with db.transaction(partner) as tx:
        return str(tx.value("SELECT slug FROM partner WHERE id = %(id)s", {"id": partner}))


def make_account(
    tx: Tx,
    now: datetime,
    *,
    ref: str = "",
    name: str = "Kari Nordmann",
    debtor: str = "consumer",
    contacts: Mapping[str, str] = CONTACTS,
    profile: str = "",
    language: str = "nb",
    currency: str = "NOK",
) -> Account:
    """An account whose debtor can be reached by `contacts` (channel to value)."""
    ref = ref or f"A{next(_numbers)}"
    account_id = tx.value(
        "INSERT INTO account (partner_id, ref, creditor_id, brand_id, debtor, profile, currency, created_at)"
        " SELECT %(partner)s, %(ref)s, (SELECT min(id) FROM creditor), (SELECT min(id) FROM brand), %(debtor)s,"
        " %(profile)s, %(currency)s, %(now)s RETURNING id",
        {"partner": tx.partner_id, "ref": ref, "debtor": debtor, "profile": profile, "currency": currency, "now": now},
    )
    party_id = tx.value(
        "INSERT INTO party (partner_id, ref, name, language) VALUES (%(partner)s, %(ref)s, %(name)s, %(language)s)"
        " RETURNING id",
        {"partner": tx.partner_id, "ref": ref, "name": name, "language": language},
    )
    tx.run(
        "INSERT INTO account_role (partner_id, account_id, party_id, role, starts_at, source)"
        " VALUES (%(partner)s, %(account)s, %(party)s, 'debtor', %(now)s, 'test')",
        {"partner": tx.partner_id, "account": account_id, "party": party_id, "now": now - timedelta(days=365)},
    )
    for channel, value in contacts.items():
        tx.run(
            "INSERT INTO contact_point (partner_id, party_id, channel, value, starts_at, source)"
            " VALUES (%(partner)s, %(party)s, %(channel)s, %(value)s, %(now)s, 'test')",
            {"partner": tx.partner_id, "party": party_id, "channel": channel, "value": value, "now": now},
        )
    return Account(account_id, ref, party_id)


def make_service(
    tx: Tx,
    account: Account,
    now: datetime,
    *,
    kind: str = "broadband",
    driver: str = "simulator",
    address: Mapping[str, object] | None = None,
    ref: str = "",
    full_profile: str = "full",
    observed: str = "full",
) -> int:
    """A service with its supply row, at a metering point (or line) with a device; its id."""
    ref = ref or f"S{next(_numbers)}"
    point_id = tx.value(
        "WITH home AS (INSERT INTO premises (partner_id, ref, street, postcode, city)"
        " VALUES (%(partner)s, %(ref)s, 'Storgata 1', '9008', 'Tromsø') RETURNING id)"
        " INSERT INTO access_point (partner_id, ref, premises_id)"
        " SELECT %(partner)s, %(ref)s, id FROM home RETURNING id",
        {"partner": tx.partner_id, "ref": ref},
    )
    tx.run(
        "INSERT INTO device (partner_id, access_point_id, serial, starts_at)"
        " VALUES (%(partner)s, %(point)s, %(serial)s, %(now)s)",
        {"partner": tx.partner_id, "point": point_id, "serial": f"SN-{ref}", "now": now},
    )
    service_id = tx.value(
        "INSERT INTO service (partner_id, ref, account_id, access_point_id, kind, driver, address, full_profile,"
        " starts_at) VALUES (%(partner)s, %(ref)s, %(account)s, %(point)s, %(kind)s, %(driver)s, %(address)s,"
        " %(full_profile)s, %(now)s) RETURNING id",
        {
            "partner": tx.partner_id, "ref": ref, "account": account.id, "point": point_id, "kind": kind,
            "driver": driver, "address": Jsonb(dict(address or {"username": ref})), "full_profile": full_profile,
            "now": now - timedelta(days=365),
        },
    )  # fmt: skip
    tx.run(
        "INSERT INTO supply (partner_id, service_id, observed, observed_at)"
        " VALUES (%(partner)s, %(service)s, %(observed)s, %(now)s)",
        {"partner": tx.partner_id, "service": service_id, "observed": observed, "now": now},
    )
    return service_id


def make_claim(
    tx: Tx,
    account: Account,
    now: datetime,
    *,
    amount: int = 89900,
    due_date: date | None = None,
    number: str = "",
    reference: str = "",
    service_kind: str = "broadband",
    currency: str = "NOK",
    lines: Sequence[LineRow] = (),
    **more: object,
) -> int:
    """An invoice of `amount` minor units, overdue since yesterday unless said; its claim id. A further call with the
    same number changes it."""
    row = ClaimRow(
        account_ref=account.ref,
        number=number or f"F{next(_numbers)}",
        amount=amount,
        currency=currency,
        due_date=due_date or (now - timedelta(days=1)).date(),
        reference=reference,
        service_kind=service_kind,
        lines=tuple(lines),
        **more,  # type: ignore[arg-type]
    )
    posted = post_claims(tx, [row], run_id=None, now=now)
    assert not posted.refused, posted.refused
    return tx.value(
        "SELECT id FROM claim WHERE account_id = %(account)s AND number = %(number)s",
        {"account": account.id, "number": row.number},
    )


def make_source(tx: Tx, now: datetime, *, name: str = "bank", kind: str = "bank", required: bool = True) -> int:
    """A source of payments that is complete until now; its id."""
    return tx.value(
        "INSERT INTO source (partner_id, name, kind, complete_until, required)"
        " VALUES (%(partner)s, %(name)s, %(kind)s, %(now)s, %(required)s)"
        " ON CONFLICT (partner_id, name) DO UPDATE SET complete_until = excluded.complete_until RETURNING id",
        {"partner": tx.partner_id, "name": name, "kind": kind, "now": now, "required": required},
    )


def payment_row(
    amount: int,
    now: datetime,
    *,
    account: Account | None = None,
    reference: str = "",
    ref: str = "",
    state: str = "confirmed",
    currency: str = "NOK",
) -> PaymentRow:
    """What a source would say of a payment."""
    account_ref = account.ref if account else ""
    return PaymentRow(
        ref or f"P{next(_numbers)}", amount, currency, state, now.date(), account_ref=account_ref, reference=reference
    )


def pay(tx: Tx, account: Account, amount: int, now: datetime, *, state: str = "confirmed") -> Received:
    """A payment on an account, without waking anybody."""
    source_id = make_source(tx, now)
    return receive_payments(tx, source_id, [payment_row(amount, now, account=account, state=state)], now=now)[0]
