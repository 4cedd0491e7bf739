"""Collections that no file has ordered are taken back, and what happened to bills goes on the log of their cases."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from relight.flow.cases.operations import wake
from relight.flow.database import Tx, statements

SQL = statements(__package__, "withdrawing.sql")


class Gone(NamedTuple):
    """A collection that is taken back before any file ordered it."""

    id: int
    account_id: int
    claim_id: int
    amount: int
    hold_id: int


def withdraw(tx: Tx, gone: Sequence[Gone], *, why: str, now: datetime) -> None:
    """Take back what no file has ordered, and the message about it that has not left; accounts are locked. `why` is
    `not_sent`, `not_announced` (there is no time left to tell the customer) or `cannot_tell`."""
    if not gone:
        return
    tx.run(SQL.withdraw, {"collections": [one.id for one in gone], "why": why, "now": now})
    tx.run(SQL.unsay, {"collections": [one.id for one in gone], "now": now})
    tx.run(SQL.let_go, {"holds": [one.hold_id for one in gone], "now": now})
    tell(tx, [(one.claim_id, "collection_called_back", {"amount": one.amount}) for one in gone], now)
    wake(tx, sorted({one.account_id for one in gone}), now, urgent=False)


def tell(tx: Tx, events: Sequence[tuple[int, str, Mapping[str, Any]]], now: datetime) -> None:
    """Put what happened to bills (claim, code, parameters) on the log of their open cases; accounts are locked."""
    if events:
        given = {
            "claims": [claim for claim, _, _ in events],
            "codes": [code for _, code, _ in events],
            "params": [Jsonb(dict(params)) for _, _, params in events],
        }
        tx.run(SQL.tell, {**given, "now": now})
