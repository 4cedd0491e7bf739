"""Payments find their account, are posted once, and pay claims; a returned one gives the claims back what it paid."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from relight.flow.claims import interest, placing
from relight.flow.claims.allocation import allocate_by_age, allocate_by_name
from relight.flow.claims.rows import PaymentRow
from relight.flow.database import Tx, statements

SQL = statements(__package__, "receiving.sql")

# A state only ever moves to the right; a failure told after success changes nothing.
STATES_IN_ORDER = ("ordered", "authorised", "failed", "confirmed", "booked", "returned")
_RANK = {state: rank for rank, state in enumerate(STATES_IN_ORDER)}


class Received(NamedTuple):
    """What became of a row. `account_id` is None while unmatched; `moved` says whether anything changed.

    `refused` is a sentence when what is stored says otherwise (another amount): then nothing was changed. `others`
    are accounts that it was taken off besides, where a person had shared it out, each with how much.
    """

    payment_id: int
    account_id: int | None
    is_new: bool
    state: str
    moved: bool
    refused: str = ""
    others: tuple[tuple[int, int], ...] = ()


class _Outcome(NamedTuple):
    payment_id: int
    account_id: int | None
    state: str
    amount: int
    reference: str
    moves: bool
    posts: bool
    comes_back: bool
    differs: bool
    by_hand: bool


def receive_payments(
    tx: Tx, source_id: int, rows: Sequence[PaymentRow], *, now: datetime, run_id: int | None = None
) -> list[Received]:
    """Take in what a source says of payments; one answer a row, in order. Amounts are minor units, above zero.

    A payment counts once, when it is first confirmed or booked, whatever is repeated: on its account, or among those
    that lie on none until its account is told. Raises KeyError for a state that payments do not have.
    """
    told = _told_once(rows)
    if not told:
        return []
    accounts = _find_and_lock(tx, source_id, list(told.values()))
    now = tx.after_waiting(now)
    new = _insert_new(tx, source_id, list(told.values()), now=now, run_id=run_id)
    now = tx.after_waiting(now)  # once more: another who told of the same may have kept our rows waiting
    outcomes = _advance(tx, source_id, list(told.values()), accounts, now)
    taken = _post(tx, outcomes, now)
    by_ref = dict(zip(told, outcomes, strict=True))
    return [_answer(row, by_ref[row.ref], told[row.ref], row.ref in new, taken) for row in rows]


def partner_today(tx: Tx, now: datetime) -> date:
    """The partner's own day at this moment."""
    if tx.zone is None:
        tx.zone = ZoneInfo(tx.value(SQL.zone, {"partner": tx.partner_id}))
    return now.astimezone(tx.zone).date()


def _told_once(rows: Sequence[PaymentRow]) -> dict[str, PaymentRow]:
    """One row a payment: the furthest state, with an account or reference that any of its rows gives."""
    told: dict[str, PaymentRow] = {}
    for row in rows:
        first = told.get(row.ref)
        if first is None:
            told[row.ref] = row if row.state in _RANK else row._replace(state=STATES_IN_ORDER[_RANK[row.state]])
        elif (row.amount, row.currency) == (first.amount, first.currency):
            told[row.ref] = first._replace(
                state=max(first.state, row.state, key=_RANK.__getitem__),
                account_ref=first.account_ref or row.account_ref,
                reference=first.reference or row.reference,
            )
    return told


def _find_and_lock(tx: Tx, source_id: int, rows: Sequence[PaymentRow]) -> list[int | None]:
    found = tx.rows(
        SQL.find_accounts,
        {
            "source": source_id,
            "refs": [row.ref for row in rows],
            "account_refs": [row.account_ref for row in rows],
            "references": [row.reference for row in rows],
            "currencies": [row.currency for row in rows],
        },
    )
    accounts = [row[0] for row in found]
    tx.lock(SQL.lock_accounts, {"accounts": list({account for account in accounts if account is not None})})
    return accounts


def _insert_new(
    tx: Tx, source_id: int, rows: Sequence[PaymentRow], *, now: datetime, run_id: int | None
) -> frozenset[str]:
    columns = {**_columns(rows), "partner": tx.partner_id, "source": source_id, "now": now, "run": run_id}
    new = frozenset(row[0] for row in tx.rows(SQL.insert_new, columns))
    locked = tx.lock(SQL.lock_payments, {"source": source_id, "refs": columns["refs"]})
    if placed := [payment for payment, by_hand in locked if by_hand]:
        # Seldom, and after the payment: two that meet here are told of a deadlock, and the later one looks again.
        tx.lock(SQL.lock_accounts, {"accounts": placing.accounts_of(tx, placed)})
    return new


def _columns(rows: Sequence[PaymentRow]) -> dict[str, Any]:
    return {
        "refs": [row.ref for row in rows],
        "amounts": [row.amount for row in rows],
        "currencies": [row.currency for row in rows],
        "value_dates": [row.value_date for row in rows],
        "references": [row.reference for row in rows],
        "payer_names": [row.payer_name for row in rows],
    }


def _advance(
    tx: Tx, source_id: int, rows: Sequence[PaymentRow], accounts: list[int | None], now: datetime
) -> list[_Outcome]:
    params = {
        **_columns(rows),
        "partner": tx.partner_id,
        "source": source_id,
        "now": now,
        "today": partner_today(tx, now),
        "accounts": accounts,
        "states": [row.state for row in rows],
        "states_in_order": list(STATES_IN_ORDER),
    }
    return [_Outcome(*row) for row in tx.rows(SQL.advance, params)]


def _post(tx: Tx, outcomes: Sequence[_Outcome], now: datetime) -> list[tuple[int, int, int]]:
    """Allocate what was posted; take back what was returned, and let other credit cover what that opened again.

    What of which payment that people had placed was taken from which account.
    """
    posted = [outcome for outcome in outcomes if outcome.posts]
    returned = [outcome for outcome in outcomes if outcome.comes_back and not outcome.by_hand]
    placed = [(found.payment_id, found.account_id) for found in outcomes if found.comes_back and found.by_hand]
    if not posted and not returned and not placed:
        return []
    today = partner_today(tx, now)
    taken = placing.give_back(tx, placed, today=today, now=now) if placed else []
    named = [(found.account_id, found.payment_id, found.amount, found.reference) for found in posted if found.reference]
    interest.before_payments(tx, [outcome.payment_id for outcome in posted], today=today, now=now)
    allocate_by_name(tx, named, today=today, now=now)
    if returned:
        params = {
            "partner": tx.partner_id,
            "accounts": list({outcome.account_id for outcome in returned}),
            "payments": [outcome.payment_id for outcome in returned],
            "today": today,
            "now": now,
        }
        tx.run(SQL.take_back, params)
    accounts = {outcome.account_id for outcome in (*posted, *returned) if outcome.account_id is not None}
    allocate_by_age(tx, sorted(accounts), today=today, now=now)
    interest.recount(tx, sorted(accounts), today=today, now=now)
    return taken


def _answer(
    row: PaymentRow, outcome: _Outcome, told: PaymentRow, is_new: bool, taken: Sequence[tuple[int, int, int]]
) -> Received:
    differs = outcome.differs or (row.amount, row.currency) != (told.amount, told.currency)
    refused = (
        f"Payment {row.ref} is known with another amount or currency. "
        "If it is another payment, give it a reference of its own."
        if differs
        else ""
    )
    others = tuple(
        (account, amount)
        for payment, account, amount in taken
        if payment == outcome.payment_id and account != outcome.account_id
    )
    return Received(outcome.payment_id, outcome.account_id, is_new, outcome.state, outcome.moves, refused, others)
