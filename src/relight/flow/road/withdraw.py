"""Notices that a correction falsified are withdrawn: they asked for too much, too early, or for something else. Those
that asked for too little stand for what they named.

What rested on them falls with them: their fees and the late interest that only they named are taken back, approvals
lapse, and the next turn gives back what was cut. The claims then begin their way anew.
"""

from collections.abc import Sequence
from datetime import datetime

from relight.flow.cases import naming
from relight.flow.cases.by_hand import end_by_hand
from relight.flow.cases.operations import ITSELF, wake
from relight.flow.claims import fees, interest
from relight.flow.claims.allocation import allocate_by_age
from relight.flow.claims.posting import Correction
from relight.flow.claims.receiving import partner_today
from relight.flow.database import Tx, statements

SQL = statements(__package__, "withdraw.sql")


def withdraw_notices(tx: Tx, corrections: Sequence[Correction], *, now: datetime) -> list[int]:
    """Void the steps that these corrections falsified, with all that came after them for the same claims; their ids.

    The caller has posted the corrections and holds the accounts' locks.
    """
    if not corrections:
        return []
    params = {
        "partner": tx.partner_id,
        "claims": [correction.claim_id for correction in corrections],
        "less": [correction.less for correction in corrections],
        "raised": [correction.raised for correction in corrections],
        "services": [f"{{{','.join(map(str, correction.services))}}}" for correction in corrections],
        "now": now,
    }
    if any(correction.raised for correction in corrections):
        tx.run(SQL.grown, params)
    withdrawn = tx.rows(SQL.withdraw, params)
    steps, accounts = [row[0] for row in withdrawn], sorted({row[1] for row in withdrawn})
    if not steps:
        return []
    take_fees_back(tx, steps, accounts, now=now)
    wake(tx, accounts, now, urgent=True)
    return steps


def take_fees_back(tx: Tx, steps: Sequence[int], accounts: Sequence[int], *, now: datetime) -> None:
    """Reverse what voided steps charged, and the interest that only they named; what was paid of it pays what else is
    owed, and interest is counted anew. What people were to do by hand for them they need not do, or take back."""
    end_by_hand(tx, steps, actor=ITSELF, now=now)
    fees.reverse(tx, [row[0] for row in tx.rows(SQL.fees, {"steps": list(steps)})], now=now)
    today = partner_today(tx, now)
    naming.forget_unnamed(tx, steps, today=today, now=now)
    allocate_by_age(tx, accounts, today=today, now=now)
    interest.recount(tx, accounts, today=today, now=now)
