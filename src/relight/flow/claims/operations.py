"""Money coming in: invoices become claims and postings, payments find their account and pay the claims they name.

Set-based and idempotent: what was told before changes nothing. The caller owns the transaction.
"""

from datetime import datetime

from relight.flow.claims import interest
from relight.flow.claims.allocation import allocate_by_age
from relight.flow.claims.posting import Posted, Refusal, post_claims
from relight.flow.claims.receiving import Received, partner_today, receive_payments
from relight.flow.database import Database

__all__ = [
    "Posted",
    "Received",
    "Refusal",
    "allocate_by_age",
    "book_months",
    "partner_today",
    "post_claims",
    "receive_payments",
]


def book_months(db: Database, partner_id: int, now: datetime) -> None:
    """Book a partner's late interest until the last month's end, in batches with transactions of their own."""
    after = 0
    while True:
        with db.transaction(partner_id) as tx:
            after = interest.book_month(tx, today=partner_today(tx, now), now=now, after=after)
        if not after:
            return
