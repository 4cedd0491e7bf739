"""Payments that a person places: onto accounts, off them again, and back to whoever paid.

Whatever is undone is undone by postings of its own, now and with the payment's own value date: a month that is closed
stays as it was. The caller holds the locks of all accounts that are touched.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from relight.flow.claims import interest
from relight.flow.claims.allocation import allocate_by_age, allocate_by_name
from relight.flow.database import Tx, statements

SQL = statements(__package__, "placing.sql")


class Placed(NamedTuple):
    """A payment as it stands, locked. `unmatched` of it, in minor units, lies on no account."""

    id: int
    account_id: int | None
    state: str
    amount: int
    currency: str
    value_date: date
    by_hand: bool
    unmatched: int

    @property
    def rest(self) -> int:
        """What of it can still be placed, in minor units."""
        return self.unmatched


class Lying(NamedTuple):
    """What of a payment lies on an account: used for claims, and free."""

    payment_id: int
    account_id: int
    used: int
    free: int


class Part(NamedTuple):
    """So much of a payment, in minor units, for an account; for these of its claims first, in this order."""

    account_id: int
    amount: int
    claim_ids: tuple[int, ...] = ()


def accounts_of(tx: Tx, payment_ids: Sequence[int]) -> list[int]:
    """The accounts on which these payments lie or lay: to be locked, in this order, before anything is moved."""
    return [row[0] for row in tx.rows(SQL.accounts, {"payments": list(payment_ids)})]


def locked(tx: Tx, payment_id: int) -> Placed | None:
    """The payment, locked; None where there is none. Its accounts are locked before."""
    found = tx.row(SQL.payment, {"payment": payment_id})
    return Placed(*found) if found else None


def lying(tx: Tx, payment_ids: Sequence[int]) -> list[Lying]:
    """Where these payments lie."""
    accounts = accounts_of(tx, payment_ids)
    rows = tx.rows(SQL.lying, {"payments": list(payment_ids), "accounts": accounts})
    return [Lying(*row) for row in rows]


def place(tx: Tx, payment_id: int, parts: Sequence[Part], *, today: date, now: datetime) -> None:
    """Place what lies on no account, and let it pay: the claims that are named, then as any money of the account.

    The parts come to no more than that, and each account once; the database refuses more.
    """
    tx.run(SQL.take_in_hand, {"payments": [payment_id], "now": now})
    accounts = [part.account_id for part in parts]
    columns = {"accounts": accounts, "amounts": [part.amount for part in parts]}
    tx.run(SQL.place, {**columns, "payment": payment_id, "now": now})
    interest.before_payments(tx, [payment_id], today=today, now=now)
    allocate_by_name(tx, _named(tx, payment_id, parts), today=today, now=now)
    allocate_by_age(tx, sorted(accounts), today=today, now=now)
    interest.recount(tx, sorted(accounts), today=today, now=now)


def take_away(
    tx: Tx, payment_ids: Sequence[int], account_ids: Sequence[int], *, today: date, now: datetime
) -> list[tuple[int, int, int]]:
    """Take these payments off these accounts, onto none; what of which payment was taken from where.

    Claims are open again, unless other credit of their account pays them.
    """
    params = {"payments": list(payment_ids), "accounts": list(account_ids), "now": now}
    tx.run(SQL.take_in_hand, params)
    taken = tx.rows(SQL.take_away, params)
    left = {one.payment_id: one.account_id for one in reversed(lying(tx, payment_ids))}
    tx.run(SQL.belongs, {"payments": list(left), "accounts": list(left.values())})
    touched = sorted({account for _, account, _ in taken})
    allocate_by_age(tx, touched, today=today, now=now)
    interest.recount(tx, touched, today=today, now=now)
    return taken


def give_back(
    tx: Tx, payments: Sequence[tuple[int, int | None]], *, today: date, now: datetime
) -> list[tuple[int, int, int]]:
    """Payments (with their accounts) that came back although people had placed them: off all accounts, and away.

    They keep their account, whose case is told. What of which payment was taken from where.
    """
    ids = [payment for payment, _ in payments]
    taken = take_away(tx, ids, accounts_of(tx, ids), today=today, now=now)
    tx.run(SQL.give_back, {"payments": ids, "today": today, "now": now})
    known = [(payment, account) for payment, account in payments if account is not None]
    tx.run(SQL.belongs, {"payments": [one for one, _ in known], "accounts": [account for _, account in known]})
    return taken


def _named(tx: Tx, payment_id: int, parts: Sequence[Part]) -> list[tuple[int, int, int, str]]:
    """How much each named claim takes of its part, as allocation by name wants it."""
    wanted = [claim for part in parts for claim in part.claim_ids]
    owed = {row[0]: row[1:] for row in tx.rows(SQL.named_claims, {"claims": wanted})} if wanted else {}
    named: list[tuple[int, int, int, str]] = []
    for part in parts:
        left = part.amount
        for claim in part.claim_ids:
            account, number, amount = owed.get(claim, (None, "", 0))
            if account == part.account_id and (paid := min(left, amount)):
                named.append((part.account_id, payment_id, paid, number))
                left -= paid
    return named
