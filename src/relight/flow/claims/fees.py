"""Fees on claims: booked and taken back as transfers, in minor units."""

from collections.abc import Sequence
from datetime import datetime

from relight.flow.claims.receiving import partner_today
from relight.flow.database import Tx, statements

SQL = statements(__package__, "fees.sql")


def post(tx: Tx, fees: Sequence[tuple[int, int] | tuple[int, int, str]], now: datetime) -> None:
    """Book fees: (claim id, amount > 0, which one where it has a name in law)."""
    if fees:
        params = {
            "claims": [one[0] for one in fees],
            "amounts": [one[1] for one in fees],
            "names": [one[2] if len(one) > 2 else "" for one in fees],
        }
        tx.run(SQL.post, {**params, "now": now, "today": partner_today(tx, now)})


def reverse(tx: Tx, transfer_ids: Sequence[int], *, now: datetime) -> None:
    """Take booked fees back; what was paid of them is the customer's credit again. A fee is taken back once."""
    if transfer_ids:
        tx.run(SQL.reverse, {"transfers": list(transfer_ids), "now": now, "today": partner_today(tx, now)})
