"""Which claims' late interest no notice names any more, once steps were voided: a voided notice has named nothing.

The interest of a claim is claimed from the first notice that names it, of whichever case. While another that named it
stands, nothing changes. Else all of it is taken back, and the next notice to name it books it anew from its first day.
"""

from collections.abc import Sequence
from datetime import date, datetime

from relight.flow.cases.policies import PolicyShelf
from relight.flow.claims import interest
from relight.flow.database import Tx, statements

SQL = statements(__package__, "naming.sql")
_SHELF = PolicyShelf()


def forget_unnamed(tx: Tx, steps: Sequence[int], *, today: date, now: datetime) -> bool:
    """Take back the interest that only these voided steps named; whether there was any.

    The caller holds the accounts' locks; it shares out what they have then, and counts them anew.
    """
    covered = tx.rows(SQL.covered, {"steps": list(steps)})
    named = {claim for claim, version, step in covered if version is not None and _names(tx, version, step)}
    left = sorted({claim for claim, _, _ in covered} - named)
    interest.forget(tx, left, today=today, now=now)
    return bool(left)


def _names(tx: Tx, version: int, step: str) -> bool:
    """Whether a step of a policy's version names late interest; one that gives back is no step of the policy's."""
    policy = _SHELF.get(tx, version)
    found = policy.by_name.get(step)
    return policy.late_interest and found is not None and found.notifies
