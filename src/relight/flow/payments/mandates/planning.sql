-- accounts: with a mandate in force and a bill that is in no collection, some at a time
SELECT DISTINCT m.account_id FROM mandate m JOIN claim c ON c.account_id = m.account_id AND c.state = 'open'
WHERE m.account_id > %(after)s AND m.starts_on <= %(last)s AND (m.ends_on IS NULL OR m.ends_on > %(today)s)
    AND NOT EXISTS (SELECT FROM collection k WHERE k.claim_id = c.id AND k.state IN ('planned', 'sent'))
ORDER BY 1 LIMIT %(limit)s

-- candidates: bills that may be collected, with the mandate and how earlier tries ended. Left out is what is on hold,
-- disputed, in a plan, with an agency, or paid with money on its way; and overdue bills of somebody whose service is
-- blocked, since what they pay now gives it back in seconds, and a collection takes days and is no money yet.
SELECT c.id, c.account_id, m.id, m.scheme, o.owed, c.currency, greatest(c.due_date, c.deferred_to), m.starts_on, m.ends_on,
    coalesce((c.sent_at AT TIME ZONE p.time_zone)::date, c.issued_date, (c.created_at AT TIME ZONE p.time_zone)::date),
    f.failures, f.retry_date, f.last_state, c.number, m.bank_notifies, m.announced_by, w.channels, u.is_untold
FROM claim c
JOIN partner p ON p.id = c.partner_id
JOIN LATERAL (
    SELECT m.id, m.scheme, m.starts_on, m.ends_on, m.bank_notifies, coalesce(n.announced_by, 'bill') AS announced_by
    FROM mandate m LEFT JOIN collecting_creditor n ON n.creditor_id = m.creditor_id AND n.scheme = m.scheme
    WHERE m.account_id = c.account_id AND m.creditor_id = c.creditor_id AND (m.ends_on IS NULL OR m.ends_on > %(today)s)
        AND NOT EXISTS (SELECT FROM collection k WHERE k.mandate_id = m.id AND k.sequence IN ('OOFF', 'FNAL')
            AND k.state IN ('planned', 'sent', 'collected'))
    ORDER BY m.id DESC LIMIT 1
) m ON true
CROSS JOIN LATERAL (
    SELECT coalesce(sum(coalesce(h.amount, c.principal)), 0)::bigint AS held, coalesce(bool_or(h.amount IS NULL), false) AS whole
    FROM hold h
    WHERE h.account_id = c.account_id AND (h.claim_id = c.id OR (h.claim_id IS NULL AND h.service_id IS NULL))
        AND h.starts_at <= %(now)s AND (h.ends_at IS NULL OR h.ends_at > %(now)s)
) h
CROSS JOIN LATERAL (SELECT (c.principal - c.disputed - h.held + c.costs + c.interest)::bigint AS owed) o
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE k.state IN ('refused', 'returned', 'unanswered') AND k.id > coalesce((
            SELECT max(d.id) FROM collection d WHERE d.claim_id = c.id AND d.state = 'collected'), 0)) AS failures,
        (array_agg(k.retry_date ORDER BY k.id DESC))[1] AS retry_date,
        coalesce((array_agg(k.state ORDER BY k.id DESC))[1], '') AS last_state
    FROM collection k WHERE k.claim_id = c.id AND k.mandate_id = m.id AND k.state <> 'called_back'
) f
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT t.channel), '{}') AS channels FROM account_role r
    JOIN contact_point t ON t.party_id = r.party_id AND t.starts_at <= %(now)s
        AND (t.ends_at IS NULL OR t.ends_at > %(now)s)
    WHERE m.announced_by = 'message' AND r.account_id = c.account_id AND r.role = 'debtor' AND r.starts_at <= %(now)s
        AND (r.ends_at IS NULL OR r.ends_at > %(now)s)
        AND EXISTS (SELECT FROM dunning_case d WHERE d.account_id = c.account_id AND d.state <> 'closed'
            AND c.service_kind = ANY (d.services))
) w
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM collection k WHERE k.claim_id = c.id AND k.reason = 'cannot_tell'
        AND NOT EXISTS (SELECT FROM account_role r JOIN contact_point t ON t.party_id = r.party_id
            WHERE r.account_id = c.account_id AND r.role = 'debtor' AND t.starts_at > k.ended_at)) AS is_untold
) u
WHERE c.account_id = ANY (%(accounts)s::bigint[]) AND c.state = 'open' AND NOT h.whole AND o.owed > 0
    AND c.principal > c.disputed + h.held
    AND NOT EXISTS (SELECT FROM collection k WHERE k.claim_id = c.id AND k.state IN ('planned', 'sent'))
    AND NOT EXISTS (
        SELECT FROM plan_claim l JOIN instalment_plan n ON n.id = l.plan_id
        WHERE l.claim_id = c.id AND n.state IN ('agreed', 'running'))
    AND NOT EXISTS (
        SELECT FROM handover_claim l JOIN handover n ON n.id = l.handover_id
        WHERE l.claim_id = c.id AND n.state NOT IN ('recalled', 'refused', 'uncollectable', 'paid', 'failed'))
    AND NOT EXISTS (
        SELECT FROM payment y WHERE y.account_id = c.account_id AND y.state IN ('ordered', 'authorised')
            AND y.received_at > %(now)s - interval '10 days')
    AND (greatest(c.due_date, c.deferred_to) >= %(today)s OR NOT EXISTS (
        SELECT FROM service s JOIN block b ON b.service_id = s.id
        WHERE s.account_id = c.account_id AND b.reason = 'arrears' AND b.starts_at <= %(now)s AND b.ends_at IS NULL))
