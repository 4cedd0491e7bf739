"""Writing off and forgiving: asked for by one person, agreed by another, posted, and undone where it was wrong.

A write-off takes a claim off the books and leaves it owed; a remission forgives it. Both end what the case asks for, so
the case thinks again. Money that goes back to a customer is the payments stage's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from relight.flow.books.errors import UnableToPost
from relight.flow.cases.errors import UnableToApprove, UnableToFind
from relight.flow.cases.opening import open_cases
from relight.flow.cases.operations import append_event, locked_at, wake
from relight.flow.cases.people import Person
from relight.flow.claims import interest
from relight.flow.claims.allocation import allocate_by_age
from relight.flow.claims.receiving import partner_today
from relight.flow.database import Tx, statements

SQL = statements(__package__, "acts.sql")
KINDS = ("write_off", "remission")
_LISTED_MAX = 500


@dataclass(frozen=True, slots=True)
class Act:
    """A write-off or remission: how far it has come, by whom. `amount` is in minor units."""

    id: int
    kind: str
    state: str
    amount: int
    currency: str
    reason: str
    account_id: int
    account: str
    claim_id: int | None
    claim: str
    requested_by: str
    requested_at: datetime
    decided_by: Sequence[str]
    posted_at: datetime | None
    undone_by: str
    undone_at: datetime | None


def ask(
    tx: Tx,
    kind: str,
    number: str,
    *,
    by: Person,
    reason: str,
    now: datetime,
    amount: int | None = None,
    creditor: str = "",
) -> Act:
    """Ask for a write-off or remission of an invoice, or of `amount` of it; another person answers.

    Raises `UnableToFind`, `UnableToPost` for more than is owed, and `UnableToAct`.
    """
    by.must("task")
    found = tx.rows(SQL.claim, {"number": number, "creditor": creditor})
    if not found:
        raise UnableToFind(f"There is no invoice {number}.")
    if len(found) > 1:
        raise UnableToPost(f"Several creditors have an invoice {number}: say which with --creditor.")
    claim_id, account_id = found[0][:2]
    now = locked_at(tx, [account_id], now)
    _, _, _, currency, costs, late, principal, _ = tx.rows(SQL.claim, {"number": number, "creditor": creditor})[0]
    owed = costs + late + principal
    taken = owed if amount is None else amount
    if not 0 < taken <= owed:
        raise UnableToPost(f"Invoice {number} owes {owed} in {currency}'s minor units: ask for that, or less.")
    if tx.value(SQL.is_asked, {"claim": claim_id}):
        raise UnableToPost(f"Somebody has asked about invoice {number} already. Answer that first: relight books acts")
    params = {"partner": tx.partner_id, "kind": kind, "account": account_id, "claim": claim_id, "amount": taken}
    return act(tx, tx.value(SQL.ask, {**params, "currency": currency, "reason": reason, "actor": by.name, "now": now}))


def creditor_of(tx: Tx, claim_id: int) -> str:
    """Who is owed on a claim, by name; several creditors may number alike."""
    return str(tx.value(SQL.creditor_of, {"claim": claim_id}) or "")


def act(tx: Tx, act_id: int) -> Act:
    """One act, as it is now. Raises `UnableToFind`."""
    row = tx.row(SQL.act, {"act": act_id})
    if row is None:
        raise UnableToFind(f"There is no act {act_id}.")
    return Act(*row)


def acts(tx: Tx, *, waiting: bool = False, account_id: int | None = None) -> list[Act]:
    """Acts, the newest first: of an account or of all, those that wait for an answer or all."""
    return [Act(*row) for row in tx.rows(SQL.acts, {"waiting": waiting, "account": account_id, "limit": _LISTED_MAX})]


def answer(tx: Tx, act_id: int, *, by: Person, granted: bool, now: datetime, note: str = "") -> Act:
    """Say yes or no. A yes posts it, in the open month, and the case thinks again.

    Raises `UnableToApprove` for who asked for it and for what was answered, `UnableToPost` where less is owed by now.
    """
    by.must("approve")
    now = locked_at(tx, [act(tx, act_id).account_id], now)
    asked = act(tx, act_id)
    if by.name == asked.requested_by:
        raise UnableToApprove("Who asked for it cannot approve it. Ask a colleague.")
    params = {"act": act_id, "granted": granted, "actor": by.name, "now": now, "note": note}
    if asked.state != "requested" or tx.value(SQL.answer, params) is None:
        raise UnableToApprove("Somebody has answered this already.")
    if granted:
        _post(tx, asked, by=by, today=partner_today(tx, now), now=now)
    return act(tx, act_id)


def undo(tx: Tx, act_id: int, *, by: Person, now: datetime, note: str = "") -> Act:
    """Take an act back: the claim is owed again, and what the account has in credit pays it.

    Raises `UnableToPost` for what is not posted, or whose invoice has been lowered or cancelled since.
    """
    by.must("approve")
    now = locked_at(tx, [act(tx, act_id).account_id], now)
    posted = act(tx, act_id)
    if posted.state != "posted":
        raise UnableToPost(f"Act {act_id} is {posted.state}: there is nothing to undo.")
    taken, room = tx.row(SQL.room, {"act": act_id}) or (0, -1)
    if room < taken:
        raise UnableToPost(
            f"Invoice {posted.claim} was lowered or cancelled since; what was taken off is not owed now."
        )
    today = partner_today(tx, now)
    tx.run(SQL.take_back, {"act": act_id, "today": today, "now": now, "actor": by.name})
    interest.forget_forgiven(tx, posted.claim_id, today=today, now=now)
    interest.recount(tx, [posted.account_id], today=today, now=now)
    allocate_by_age(tx, [posted.account_id], today=today, now=now)
    open_cases(tx, [posted.account_id], now)
    params = {"amount": posted.amount, "claims": [posted.claim], "note": note}
    for case_id in _open_cases(tx, posted.account_id):
        append_event(tx, case_id=case_id, code="claim_owed_again", actor=by.name, now=now, params=params)
    wake(tx, [posted.account_id], now, urgent=True)
    return act(tx, act_id)


def _post(tx: Tx, asked: Act, *, by: Person, today: date, now: datetime) -> None:
    found = tx.row("SELECT costs + interest + principal FROM claim WHERE id = %(claim)s", {"claim": asked.claim_id})
    if found is None or found[0] < asked.amount:
        raise UnableToPost(f"Invoice {asked.claim} owes less by now. Say no, and ask for what is left.")
    tx.run(SQL.post, {"act": asked.id, "today": today, "now": now})
    interest.recount(tx, [asked.account_id], today=today, now=now)
    params = {"amount": asked.amount, "claims": [asked.claim], "note": asked.reason}
    for case_id in _open_cases(tx, asked.account_id):
        if asked.kind == "write_off":
            append_event(tx, case_id=case_id, code="claim_written_off", actor=by.name, now=now, params=params)
        else:
            append_event(tx, case_id=case_id, code="claim_forgiven", actor=by.name, now=now, params=params)
    wake(tx, [asked.account_id], now, urgent=True)


def _open_cases(tx: Tx, account_id: int) -> list[int]:
    return [row[0] for row in tx.rows(SQL.cases, {"account": account_id})]
