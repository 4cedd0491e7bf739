"""Money at agencies: a payment that an agency received counts as the customer's, once, and lies with the agency until
it is settled.

The way in for money is another stage's (`payments.settle`); the road brings the two together and gives it as `Settle`.
"""

from collections.abc import Callable
from datetime import datetime

from relight.flow.claims.operations import Received
from relight.flow.claims.rows import PaymentRow
from relight.flow.claims.sources import provider_source
from relight.flow.database import Tx, statements

SQL = statements(__package__, "hearing.sql")

Settle = Callable[[Tx, int, PaymentRow, datetime], Received]
"""Takes in one payment of a source: posts it once, lets it pay, and wakes the cases that it concerns."""


def agency_source(tx: Tx, name: str) -> int:
    """Where money through the agency comes from; made at its first payment."""
    return provider_source(tx, f"agency {name}")


def take_in(tx: Tx, settle: Settle, source_id: int, row: PaymentRow, *, now: datetime) -> Received:
    """Settle a payment, and say where it lies. The caller holds the account's lock."""
    answer = settle(tx, source_id, row, now)
    if not answer.refused:
        statement = SQL.given_back if row.state == "returned" else SQL.held
        tx.run(statement, {"payment": answer.payment_id, "now": now})
    return answer
