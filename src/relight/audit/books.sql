-- count: closed months, acts, and remittances
SELECT (SELECT count(*) FROM books_period p WHERE p.partner_id = %(partner)s)
    + (SELECT count(*) FROM books_act b WHERE b.partner_id = %(partner)s)
    + (SELECT count(*) FROM remittance m WHERE m.partner_id = %(partner)s) AS n

-- month_changed: a closed month that holds another number of transfers than when it was closed, or one that came later.
-- The transfers of a month are found by their index; the months of a partner are few.
SELECT NULL::bigint AS case, NULL::int AS event, to_char(p.month, 'YYYY-MM') AS month, p.transfers AS kept,
    coalesce(h.n, 0) AS holds, coalesce(h.late, 0) AS late
FROM books_period p
LEFT JOIN LATERAL (
    SELECT count(*) AS n, count(*) FILTER (WHERE t.id > p.last_transfer) AS late FROM transfer t
    WHERE t.partner_id = p.partner_id AND t.posted_at >= p.starts_at AND t.posted_at < p.ends_at
) h ON true
WHERE p.partner_id = %(partner)s AND (p.transfers <> coalesce(h.n, 0) OR h.late > 0)
ORDER BY p.month

-- month_unbalanced: a ledger whose balance at the end of a closed month is not the sum of all its transfers until then
WITH ledgers AS (
    SELECT p.id, p.month, p.ends_at, b.currency, b.ledger, sum(b.debit - b.credit) AS kept
    FROM books_period p JOIN books_balance b ON b.partner_id = p.partner_id AND b.period_id = p.id
    WHERE p.partner_id = %(partner)s AND b.ledger <> 'between'
        AND p.ends_at = (SELECT max(l.ends_at) FROM books_period l WHERE l.partner_id = p.partner_id)
    GROUP BY p.id, p.month, p.ends_at, b.currency, b.ledger
)
SELECT NULL::bigint AS case, NULL::int AS event, to_char(l.month, 'YYYY-MM') AS month, l.currency, l.ledger,
    l.kept::bigint AS kept_sum, coalesce(s.amount, 0)::bigint AS moved_sum
FROM ledgers l
LEFT JOIN LATERAL (
    SELECT sum(CASE WHEN t.debit = l.ledger THEN t.amount ELSE -t.amount END) AS amount FROM transfer t
    WHERE t.partner_id = %(partner)s AND t.currency = l.currency AND t.posted_at < l.ends_at
        AND l.ledger IN (t.debit, t.credit)
) s ON true
WHERE l.kept <> coalesce(s.amount, 0)
ORDER BY l.ledger

-- remitted_wrong: a remittance that is not the sum of its items
SELECT NULL::bigint AS case, NULL::int AS event, m.id, m.currency, m.amount AS amount_sum,
    coalesce(sum(CASE WHEN t.debit = 'remitted' THEN t.amount ELSE -t.amount END), 0)::bigint AS items_sum
FROM remittance m
LEFT JOIN remittance_item i ON i.partner_id = m.partner_id AND i.remittance_id = m.id
LEFT JOIN transfer t ON t.partner_id = i.partner_id AND t.id = i.transfer_id AND t.kind = 'remittance'
WHERE m.partner_id = %(partner)s
GROUP BY m.id, m.currency, m.amount
HAVING m.amount <> coalesce(sum(CASE WHEN t.debit = 'remitted' THEN t.amount ELSE -t.amount END), 0)
ORDER BY m.id

-- remitted_unlisted: money that was paid over to a creditor without standing on any remittance
SELECT NULL::bigint AS case, NULL::int AS event, t.id, t.currency, t.amount AS amount_sum
FROM transfer t
WHERE t.partner_id = %(partner)s AND t.kind = 'remittance' AND NOT EXISTS (
    SELECT FROM remittance_item i WHERE i.partner_id = t.partner_id AND i.transfer_id = t.id)
ORDER BY t.id

-- act_alone: a write-off or remission that was posted without another person's yes
SELECT (SELECT max(k.id) FROM dunning_case k WHERE k.partner_id = b.partner_id AND k.account_id = b.account_id) AS case,
    NULL::int AS event, b.id, b.kind, b.currency, b.amount AS amount_sum
FROM books_act b
JOIN approval p ON p.partner_id = b.partner_id AND p.id = b.approval_id
WHERE b.partner_id = %(partner)s AND b.state IN ('posted', 'undone')
    AND (p.state <> 'granted' OR p.requested_by = ANY (p.decided_by) OR cardinality(p.decided_by) = 0)
ORDER BY b.id

-- act_sum: a write-off or remission whose transfers do not come to its amount, or are not all taken back when undone
SELECT (SELECT max(k.id) FROM dunning_case k WHERE k.partner_id = b.partner_id AND k.account_id = b.account_id) AS case,
    NULL::int AS event, b.id, b.kind, b.currency, b.amount AS amount_sum,
    coalesce(sum(t.amount) FILTER (WHERE NOT x.undoes), 0)::bigint AS posted_sum
FROM books_act b
LEFT JOIN books_act_transfer x ON x.partner_id = b.partner_id AND x.act_id = b.id
LEFT JOIN transfer t ON t.partner_id = x.partner_id AND t.id = x.transfer_id
WHERE b.partner_id = %(partner)s
GROUP BY b.partner_id, b.account_id, b.id, b.kind, b.currency, b.amount, b.state
HAVING coalesce(sum(t.amount) FILTER (WHERE NOT x.undoes), 0)
    <> CASE WHEN b.state IN ('posted', 'undone') THEN b.amount ELSE 0 END
ORDER BY b.id
