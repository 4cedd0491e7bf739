"""Fees on claims: booked and taken back as transfers, in minor units."""

from collections.abc import Sequence
from datetime import datetime

from relight.flow.database import Tx, statements

SQL = statements(__package__, "fees.sql")


def post(tx: Tx, fees: Sequence[tuple[int, int]], now: datetime) -> None:
    """Book fees: (claim id, amount > 0)."""
    if fees:
        tx.run(
            SQL.post,
            {"claims": [f[0] for f in fees], "amounts": [f[1] for f in fees], "now": now, "today": now.date()},
        )


def reverse(tx: Tx, *, transfer_id: int, claim_id: int, amount: int, now: datetime) -> None:
    """Take a booked fee back; what was paid of it is the customer's again."""
    tx.run(SQL.reverse, {"transfer": transfer_id, "claim": claim_id, "amount": amount, "now": now, "today": now.date()})
