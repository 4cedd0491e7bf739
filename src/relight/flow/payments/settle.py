"""The only entrance for money: webhooks, bank files and CSV alike post, allocate, and wake the cases that were paid.

The caller owns the transaction; when it commits, the urgent loop decides whether something can be given back.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from relight.flow.cases.opening import open_cases
from relight.flow.cases.operations import wake
from relight.flow.claims.operations import Received, receive_payments
from relight.flow.claims.rows import PaymentRow
from relight.flow.database import Tx, statements
from relight.flow.traces.operations import remember

SQL = statements(__package__, "settle.sql")


class Settled(NamedTuple):
    """What became of each row, in order, and the accounts whose cases think again now."""

    received: list[Received]
    account_ids: tuple[int, ...]


def settle(tx: Tx, source_id: int, rows: Sequence[PaymentRow], *, now: datetime, run_id: int | None = None) -> Settled:
    """Take in what a source says of payments; what was told before changes nothing and wakes nobody.

    A payment that came back opens its claims again, so cases are opened for those that have none. One whose payer
    named a bill that nobody has is told to a person, wherever it went; so is one for a bill that was paid already.
    """
    received = receive_payments(tx, source_id, rows, now=now, run_id=run_id)
    moved = [answer for answer in received if answer.moved and answer.account_id is not None]
    others = {account for answer in received for account, _ in answer.others}
    account_ids = tuple(sorted({answer.account_id for answer in moved if answer.account_id is not None} | others))
    returned = sorted(
        {answer.account_id for answer in moved if answer.account_id and answer.state == "returned"} | others
    )
    if returned:
        open_cases(tx, returned, now)
        for answer in received:
            _tell_others(tx, answer, now)
    if account_ids:
        wake(tx, list(account_ids), now, urgent=True)
        remember(tx, account_ids, now)
    named = [told.payment_id for row, told in zip(rows, received, strict=True) if told.moved and _names(row)]
    if named:
        tx.run(SQL.names_unknown, {"payments": named, "now": now})
    again = [told.payment_id for row, told in zip(rows, received, strict=True) if told.moved and row.reference]
    if again:
        tx.run(SQL.paid_again, {"payments": again, "now": now})
    return Settled(received, account_ids)


def _tell_others(tx: Tx, answer: Received, now: datetime) -> None:
    """A payment that a person had shared out came back: each account's case says what was taken from there. Its own
    account's next turn says it by itself."""
    if answer.others:
        accounts, amounts = zip(*answer.others, strict=True)
        given = {"accounts": list(accounts), "amounts": list(amounts), "payment": answer.payment_id, "now": now}
        tx.run(SQL.tell_returned, given)


def _names(row: PaymentRow) -> bool:
    """Whether it went to an account that its source said, so that nobody has looked whether its reference is known."""
    return bool(row.reference and row.account_ref)
