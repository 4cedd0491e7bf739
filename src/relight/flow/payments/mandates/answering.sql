-- named: collections by what banks send back; their accounts and bills, so that payments find both
SELECT k.ref, k.id, a.ref, c.number, k.amount, k.currency, k.state, k.account_id
FROM collection k JOIN account a ON a.id = k.account_id JOIN claim c ON c.id = k.claim_id
WHERE k.ref = ANY (%(refs)s::text[])

-- by_reference: collections on their way, or late, whose bill's reference a payment of the same sum carries, on its day or later;
-- a payment that comes before is the customer's own
SELECT DISTINCT ON (x.turn) x.turn, k.id
FROM unnest(%(turns)s::int[], %(references)s::text[], %(amounts)s::bigint[], %(currencies)s::text[], %(days)s::date[])
    AS x (turn, reference, amount, currency, day)
JOIN claim c ON c.reference = x.reference
JOIN collection k ON k.claim_id = c.id AND k.state IN ('sent', 'unanswered') AND k.amount = x.amount AND k.currency = x.currency
    AND x.day >= k.collect_date
JOIN mandate m ON m.id = k.mandate_id AND m.scheme <> 'sepa'
ORDER BY x.turn, k.state <> 'sent', k.id DESC

-- collected: their money is there; also of one that was called back too late
UPDATE collection k SET state = 'collected', payment_id = x.payment_id, ended_at = %(now)s, recall = CASE
        WHEN k.recall = 'wanted' THEN '' ELSE k.recall END
FROM unnest(%(collections)s::bigint[], %(payments)s::bigint[]) AS x (id, payment_id)
WHERE k.id = x.id AND k.state IN ('planned', 'sent', 'called_back', 'unanswered') RETURNING k.id

-- by_payment: collections whose money went back
SELECT payment_id, id FROM collection WHERE payment_id = ANY (%(payments)s::bigint[]) AND state = 'collected'

-- about: what failed, with whose it is and what the scheme knows of it; their accounts are locked
SELECT k.id, k.claim_id, k.account_id, k.mandate_id, m.scheme, k.amount, k.attempt, k.state, k.hold_id, m.reference
FROM collection k JOIN mandate m ON m.id = k.mandate_id WHERE k.id = ANY (%(collections)s::bigint[]) ORDER BY k.id

-- accounts_of: whose collections these are
SELECT DISTINCT account_id FROM collection WHERE id = ANY (%(collections)s::bigint[]) ORDER BY 1

-- fail: how each ended, and when it may be tried again
UPDATE collection k SET state = x.state, reason = x.reason, retry_date = x.retry_date, ended_at = %(now)s, recall = CASE
        WHEN k.recall = 'wanted' THEN '' ELSE k.recall END
FROM unnest(%(collections)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(retries)s::date[])
    AS x (id, state, reason, retry_date)
WHERE k.id = x.id

-- unanswered: their days have passed, and every source of money is complete up to the end of them
SELECT k.id FROM collection k WHERE k.state = 'sent' AND k.until <= %(now)s
    AND NOT EXISTS (SELECT FROM source s WHERE s.required AND coalesce(s.complete_until, '-infinity') < k.until)
ORDER BY k.id LIMIT %(limit)s

-- of_message: collections of a file that a bank refused whole, or of a block of it
SELECT k.ref FROM collection k JOIN collection_file f ON f.id = k.file_id
WHERE f.message = %(message)s AND (%(block)s = '' OR k.block = %(block)s) AND k.state = 'sent' ORDER BY k.id
