"""What the demo's days came to: counted from what is stored, and the ledger added up again from its transfers."""

from collections.abc import Sequence
from typing import Any

from relight.flow.database import Database

_COUNTS = """
    SELECT
        (SELECT count(*) FROM account) AS accounts,
        (SELECT count(*) FROM claim) AS claims,
        (SELECT count(*) FROM case_event WHERE code = 'opened') AS cases_opened,
        (SELECT count(*) FROM case_event WHERE code = 'cured') AS cases_cured,
        (SELECT count(*) FROM sent_message WHERE sent_at IS NOT NULL) AS messages_sent,
        (SELECT count(DISTINCT service_id) FROM effect
            WHERE kind = 'supply' AND state = 'done' AND level IN ('limited', 'walled_garden'))
            AS limited,
        (SELECT count(DISTINCT service_id) FROM effect WHERE kind = 'supply' AND state = 'done' AND level = 'off')
            AS disconnected,
        (SELECT count(DISTINCT service_id) FROM effect WHERE kind = 'supply' AND state = 'done' AND level = 'full')
            AS restored,
        (SELECT count(*) FROM payment WHERE state IN ('confirmed', 'booked')) AS payments,
        (SELECT count(*) FROM effect WHERE state = 'given_up') AS given_up
"""

# A receivable grows by what is debited to it and shrinks by what is credited; so does what a customer has with us,
# the other way round. Whatever is stored must be that sum, for every claim and every account.
_UNBALANCED = """
    SELECT 'claim' FROM claim c LEFT JOIN (
        SELECT claim_id,
            sum(CASE WHEN debit = 'receivable' THEN amount ELSE -amount END) FILTER (WHERE part = 'principal')
                AS principal,
            sum(CASE WHEN debit = 'receivable' THEN amount ELSE -amount END) FILTER (WHERE part = 'costs') AS costs
        FROM transfer WHERE claim_id IS NOT NULL AND 'receivable' IN (debit, credit) GROUP BY claim_id
    ) t ON t.claim_id = c.id
    WHERE (c.principal, c.costs) IS DISTINCT FROM (coalesce(t.principal, 0), coalesce(t.costs, 0))
    UNION ALL
    SELECT 'account' FROM account a LEFT JOIN (
        SELECT account_id, sum(CASE WHEN credit = 'customer' THEN amount ELSE -amount END) AS credit
        FROM transfer WHERE 'customer' IN (debit, credit) GROUP BY account_id
    ) t ON t.account_id = a.id
    WHERE a.credit <> coalesce(t.credit, 0)
"""
_DAY = """
    SELECT
        (SELECT count(*) FROM dunning_case WHERE state = 'active'),
        (SELECT count(*) FROM sent_message WHERE sent_at IS NOT NULL),
        (SELECT count(*) FILTER (WHERE level IN ('limited', 'walled_garden')) FROM block WHERE ends_at IS NULL),
        (SELECT count(*) FILTER (WHERE level = 'off') FROM block WHERE ends_at IS NULL),
        (SELECT count(*) FROM effect WHERE kind = 'supply' AND state = 'done' AND level = 'full'),
        (SELECT count(*) FROM payment WHERE state IN ('confirmed', 'booked'))
"""


def counts(db: Database, partner_id: int) -> dict[str, Any]:
    """The counts of DESIGN § 9, in its order, without the times."""
    with db.transaction(partner_id) as tx:
        cursor = tx.connection.execute(_COUNTS)
        row = cursor.fetchone() or ()
        found = dict(zip([column.name for column in cursor.description or ()], row, strict=True))
        return {**found, "ledger_balanced": not tx.rows(_UNBALANCED)}


def day(db: Database, partner_id: int) -> tuple[int, ...]:
    """How things stand: active cases, messages sent, limited, cut, restored so far, payments so far."""
    with db.transaction(partner_id) as tx:
        return tx.row(_DAY) or ()


def percentiles(seconds: Sequence[float]) -> dict[str, float | None]:
    """p50, p95 and p99 by nearest rank, in seconds; None without any."""
    ordered = sorted(seconds)

    def rank(share: int) -> float | None:
        return round(ordered[-(-len(ordered) * share // 100) - 1], 4) if ordered else None

    return {"p50": rank(50), "p95": rank(95), "p99": rank(99)}