ORDER BY c.account_id, c.id

-- plan: the collections with the holds that keep their bills from being followed up meanwhile. `ref` is what banks send
-- back, so it is short, has no signs that a bank might not like, and is never used twice.
WITH told AS (
    SELECT * FROM unnest(%(claims)s::bigint[], %(accounts)s::bigint[], %(mandates)s::bigint[], %(amounts)s::bigint[],
        %(currencies)s::text[], %(days)s::date[], %(untils)s::timestamptz[], %(attempts)s::int[])
        AS x (claim_id, account_id, mandate_id, amount, currency, collect_date, until, attempt)
), made AS (
    INSERT INTO collection (partner_id, mandate_id, account_id, claim_id, amount, currency, collect_date, until, ref,
        attempt, planned_at)
    SELECT %(partner)s, mandate_id, account_id, claim_id, amount, currency, collect_date, until,
        'RLC' || %(partner)s || 'C' || claim_id || 'N' || (
            SELECT count(*) FROM collection k WHERE k.claim_id = told.claim_id), attempt, %(now)s
    FROM told ORDER BY claim_id
    RETURNING id, account_id, claim_id, until
)
INSERT INTO hold (partner_id, account_id, claim_id, reason, note, starts_at, ends_at, source, placed_by)
SELECT %(partner)s, account_id, claim_id, 'collection', '', %(now)s, until, 'collection ' || id, 'relight'
FROM made ORDER BY id

-- keep_holds: each new collection knows its hold
UPDATE collection k SET hold_id = h.id FROM hold h
WHERE k.account_id = ANY (%(accounts)s::bigint[]) AND k.state = 'planned' AND k.hold_id IS NULL
    AND h.account_id = k.account_id AND h.claim_id = k.claim_id AND h.source = 'collection ' || k.id

-- lapsed: collections that should not come any more: the bill owes less, the mandate has ended, or something else holds
-- the bill since they were planned. Of these accounts, or of all, some at a time.
SELECT k.account_id, k.id, k.claim_id, k.state, k.collect_date, m.scheme, k.hold_id, k.amount
FROM collection k
JOIN mandate m ON m.id = k.mandate_id
JOIN claim c ON c.id = k.claim_id
WHERE (%(accounts)s::bigint[] IS NULL OR k.account_id = ANY (%(accounts)s::bigint[])) AND k.account_id > %(after)s
    AND k.state IN ('planned', 'sent') AND k.recall = ''
    AND (k.amount > CASE WHEN c.state = 'open' THEN c.principal - c.disputed + c.costs + c.interest ELSE 0 END
        OR (m.ends_on IS NOT NULL AND m.ends_on <= k.collect_date AND k.sequence <> 'FNAL')
        OR EXISTS (SELECT FROM hold h WHERE h.account_id = k.account_id AND h.reason <> 'collection' AND h.amount IS NULL
            AND (h.claim_id = k.claim_id OR (h.claim_id IS NULL AND h.service_id IS NULL))
            AND h.starts_at <= %(now)s AND (h.ends_at IS NULL OR h.ends_at > %(now)s)))
ORDER BY k.account_id, k.id LIMIT %(limit)s

-- want_back: the next file asks for it
UPDATE collection SET recall = 'wanted' WHERE id = ANY (%(collections)s::bigint[]) AND state = 'sent' AND recall = ''

-- partner: where it is, for its days
SELECT country, time_zone FROM partner WHERE id = %(partner)s
