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

-- files: the newest first
SELECT message, scheme, kind, count, amount, written_at FROM collection_file ORDER BY id DESC LIMIT %(limit)s

-- ref_of: the account's own number
SELECT ref FROM account WHERE id = %(account)s
