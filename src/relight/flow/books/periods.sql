-- hold_postings: nobody posts for this partner until the transaction ends; the numbers are those of the trigger
SELECT pg_advisory_xact_lock(1651470187, %(partner)s)

-- span: a month in the partner's zone, and the newest month that is closed
SELECT %(month)s::timestamp AT TIME ZONE p.time_zone,
    (%(month)s::date + interval '1 month') AT TIME ZONE p.time_zone, last.id, last.month, last.ends_at,
    (SELECT t.posted_at FROM transfer t WHERE t.partner_id = p.id ORDER BY t.posted_at LIMIT 1)
FROM partner p
LEFT JOIN LATERAL (SELECT id, month, ends_at FROM books_period ORDER BY ends_at DESC LIMIT 1) last ON true
WHERE p.id = %(partner)s

-- add_period: what it held, counted by the index on the moment
INSERT INTO books_period (partner_id, month, starts_at, ends_at, transfers, last_transfer, closed_at, closed_by)
SELECT %(partner)s, %(month)s, %(since)s, %(until)s, count(*), coalesce(max(id), 0), %(now)s, %(actor)s
FROM transfer WHERE posted_at >= %(since)s AND posted_at < %(until)s
RETURNING id, transfers

-- days: all that the transfers of each booking day say, hashed in order of id; one pass over the span
days AS (
    SELECT (t.posted_at AT TIME ZONE p.time_zone)::date AS day, count(*) AS transfers,
        encode(sha256(convert_to(string_agg(ROW(t.id, t.account_id, t.claim_id, t.payment_id, t.kind, t.debit, t.credit,
            t.part, t.amount, t.currency, t.value_date, extract(epoch FROM t.posted_at), t.reverses_id)::text, E'\n'
            ORDER BY t.id), 'UTF8')), 'hex') AS hash
    FROM transfer t JOIN partner p ON p.id = t.partner_id
    WHERE t.posted_at >= %(since)s AND t.posted_at < %(until)s
    GROUP BY 1
)

-- add_days: kept as they are now
INSERT INTO books_day (partner_id, period_id, day, transfers, hash)
SELECT %(partner)s, %(period)s, day, transfers, hash FROM days ORDER BY day

-- add_balances: the balances of the month before and what the month moved
INSERT INTO books_balance (partner_id, period_id, creditor_id, currency, ledger, debit, credit)
SELECT %(partner)s, %(period)s, creditor_id, currency, ledger, sum(debit), sum(credit)
FROM (
    SELECT creditor_id, currency, ledger, debit, credit FROM books_balance WHERE period_id = %(before)s
    UNION ALL SELECT creditor_id, currency, debit, amount, 0 FROM entries
    UNION ALL SELECT creditor_id, currency, credit, 0, amount FROM entries
) x
GROUP BY creditor_id, currency, ledger

-- add_open_claims: what was owed at the end of the month before and what the month moved, where anything is left
INSERT INTO books_open_claim (partner_id, period_id, claim_id, owed)
SELECT %(partner)s, %(period)s, claim_id, sum(owed)
FROM (
    SELECT claim_id, owed FROM books_open_claim WHERE period_id = %(before)s
    UNION ALL
    SELECT claim_id, CASE WHEN debit = 'receivable' THEN amount ELSE -amount END FROM transfer
    WHERE posted_at >= %(since)s AND posted_at < %(until)s AND claim_id IS NOT NULL
        AND 'receivable' IN (debit, credit)
) x
GROUP BY claim_id HAVING sum(owed) <> 0

-- closed: the closed months, the oldest first
SELECT id, month, starts_at, ends_at, transfers, closed_at, closed_by FROM books_period ORDER BY ends_at

-- changed_days: days of closed months whose transfers are not what they were
SELECT coalesce(p.month, q.month), coalesce(b.day, d.day), coalesce(b.transfers, 0), coalesce(d.transfers, 0)
FROM days d
FULL JOIN books_day b ON b.day = d.day
LEFT JOIN books_period p ON p.id = b.period_id
LEFT JOIN LATERAL (
    SELECT y.month FROM books_period y WHERE y.month + interval '1 month' > d.day ORDER BY y.month LIMIT 1
) q ON true
WHERE b.hash IS DISTINCT FROM d.hash
ORDER BY 1, 2

-- changed_balances: balances at the end of a closed month that are not those of the month before and what it moved
SELECT p.month, r.name, x.currency, x.ledger, sum(x.kept)::bigint, sum(x.moved)::bigint
FROM (
    SELECT period_id, creditor_id, currency, ledger, debit - credit AS kept, 0::bigint AS moved FROM books_balance
    UNION ALL
    SELECT n.id, b.creditor_id, b.currency, b.ledger, 0, b.debit - b.credit FROM books_balance b
    JOIN books_period p ON p.id = b.period_id
    JOIN LATERAL (SELECT id FROM books_period WHERE ends_at > p.ends_at ORDER BY ends_at LIMIT 1) n ON true
    UNION ALL
    SELECT m.id, e.creditor_id, e.currency, y.ledger, 0, y.amount FROM entries e
    JOIN books_period m ON e.posted_at >= m.starts_at AND e.posted_at < m.ends_at
    CROSS JOIN LATERAL (VALUES (e.debit, e.amount), (e.credit, -e.amount)) y (ledger, amount)
) x
JOIN books_period p ON p.id = x.period_id
LEFT JOIN creditor r ON r.id = x.creditor_id
GROUP BY p.month, r.name, x.currency, x.ledger HAVING sum(x.kept) <> sum(x.moved)
ORDER BY p.month, r.name, x.currency, x.ledger

-- changed_claims: claims that owed at the end of a closed month something else than the month before and what it moved
SELECT p.month, c.number, c.currency, sum(x.kept)::bigint, sum(x.moved)::bigint
FROM (
    SELECT period_id, claim_id, owed AS kept, 0::bigint AS moved FROM books_open_claim
    UNION ALL
    SELECT n.id, b.claim_id, 0, b.owed FROM books_open_claim b
    JOIN books_period p ON p.id = b.period_id
    JOIN LATERAL (SELECT id FROM books_period WHERE ends_at > p.ends_at ORDER BY ends_at LIMIT 1) n ON true
    UNION ALL
    SELECT m.id, t.claim_id, 0, CASE WHEN t.debit = 'receivable' THEN t.amount ELSE -t.amount END FROM transfer t
    JOIN books_period m ON t.posted_at >= m.starts_at AND t.posted_at < m.ends_at
    WHERE t.posted_at >= %(since)s AND t.posted_at < %(until)s AND t.claim_id IS NOT NULL
        AND 'receivable' IN (t.debit, t.credit)
) x
JOIN books_period p ON p.id = x.period_id
LEFT JOIN claim c ON c.id = x.claim_id
GROUP BY p.month, c.id, c.number, c.currency HAVING sum(x.kept) <> sum(x.moved)
ORDER BY p.month, c.number
