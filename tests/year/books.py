"""The books of the simulated year, added up without Relight's own statements."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from relight.flow.books.periods import changes
from relight.flow.books.trial import trial
from relight.flow.database import Tx

SUNDAY = 6

# A claim's or an account's sum that is not what its transfers come to, of those that moved since a moment.
_CLAIMS = """
WITH moved AS (SELECT DISTINCT claim_id AS id FROM transfer WHERE posted_at >= %(since)s AND claim_id IS NOT NULL)
SELECT c.number, c.principal, c.costs, c.interest, s.* FROM moved m JOIN claim c ON c.id = m.id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.amount) FILTER (WHERE x.part = 'principal'), 0)::bigint AS principal,
        coalesce(sum(x.amount) FILTER (WHERE x.part = 'costs'), 0)::bigint AS costs,
        coalesce(sum(x.amount) FILTER (WHERE x.part = 'interest'), 0)::bigint AS interest
    FROM (
        SELECT part, CASE WHEN debit = 'receivable' THEN amount ELSE -amount END AS amount FROM transfer
        WHERE claim_id = c.id AND 'receivable' IN (debit, credit)
    ) x
) s
WHERE (c.principal, c.costs, c.interest) IS DISTINCT FROM (s.principal, s.costs, s.interest)
"""
_ACCOUNTS = """
WITH moved AS (SELECT DISTINCT account_id AS id FROM transfer WHERE posted_at >= %(since)s AND account_id IS NOT NULL)
SELECT a.ref, a.credit, s.credit FROM moved m JOIN account a ON a.id = m.id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(CASE WHEN credit = 'customer' THEN amount ELSE -amount END), 0)::bigint AS credit
    FROM transfer WHERE account_id = a.id AND 'customer' IN (debit, credit)
) s
WHERE a.credit <> s.credit
"""
# Money that came, by payments, and by what the ledger says of it: the same, to the last øre.
_RECEIVED = """
SELECT (SELECT coalesce(sum(amount), 0)::bigint FROM payment
        WHERE state IN ('confirmed', 'booked')),
    (SELECT coalesce(sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END), 0)::bigint
        FROM transfer WHERE kind IN ('payment', 'return') AND payment_id IS NOT NULL)
"""
_OWED = """
SELECT (SELECT coalesce(sum(principal + costs + interest), 0)::bigint FROM claim),
    (SELECT coalesce(sum(CASE WHEN debit = 'receivable' THEN amount ELSE -amount END), 0)::bigint
        FROM transfer WHERE 'receivable' IN (debit, credit) AND claim_id IS NOT NULL),
    (SELECT coalesce(sum(credit), 0)::bigint FROM account),
    (SELECT coalesce(sum(CASE WHEN credit = 'customer' THEN amount ELSE -amount END), 0)::bigint
        FROM transfer WHERE 'customer' IN (debit, credit))
