-- in_turn: files of a scheme are written one after the other, so that their numbers have no gap and none twice
SELECT id FROM collecting_creditor WHERE scheme = %(scheme)s ORDER BY id FOR NO KEY UPDATE

-- planned_days: on which days collections of a scheme are planned that no file has ordered yet
SELECT DISTINCT k.collect_date FROM collection k JOIN mandate m ON m.id = k.mandate_id
WHERE m.scheme = %(scheme)s AND k.state = 'planned' ORDER BY 1

-- lock_planned: the accounts of those of some days (of all: NULL), which are locked first
SELECT DISTINCT k.account_id FROM collection k JOIN mandate m ON m.id = k.mandate_id
WHERE m.scheme = %(scheme)s AND k.state = 'planned'
    AND (%(days)s::date[] IS NULL OR k.collect_date = ANY (%(days)s::date[])) ORDER BY 1

-- lock_wanted_back: the accounts of those that the next file calls back
SELECT DISTINCT k.account_id FROM collection k JOIN mandate m ON m.id = k.mandate_id
WHERE m.scheme = %(scheme)s AND k.state = 'sent' AND k.recall = 'wanted' ORDER BY 1

-- waiting: accounts with a collection that waits for its file, and that we announce ourselves; by their ids
SELECT DISTINCT k.account_id FROM collection k JOIN mandate m ON m.id = k.mandate_id
JOIN collecting_creditor n ON n.creditor_id = m.creditor_id AND n.scheme = m.scheme AND n.announced_by = 'message'
WHERE m.scheme = %(scheme)s AND k.state = 'planned' AND k.account_id > %(after)s ORDER BY 1 LIMIT %(limit)s

-- planned: those that are to be ordered, how the mandate was used before, and when the customer was told by us. A letter
-- that nobody reported on arrives five days after it was sent.
SELECT k.id, k.collect_date, k.amount, m.is_once, m.ends_on, k.mandate_id,
    EXISTS (SELECT FROM collection b WHERE b.mandate_id = k.mandate_id AND b.id <> k.id
        AND (b.state IN ('sent', 'collected', 'returned') OR (b.state = 'called_back' AND b.sent_at IS NOT NULL))) AS used,
    k.hold_id, k.account_id, k.claim_id, m.bank_notifies, coalesce(n.announced_by, 'bill'), o.told_at
FROM collection k
JOIN mandate m ON m.id = k.mandate_id
LEFT JOIN collecting_creditor n ON n.creditor_id = m.creditor_id AND n.scheme = m.scheme
CROSS JOIN LATERAL (
    SELECT min(coalesce(s.delivered_at,
        e.finished_at + CASE WHEN e.channel = 'letter' THEN interval '5 days' ELSE interval '0' END)) AS told_at
    FROM collection_notice o JOIN effect e ON e.id = o.effect_id AND e.state = 'done'
    LEFT JOIN sent_message s ON s.effect_id = e.id
    WHERE o.collection_id = k.id AND s.undeliverable_at IS NULL
) o
WHERE m.scheme = %(scheme)s AND k.state = 'planned' AND k.account_id = ANY (%(accounts)s::bigint[])
    AND (%(days)s::date[] IS NULL OR k.collect_date = ANY (%(days)s::date[])) ORDER BY k.collect_date, k.id

-- nameless: creditors whose name at the scheme, or whose bank account, nobody has noted
SELECT DISTINCT c.name FROM collection k
JOIN mandate m ON m.id = k.mandate_id JOIN creditor c ON c.id = m.creditor_id
LEFT JOIN collecting_creditor n ON n.creditor_id = c.id AND n.scheme = m.scheme
WHERE m.scheme = %(scheme)s AND k.state = 'planned' AND (n.id IS NULL OR c.bank_account = '') ORDER BY 1

