"""Notices that a correction falsified are withdrawn: they asked for too much, too early, or for something else. Those
that asked for too little stand for what they named.

What rested on them falls with them: their fees and the late interest that only they named are taken back, approvals
lapse, and the next turn gives back what was cut. The claims then begin their way anew.
"""

from collections.abc import Sequence
from datetime import datetime

from relight.flow.cases.operations import ITSELF, wake
from relight.flow.cases.voiding import take_back
from relight.flow.claims.posting import Correction
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
    take_back(tx, steps, accounts, actor=ITSELF, now=now)
    wake(tx, accounts, now, urgent=True)
    return steps
