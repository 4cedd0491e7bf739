"""What steps did beside the road, once they are voided by whomever: what they charged, and what people did for them."""

from collections.abc import Sequence
from datetime import datetime

from relight.flow.cases import naming
from relight.flow.cases.by_hand import end_by_hand
from relight.flow.claims import fees, interest
from relight.flow.claims.allocation import allocate_by_age
from relight.flow.claims.receiving import partner_today
from relight.flow.database import Tx, statements

SQL = statements(__package__, "voiding.sql")


def take_back(tx: Tx, steps: Sequence[int], accounts: Sequence[int], *, actor: str, now: datetime) -> None:
    """Reverse what voided steps charged, and the interest that only they named; what was paid of it pays what else is
    owed, and interest is counted anew. What people were to do by hand for them they need not do, or take back."""
    end_by_hand(tx, steps, actor=actor, now=now)
    fees.reverse(tx, [row[0] for row in tx.rows(SQL.fees, {"steps": list(steps)})], now=now)
    today = partner_today(tx, now)
    naming.forget_unnamed(tx, steps, today=today, now=now)
    allocate_by_age(tx, accounts, today=today, now=now)
    interest.recount(tx, accounts, today=today, now=now)
