-- until: the moment at which a day ends in the partner's zone, and the newest month that was closed by then
SELECT (%(day)s::date + 1)::timestamp AT TIME ZONE p.time_zone, last.id,
    coalesce(last.ends_at, '1900-01-01Z'::timestamptz), p.time_zone
FROM partner p
LEFT JOIN LATERAL (
    SELECT b.id, b.ends_at FROM books_period b
    WHERE b.ends_at <= (%(day)s::date + 1)::timestamp AT TIME ZONE p.time_zone ORDER BY b.ends_at DESC LIMIT 1
) last ON true
WHERE p.id = %(partner)s

-- trial: the balances that were kept with the newest closed month, and what was posted since
SELECT r.name, x.currency, x.ledger, sum(x.debit)::bigint, sum(x.credit)::bigint
FROM (
    SELECT creditor_id, currency, ledger, debit, credit FROM books_balance WHERE period_id = %(period)s
    UNION ALL SELECT creditor_id, currency, debit, amount, 0 FROM entries
    UNION ALL SELECT creditor_id, currency, credit, 0, amount FROM entries
) x
LEFT JOIN creditor r ON r.id = x.creditor_id
WHERE %(creditor)s = '' OR r.name = %(creditor)s
GROUP BY r.name, x.currency, x.ledger ORDER BY r.name, x.currency, x.ledger

-- moved: what each booking day of a span moved, in one pass
SELECT x.day, r.name, x.currency, x.ledger, sum(x.debit)::bigint, sum(x.credit)::bigint
FROM (
    SELECT (posted_at AT TIME ZONE %(zone)s)::date AS day, creditor_id, currency, debit AS ledger, amount AS debit,
        0::bigint AS credit FROM entries
    UNION ALL SELECT (posted_at AT TIME ZONE %(zone)s)::date, creditor_id, currency, credit, 0, amount FROM entries
) x
LEFT JOIN creditor r ON r.id = x.creditor_id
WHERE %(creditor)s = '' OR r.name = %(creditor)s
GROUP BY x.day, r.name, x.currency, x.ledger ORDER BY x.day, r.name, x.currency, x.ledger

-- ageing: claims that owed when the newest month was closed, and what was posted on claims since; each with the due date
-- that it had at that moment: the one before the first change that came later, else today's
SELECT r.name, c.currency, count(*), sum(o.owed)::bigint,
    coalesce(sum(o.owed) FILTER (WHERE d.days <= 0), 0)::bigint,
    coalesce(sum(o.owed) FILTER (WHERE d.days BETWEEN 1 AND 30), 0)::bigint,
    coalesce(sum(o.owed) FILTER (WHERE d.days BETWEEN 31 AND 60), 0)::bigint,
    coalesce(sum(o.owed) FILTER (WHERE d.days BETWEEN 61 AND 90), 0)::bigint,
    coalesce(sum(o.owed) FILTER (WHERE d.days > 90), 0)::bigint
FROM (
    SELECT claim_id, sum(owed) AS owed
    FROM (
        SELECT claim_id, owed FROM books_open_claim WHERE period_id = %(period)s
        UNION ALL
        SELECT claim_id, CASE WHEN debit = 'receivable' THEN amount ELSE -amount END FROM transfer
        WHERE posted_at >= %(since)s AND posted_at < %(until)s AND claim_id IS NOT NULL
            AND 'receivable' IN (debit, credit)
    ) y
    GROUP BY claim_id HAVING sum(owed) <> 0
) o
JOIN claim c ON c.id = o.claim_id
JOIN creditor r ON r.id = c.creditor_id
LEFT JOIN LATERAL (
    SELECT h.due_date FROM claim_due_change h WHERE h.claim_id = c.id AND h.changed_at >= %(until)s
    ORDER BY h.changed_at, h.id LIMIT 1
) was ON true
CROSS JOIN LATERAL (SELECT %(day)s::date - coalesce(was.due_date, greatest(c.due_date, c.deferred_to)) AS days) d
WHERE %(creditor)s = '' OR r.name = %(creditor)s
GROUP BY r.name, c.currency ORDER BY r.name, c.currency

-- journal: one entry a day, creditor, currency, kind and pair of ledgers
SELECT (posted_at AT TIME ZONE %(zone)s)::date AS day, r.name, e.currency, e.kind, e.debit, e.credit,
    sum(e.amount)::bigint, count(*)
FROM entries e LEFT JOIN creditor r ON r.id = e.creditor_id
GROUP BY 1, r.name, e.currency, e.kind, e.debit, e.credit ORDER BY 1, 2, 3, 4, 5, 6

-- opened: from when on the transfers of a closed month count into it; the first one took in all before
SELECT starts_at FROM books_period WHERE month = %(month)s
