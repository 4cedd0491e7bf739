"""Money of others: what came in on a creditor's claims is paid over to it, payment by payment.

What is paid over is what payments paid on its claims until a day and was not paid over before. A payment that came back
afterwards lowers the next one. All amounts are minor units; each currency has remittances of its own.
"""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple

from relight.flow.books.errors import UnableToRemit
from relight.flow.cases.errors import UnableToFind
from relight.flow.cases.people import Person
from relight.flow.claims.receiving import partner_today
from relight.flow.database import Tx, statements

SQL = statements(__package__, "remittance.sql")


class Due(NamedTuple):
    """A payment on a claim that is to be paid over, or below zero taken off; `part` is what of the claim it paid."""

    currency: str
    account_id: int
    account: str
    claim_id: int
    claim: str
    payment_id: int
    payment: str
    value_date: date
    part: str
    amount: int


class Item(NamedTuple):
    """A line of a remittance, as it was paid over."""

    account: str
    claim: str
    payment: str
    value_date: date
    part: str
    amount: int
    currency: str


class Remittance(NamedTuple):
    """What was paid over to a creditor, once: the sum of its items."""

    id: int
    creditor: str
    currency: str
    until: date
    amount: int
    made_at: datetime
    made_by: str
    items: int


def due(tx: Tx, creditor: str, until: date, *, keep: Sequence[str] = ()) -> list[Due]:
    """What a creditor is to be paid for all that was booked until a day; parts in `keep` stay here. Changes nothing."""
    creditor_id = tx.value("SELECT id FROM creditor WHERE name = %(creditor)s", {"creditor": creditor})
    if creditor_id is None:
        raise UnableToFind(f"There is no creditor {creditor!r} at this partner.")
    zone = tx.value(SQL.zone, {"partner": tx.partner_id})
    params = {"creditor_id": creditor_id, "until": until, "zone": zone, "keep": list(keep)}
    return [Due(*row) for row in tx.rows(SQL.due, params)]


def remit(
    tx: Tx, creditor: str, until: date, *, by: Person, now: datetime, keep: Sequence[str] = ()
) -> list[Remittance]:
    """Pay over to a creditor, one remittance a currency; where more came back than came in, it waits for the next.

    Raises `UnableToRemit` when there is nothing to pay over, `UnableToFind`, and `UnableToAct`.
    """
    by.must("books")
    creditor_id = tx.value(SQL.lock, {"creditor": creditor})
    today = partner_today(tx, now)
    if until > today:
        raise UnableToRemit(f"{until} has not come yet. Pay over until {today}, or earlier.")
    made: list[int] = []
    short: list[str] = []
    for currency, group in groupby(due(tx, creditor, until, keep=keep), key=lambda one: one.currency):
        found = list(group)
        amount = sum(one.amount for one in found)
        if amount <= 0:
            short.append(f"{-amount} {currency} more came back than came in, and is taken off the next")
            continue
        columns = {
            "accounts": [one.account_id for one in found],
            "claims": [one.claim_id for one in found],
            "payments": [one.payment_id for one in found],
            "parts": [one.part for one in found],
            "amounts": [one.amount for one in found],
        }
        given = {"partner": tx.partner_id, "creditor_id": creditor_id, "currency": currency, "until": until}
        made.append(
            tx.value(SQL.make, {**given, **columns, "amount": amount, "today": today, "now": now, "actor": by.name})
        )
    if not made:
        why = "; ".join(short) or "everything has been paid over"
        raise UnableToRemit(f"There is nothing to pay over to {creditor} until {until}: {why}.")
    return [one for one in remittances(tx, creditor=creditor) if one.id in made]


def remittances(tx: Tx, *, creditor: str = "") -> list[Remittance]:
    """What was paid over, the newest first."""
    return [Remittance(*row) for row in tx.rows(SQL.remittances, {"creditor": creditor})]


def items(tx: Tx, remittance_id: int) -> list[Item]:
    """The list that goes with a remittance."""
    return [Item(*row) for row in tx.rows(SQL.items, {"remittance": remittance_id})]
