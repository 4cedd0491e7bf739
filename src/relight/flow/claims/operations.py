"""Money coming in: invoices become claims and postings, payments find their account and pay the claims they name.

Set-based and idempotent: what was told before changes nothing. The caller owns the transaction.
"""

from relight.flow.claims.allocation import allocate_by_age
from relight.flow.claims.posting import Posted, Refusal, post_claims
from relight.flow.claims.receiving import Received, receive_payments

__all__ = ["Posted", "Received", "Refusal", "allocate_by_age", "post_claims", "receive_payments"]
