"""The books, added up without Relight's own statements: what every flow test may ask when it has done its worst."""

from relight.flow.database import Tx

_CLAIMS = """
SELECT c.number, c.principal, c.costs, c.interest, s.principal, s.costs, s.interest FROM claim c
CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.amount) FILTER (WHERE x.part = 'principal'), 0) AS principal,
        coalesce(sum(x.amount) FILTER (WHERE x.part = 'costs'), 0) AS costs,
        coalesce(sum(x.amount) FILTER (WHERE x.part = 'interest'), 0) AS interest
    FROM (
        SELECT part, amount FROM transfer WHERE claim_id = c.id AND debit = 'receivable'
        UNION ALL SELECT part, -amount FROM transfer WHERE claim_id = c.id AND credit = 'receivable'
    ) x
) s
WHERE (c.principal, c.costs, c.interest)
    IS DISTINCT FROM (s.principal::bigint, s.costs::bigint, s.interest::bigint)
"""
_ACCOUNTS = """
SELECT a.ref, a.credit, s.credit FROM account a
CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.amount), 0) AS credit FROM (
        SELECT amount FROM transfer WHERE account_id = a.id AND credit = 'customer'
        UNION ALL SELECT -amount FROM transfer WHERE account_id = a.id AND debit = 'customer'
    ) x
) s
WHERE a.credit <> s.credit
"""
_PAYMENTS = """
SELECT p.ref, p.state, p.amount, s.amount FROM payment p
LEFT JOIN (
    SELECT payment_id, sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END) AS amount
    FROM transfer WHERE kind IN ('payment', 'return') GROUP BY payment_id
) s ON s.payment_id = p.id
WHERE coalesce(s.amount, 0)
    <> CASE WHEN p.state IN ('confirmed', 'booked') THEN p.amount ELSE 0 END
"""
_UNMATCHED = """
SELECT p.ref, p.unmatched, s.amount FROM payment p
LEFT JOIN (
    SELECT payment_id, sum(CASE WHEN credit = 'unmatched' THEN amount ELSE -amount END) AS amount
    FROM transfer WHERE 'unmatched' IN (debit, credit) GROUP BY payment_id
) s ON s.payment_id = p.id
WHERE p.unmatched <> coalesce(s.amount, 0)
"""


def differences(tx: Tx) -> list[tuple[object, ...]]:
    """Claims, accounts and payments of this partner whose balance is not the sum of its transfers; empty when right."""
    return [*tx.rows(_CLAIMS), *tx.rows(_ACCOUNTS), *tx.rows(_PAYMENTS), *tx.rows(_UNMATCHED)]


def balance(tx: Tx, ledger: str) -> int:
    """Debits minus credits of one ledger of this partner, in minor units."""
    return int(
        tx.value(
            "SELECT coalesce(sum(CASE WHEN debit = %(ledger)s THEN amount ELSE -amount END), 0) FROM transfer"
            " WHERE %(ledger)s IN (debit, credit)",
            {"ledger": ledger},
        )
    )