-- make_file: the next number of the scheme's files; two who write at once wait for one another's accounts before
INSERT INTO collection_file (partner_id, scheme, kind, number, message, count, amount, written_at, written_by)
SELECT %(partner)s, %(scheme)s, %(kind)s, n.number, 'RL' || %(partner)s || %(letter)s || n.number || '-' ||
    to_char(%(now)s AT TIME ZONE 'UTC', 'YYMMDDHH24MISS'), %(count)s, %(amount)s, %(now)s, %(by)s
FROM (SELECT coalesce(max(number), 0) + 1 AS number FROM collection_file WHERE scheme = %(scheme)s) n
RETURNING id, number, message

-- order: they are in this file now, on the days that it can still ask for
UPDATE collection k SET state = 'sent', sent_at = %(now)s, file_id = %(file)s, collect_date = x.day, until = x.until,
    sequence = x.sequence
FROM unnest(%(collections)s::bigint[], %(days)s::date[], %(untils)s::timestamptz[], %(sequences)s::text[])
    AS x (id, day, until, sequence)
WHERE k.id = x.id AND k.state = 'planned'

-- longer_holds: bills are kept from being followed up as long as their collections may take
UPDATE hold h SET ends_at = k.until FROM collection k
WHERE k.id = ANY (%(collections)s::bigint[]) AND h.id = k.hold_id AND h.ends_at IS DISTINCT FROM k.until

-- name_blocks: the group of the file that each is in
UPDATE collection k SET block = x.block FROM unnest(%(refs)s::text[], %(blocks)s::text[]) AS x (ref, block)
WHERE k.ref = x.ref

-- wanted_back: those whose money is not needed any more
SELECT k.id, k.collect_date, k.hold_id, k.claim_id, k.amount FROM collection k JOIN mandate m ON m.id = k.mandate_id
WHERE m.scheme = %(scheme)s AND k.state = 'sent' AND k.recall = 'wanted' ORDER BY k.id

-- too_late: what can no longer be called back comes, and is credit
UPDATE collection SET recall = '' WHERE id = ANY (%(collections)s::bigint[]) AND recall = 'wanted'

-- recall: a file has asked for it
UPDATE collection SET state = 'called_back', recall = 'sent', recall_file_id = %(file)s, ended_at = %(now)s
WHERE id = ANY (%(collections)s::bigint[]) AND recall = 'wanted'

-- ordered: what a file says of its collections; one of a bill without a reference carries the mandate's
SELECT k.ref, k.amount, k.currency, k.collect_date, k.sequence, m.instrument, m.reference, m.signed_date,
    coalesce(nullif(m.payer_name, ''), d.name, ''), m.payer_account,
    CASE WHEN m.scheme = 'avtalegiro' THEN coalesce(nullif(c.reference, ''), m.reference) ELSE c.reference END,
    c.number, m.bank_notifies, r.name, r.bank_account, n.number, n.group_number, r.org_number, k.block, coalesce(f.message, '')
FROM collection k
JOIN mandate m ON m.id = k.mandate_id
JOIN claim c ON c.id = k.claim_id
JOIN creditor r ON r.id = m.creditor_id
JOIN collecting_creditor n ON n.creditor_id = m.creditor_id AND n.scheme = m.scheme
LEFT JOIN collection_file f ON f.id = k.file_id
LEFT JOIN LATERAL (
    SELECT y.name FROM account_role o JOIN party y ON y.id = o.party_id
    WHERE o.account_id = k.account_id AND o.role = 'debtor' AND o.starts_at <= k.planned_at ORDER BY o.id LIMIT 1
) d ON true
WHERE CASE WHEN %(kind)s = 'order' THEN k.file_id ELSE k.recall_file_id END = %(file)s ORDER BY k.block, k.id

-- file: one that was written, by its message
SELECT id, scheme, kind, number, written_at FROM collection_file WHERE message = %(message)s

-- sender: who orders
SELECT name FROM partner WHERE id = %(partner)s
