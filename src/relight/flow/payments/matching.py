"""What a person does with a payment: says whose it is, takes it away again, moves it, or sets it aside with a note.

All of it is posted (`claims/placing`), kept with who did it, told to the cases, and decided about at once: money that a
person assigns restores as any other. The caller owns the transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from relight.core.money import format_amount
from relight.flow.cases.errors import UnableTo, UnableToFind
from relight.flow.cases.opening import open_cases
from relight.flow.cases.operations import lock_accounts, wake
from relight.flow.cases.people import Person
from relight.flow.claims import placing
from relight.flow.claims.placing import Part, Placed
from relight.flow.claims.receiving import partner_today
from relight.flow.database import Tx, statements
from relight.flow.payments.names import payer_key

SQL = statements(__package__, "matching.sql")
MONEY = "money"  # the right
CAME = ("confirmed", "booked")

Work = Callable[[Tx, "Act"], None]


class UnableToMatch(UnableTo):
    """The payment cannot be placed so; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something with which payment, when, and why."""

    payment_id: int
    by: Person
    now: datetime
    note: str = ""


def assign(tx: Tx, act: Act, parts: Sequence[Part]) -> None:
    """Place a payment, or parts of it, on accounts; what is not given to anybody stays in the queue.

    Raises `UnableToMatch`, and `UnableToAct` where the role does not allow it.
    """
    act.by.must(MONEY)
    _refuse_nonsense(parts)
    found = lock_payment(tx, act.payment_id, [part.account_id for part in parts])
    _assign(tx, act, found, parts)


def take_away(tx: Tx, act: Act, account_id: int | None = None) -> None:
    """Undo: take a payment off an account (or off all) and back into the queue. Bills that it paid are open again."""
    act.by.must(MONEY)
    lock_payment(tx, act.payment_id, [])
    _take_away(tx, act, account_id)


def move(tx: Tx, act: Act, *, from_account: int, parts: Sequence[Part]) -> None:
    """Take a payment off the wrong account and place it on the right ones, in one go.

    The accounts may belong to other creditors. It keeps its value date, in whatever month it is moved.
    """
    act.by.must(MONEY)
    _refuse_nonsense(parts)
    lock_payment(tx, act.payment_id, [from_account, *(part.account_id for part in parts)])
    _take_away(tx, act, from_account)
    found = placing.locked(tx, act.payment_id)
    assert found is not None
    _assign(tx, act, found, parts)


def park(tx: Tx, act: Act) -> None:
    """Set a payment aside with a note: it stays in the queue, among those that wait for somebody else's answer."""
    act.by.must(MONEY)
    if not act.note.strip():
        raise UnableToMatch("Say in a note what the payment waits for.")
    lock_payment(tx, act.payment_id, [])
    keep_act(tx, act, "parked", [(None, 0)])


def keep(tx: Tx, act: Act) -> None:
    """Leave what is left of a payment as its customer's credit, which pays the next bill: nobody need look at it."""
    act.by.must(MONEY)
    lock_payment(tx, act.payment_id, [])
    free = [(one.account_id, one.free) for one in placing.lying(tx, [act.payment_id]) if one.free]
    if not free:
        raise UnableToMatch("Nothing of this payment is credit: bills have taken it all, or it lies on no account.")
    keep_act(tx, act, "kept", free)


def _assign(tx: Tx, act: Act, found: Placed, parts: Sequence[Part]) -> None:
    act = _after_waiting(tx, act)
    _refuse_misfits(tx, found, parts)
    today = partner_today(tx, act.now)
    placing.place(tx, act.payment_id, parts, today=today, now=act.now)
    sums = [(part.account_id, part.amount) for part in parts]
    claims = [claim for part in parts for claim in part.claim_ids]
    keep_act(tx, act, "assigned", sums, claims=claims)
    _tell(tx, act, SQL.tell_assigned, sums)
    wake(tx, [account for account, _ in sums], act.now, urgent=True)


def _take_away(tx: Tx, act: Act, account_id: int | None) -> None:
    act = _after_waiting(tx, act)
    accounts = placing.accounts_of(tx, [act.payment_id]) if account_id is None else [account_id]
    taken = placing.take_away(tx, [act.payment_id], accounts, today=partner_today(tx, act.now), now=act.now)
    if not taken:
        raise UnableToMatch("Nothing of this payment lies there. Load the page again to see where it is.")
    sums = [(account, amount) for _, account, amount in taken]
    keep_act(tx, act, "taken_away", sums)
    open_cases(tx, [account for account, _ in sums], act.now)
    _tell(tx, act, SQL.tell_taken, sums)
    wake(tx, [account for account, _ in sums], act.now, urgent=True)


def _after_waiting(tx: Tx, act: Act) -> Act:
    return replace(act, now=tx.after_waiting(act.now))


def lock_payment(tx: Tx, payment_id: int, account_ids: Sequence[int]) -> Placed:
    """Lock the accounts that are touched, then the payment; refuse one that is no money yet, or not any more."""
    known = {*account_ids, *placing.accounts_of(tx, [payment_id])}
    lock_accounts(tx, sorted(known))
    found = placing.locked(tx, payment_id)
    if since := set(placing.accounts_of(tx, [payment_id])) - known:
        lock_accounts(tx, sorted(since))  # somebody was faster, and moved it on
    if found is None:
        raise UnableToFind("There is no such payment.")
    if found.state not in CAME:
        raise UnableToMatch(f"The payment is {found.state}: only money that came can be placed.")
    return found


def _refuse_nonsense(parts: Sequence[Part]) -> None:
    if not parts or any(part.amount <= 0 for part in parts):
        raise UnableToMatch("Say for each account how much of the payment is for it; more than nothing.")
    if len({part.account_id for part in parts}) < len(parts):
        raise UnableToMatch("Name each account once.")


def _refuse_misfits(tx: Tx, found: Placed, parts: Sequence[Part]) -> None:
    wanted = sum(part.amount for part in parts)
    if wanted > found.rest:
        left, asked = (format_amount(amount, found.currency, "en") for amount in (found.rest, wanted))
        raise UnableToMatch(f"{left} of the payment can be placed, and these parts come to {asked}.")
    known = {row[0]: row[1:] for row in tx.rows(SQL.currencies, {"accounts": [part.account_id for part in parts]})}
    for part in parts:
        currency, ref = known.get(part.account_id, ("", ""))
        if not ref:
            raise UnableToFind("There is no such account.")
        if currency != found.currency:
            raise UnableToMatch(f"The payment is in {found.currency}, and account {ref} is kept in {currency}.")


def keep_act(tx: Tx, act: Act, code: str, sums: Sequence[tuple[int | None, int]], claims: Sequence[int] = ()) -> None:
    """Put an act on record, an account and sum each, with who paid."""
    payer = tx.value(SQL.payer, {"payment": act.payment_id}) if code == "assigned" else ""
    given = {
        "payment": act.payment_id,
        "code": code,
        "accounts": [account for account, _ in sums],
        "amounts": [amount for _, amount in sums],
        "claims": list(claims),
        "payer_key": payer_key(payer),
        "note": act.note,
        "actor": act.by.name,
        "now": act.now,
    }
    tx.run(SQL.act, given)


def _tell(tx: Tx, act: Act, statement: str, sums: Sequence[tuple[int, int]]) -> None:
    given = {"accounts": [account for account, _ in sums], "amounts": [amount for _, amount in sums]}
    tx.run(statement, {**given, "payment": act.payment_id, "note": act.note, "actor": act.by.name, "now": act.now})
