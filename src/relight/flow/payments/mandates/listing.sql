-- collections: the newest first; of an account, or (with `open`) those on their way
SELECT k.id, a.ref, c.number, m.scheme, k.amount, k.currency, k.state, k.collect_date, k.attempt, k.ref, k.reason,
    k.retry_date, k.recall, coalesce(f.message, '')
FROM collection k
JOIN mandate m ON m.id = k.mandate_id
JOIN account a ON a.id = k.account_id
JOIN claim c ON c.id = k.claim_id
LEFT JOIN collection_file f ON f.id = k.file_id
WHERE (%(account)s::text = '' OR a.ref = %(account)s) AND (NOT %(open)s OR k.state IN ('planned', 'sent'))
ORDER BY k.id DESC LIMIT %(limit)s

-- of_account: the account's collections, the newest first
SELECT k.id, a.ref, c.number, m.scheme, k.amount, k.currency, k.state, k.collect_date, k.attempt, k.ref, k.reason,
    k.retry_date, k.recall, coalesce(f.message, '')
FROM collection k
JOIN mandate m ON m.id = k.mandate_id
JOIN account a ON a.id = k.account_id
JOIN claim c ON c.id = k.claim_id
LEFT JOIN collection_file f ON f.id = k.file_id
WHERE k.account_id = %(account)s ORDER BY k.id DESC LIMIT %(limit)s

-- files: the newest first, with where each lies and what was heard of it
SELECT f.message, f.scheme, f.kind, f.count, f.amount, f.written_at, f.written_by, d.delivered_at,
    coalesce(r.outcome, ''), coalesce(r.told, '')
FROM collection_file f
LEFT JOIN collection_delivery d ON d.file_id = f.id
LEFT JOIN LATERAL (SELECT r.outcome, r.told FROM collection_receipt r WHERE r.file_id = f.id ORDER BY r.id DESC LIMIT 1) r
    ON true
ORDER BY f.id DESC LIMIT %(limit)s

-- work: collections by how they stand, the nearest day first where they are on their way, else the newest; with the
-- account's newest case, whether a message of ours told the customer, and when. One more than a page, to know of the next.
SELECT k.id, a.ref, y.name, d.id AS case_id, c.number, m.scheme, m.reference, k.amount, k.currency, k.state,
    k.collect_date, k.attempt, k.reason, k.retry_date, k.recall, coalesce(f.message, ''), o.told_at,
    coalesce(o.waits, false), coalesce(n.announced_by, ''), m.bank_notifies
FROM collection k
JOIN mandate m ON m.id = k.mandate_id
JOIN account a ON a.id = k.account_id
JOIN claim c ON c.id = k.claim_id
LEFT JOIN collecting_creditor n ON n.creditor_id = m.creditor_id AND n.scheme = m.scheme
LEFT JOIN collection_file f ON f.id = k.file_id
LEFT JOIN LATERAL (
    SELECT p.name FROM account_role r JOIN party p ON p.id = r.party_id
    WHERE r.account_id = k.account_id AND r.role = 'debtor' ORDER BY r.id DESC LIMIT 1
) y ON true
LEFT JOIN LATERAL (
    SELECT max(d.id) AS id FROM dunning_case d WHERE d.account_id = k.account_id
) d ON true
LEFT JOIN LATERAL (
    SELECT max(e.finished_at) FILTER (WHERE e.state = 'done') AS told_at,
        bool_or(e.state IN ('pending', 'in_flight')) AS waits
    FROM collection_notice o JOIN effect e ON e.id = o.effect_id WHERE o.collection_id = k.id
) o ON true
WHERE k.state = ANY (%(states)s::text[]) AND (%(q)s::text = '' OR a.ref ILIKE %(like)s OR y.name ILIKE %(like)s
    OR c.number ILIKE %(like)s OR m.reference ILIKE %(like)s)
ORDER BY CASE WHEN k.state IN ('planned', 'sent') THEN k.collect_date END, k.id DESC
LIMIT %(limit)s OFFSET %(offset)s

-- counts: how many stand how
SELECT state, count(*) FROM collection GROUP BY state

-- ref_of: the account's own number
SELECT ref FROM account WHERE id = %(account)s
