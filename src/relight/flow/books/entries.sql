-- entries: each transfer of a span, in the books of one creditor. Money that an account has (customer, settlement,
-- refund) is its own creditor's, what is on a claim is the claim's, what lies on no account (unmatched) nobody's; where
-- these differ, the two owe each other through `between`, so that each creditor's books come to zero by themselves. Read
-- by the index on the moment.
entries AS (
    SELECT t.id, t.claim_id, t.posted_at, t.currency, t.kind, t.amount, e.creditor_id, e.debit, e.credit
    FROM transfer t
    LEFT JOIN claim c ON c.id = t.claim_id
    LEFT JOIN account a ON a.id = t.account_id
    CROSS JOIN LATERAL (
        SELECT coalesce(a.creditor_id, c.creditor_id) AS own, coalesce(c.creditor_id, a.creditor_id) AS claimed
    ) o
    CROSS JOIN LATERAL (
        SELECT
            CASE WHEN t.debit = 'unmatched' THEN NULL WHEN t.debit IN ('customer', 'settlement', 'refund') THEN o.own
                ELSE o.claimed END AS debtor,
            CASE WHEN t.credit = 'unmatched' THEN NULL WHEN t.credit IN ('customer', 'settlement', 'refund') THEN o.own
                ELSE o.claimed END AS giver
    ) s
    CROSS JOIN LATERAL (
        SELECT s.debtor AS creditor_id, t.debit, t.credit WHERE s.debtor IS NOT DISTINCT FROM s.giver
        UNION ALL SELECT s.debtor, t.debit, 'between' WHERE s.debtor IS DISTINCT FROM s.giver
        UNION ALL SELECT s.giver, 'between', t.credit WHERE s.debtor IS DISTINCT FROM s.giver
    ) e
    WHERE t.posted_at >= %(since)s AND t.posted_at < %(until)s
)