"""
_END: Mapping[str, str] = {
    # What moved by each day's end, claim by claim. Which of a household's own payments covers which of its own bills is
    # left out, also where the money is passed on to the creditor: two fees that are taken back in one minute give their
    # money on in the order in which they were.
    "transfers": """
        SELECT a.ref, c.number,
            CASE WHEN t.kind IN ('allocation', 'release', 'remittance') THEN '' ELSE coalesce(p.ref, '') END,
            t.kind, least(t.debit, t.credit), greatest(t.debit, t.credit), t.part, t.currency, t.value_date,
            (t.posted_at AT TIME ZONE 'Europe/Oslo')::date,
            sum(CASE WHEN t.debit < t.credit THEN t.amount ELSE -t.amount END)::bigint
        FROM transfer t LEFT JOIN account a ON a.id = t.account_id LEFT JOIN claim c ON c.id = t.claim_id
        LEFT JOIN payment p ON p.id = t.payment_id
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
        HAVING sum(CASE WHEN t.debit < t.credit THEN t.amount ELSE -t.amount END) <> 0
        ORDER BY 10, 1, 2, 3, 4, 5, 6, 7, 8, 9""",
    "claims": """
        SELECT c.number, c.amount, c.principal, c.costs, c.interest, c.disputed, c.state,
            (c.settled_at AT TIME ZONE 'Europe/Oslo')::date FROM claim c ORDER BY 1""",
    "payments": "SELECT s.name, p.ref, p.amount, p.state, a.ref FROM payment p JOIN source s ON s.id = p.source_id"
    " LEFT JOIN account a ON a.id = p.account_id ORDER BY 1, 2",
    "accounts": "SELECT ref, credit FROM account ORDER BY 1",
    "cases": """
        SELECT a.ref, v.name, k.state, (k.opened_at AT TIME ZONE 'Europe/Oslo')::date,
            (k.closed_at AT TIME ZONE 'Europe/Oslo')::date
        FROM dunning_case k JOIN account a ON a.id = k.account_id
        JOIN policy_version v ON v.id = k.policy_version_id ORDER BY 1, 2, 4, 5""",
    "handed over": "SELECT a.ref, h.state FROM handover h JOIN account a ON a.id = h.account_id ORDER BY 1, 2",
    "refunds": "SELECT p.ref, r.amount, r.state FROM bank_refund r JOIN payment p ON p.id = r.payment_id ORDER BY 1, 2",
    "acts": "SELECT c.number, b.kind, b.amount, b.state FROM books_act b JOIN claim c ON c.id = b.claim_id"
    " ORDER BY 1, 2, 3, 4",
    "plans": """
        SELECT a.ref, x.state FROM instalment_plan x JOIN dunning_case k ON k.id = x.case_id
        JOIN account a ON a.id = k.account_id ORDER BY 1, 2""",
    "collections": """
        SELECT c.number, k.attempt, k.state, k.collect_date, k.amount, k.reason FROM collection k
        JOIN claim c ON c.id = k.claim_id ORDER BY 1, 2, 3, 4, 5, 6""",
    "supply": "SELECT s.ref, u.desired, u.observed FROM supply u JOIN service s ON s.id = u.service_id ORDER BY 1",
}


def wrong(tx: Tx, since: datetime, day: date) -> list[str]:
    """What does not add up at a day's end, in words; empty when all does. Claims and accounts that moved since then."""
    found = [f"claim {row[0]}: kept {row[1:4]}, transfers {row[4:]}" for row in tx.rows(_CLAIMS, {"since": since})]
    found += [
        f"account {ref}: kept {kept}, transfers {sum_}" for ref, kept, sum_ in tx.rows(_ACCOUNTS, {"since": since})
    ]
    paid, posted = tx.row(_RECEIVED) or (0, 0)
    if paid != posted:
        found.append(f"payments of {paid}, in the ledger {posted}")
    owed, receivable, credit, customers = tx.row(_OWED) or (0, 0, 0, 0)
    if owed != receivable:
        found.append(f"claims of {owed}, receivable {receivable}")
    if credit != customers:
        found.append(f"credit of {credit}, in the ledger {customers}")
    if not trial(tx, day).is_zero():
        found.append("the trial balance is not zero")
    if day.weekday() == SUNDAY:
        found += [f"closed month {month:%Y-%m}: {what}" for month, what in changes(tx)]
    return found


def ending(tx: Tx) -> dict[str, Any]:
    """What the year came to: for each table how many rows, and a hash of what they say without ids and hours."""
    found = {name: tx.rows(statement) for name, statement in _END.items()}
    return {name: {"rows": len(rows), "hash": _hash(rows)} for name, rows in found.items()}


def rows_of(tx: Tx, name: str) -> list[tuple[Any, ...]]:
    """The rows behind one hash of the ending, to look at when two endings differ."""
    return tx.rows(_END[name])


def _hash(rows: list[tuple[Any, ...]]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for row in rows:
        digest.update(json.dumps(row, default=_plain).encode())
    return digest.hexdigest()


def _plain(value: object) -> str:
    assert isinstance(value, date), value
    return value.isoformat()
