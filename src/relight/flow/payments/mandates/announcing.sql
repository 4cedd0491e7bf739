-- to_tell: planned collections that a message of ours announces, with none that has left, waits or arrived. By their case,
-- the channels on which the debtor can be reached, and those that were tried. What a partner in shadow withholds counts
-- as waiting, since nothing is ordered on it; once it is live, it was never told.
SELECT k.account_id, k.id, k.claim_id, k.collect_date, k.amount, k.hold_id, k.attempt, c.number, m.reference, n.number,
    d.id, w.channels, o.tried
FROM collection k
JOIN mandate m ON m.id = k.mandate_id
JOIN claim c ON c.id = k.claim_id
JOIN collecting_creditor n ON n.creditor_id = m.creditor_id AND n.scheme = m.scheme AND n.announced_by = 'message'
LEFT JOIN LATERAL (
    SELECT d.id FROM dunning_case d WHERE d.account_id = k.account_id AND d.state <> 'closed'
        AND c.service_kind = ANY (d.services) ORDER BY d.id LIMIT 1
) d ON true
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT t.channel), '{}') AS channels FROM account_role r
    JOIN contact_point t ON t.party_id = r.party_id AND t.starts_at <= %(now)s
        AND (t.ends_at IS NULL OR t.ends_at > %(now)s)
    WHERE r.account_id = k.account_id AND r.role = 'debtor' AND r.starts_at <= %(now)s
        AND (r.ends_at IS NULL OR r.ends_at > %(now)s)
) w
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT e.channel), '{}') AS tried,
        coalesce(bool_or(e.state IN ('pending', 'in_flight')
            OR (e.why = 'shadow' AND (SELECT p.mode FROM partner p WHERE p.id = k.partner_id) = 'shadow')
            OR (e.state = 'done' AND s.undeliverable_at IS NULL)), false) AS stands
    FROM collection_notice o JOIN effect e ON e.id = o.effect_id AND e.state <> 'cancelled'
    LEFT JOIN sent_message s ON s.effect_id = e.id
    WHERE o.collection_id = k.id
) o
WHERE k.state = 'planned' AND NOT o.stands AND k.account_id > %(after)s
    AND (%(accounts)s::bigint[] IS NULL OR k.account_id = ANY (%(accounts)s::bigint[]))
    AND (m.scheme = ANY (%(always)s::text[]) OR (m.scheme = ANY (%(unless_bank)s::text[]) AND NOT m.bank_notifies))
ORDER BY k.account_id, k.id LIMIT %(limit)s

-- failed: collections that came to nothing, as whoever tells their customers needs them, with how the bill is paid
SELECT k.account_id, k.id, k.claim_id, k.collect_date, k.amount, k.hold_id, k.attempt, c.number, m.reference, '', d.id,
    w.channels, '{}'::text[], coalesce(nullif(c.reference, ''), c.number)
FROM collection k
JOIN mandate m ON m.id = k.mandate_id
JOIN claim c ON c.id = k.claim_id AND c.state = 'open'
JOIN LATERAL (
    SELECT d.id FROM dunning_case d WHERE d.account_id = k.account_id AND d.state <> 'closed'
        AND c.service_kind = ANY (d.services) ORDER BY d.id LIMIT 1
) d ON true
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT t.channel), '{}') AS channels FROM account_role r
    JOIN contact_point t ON t.party_id = r.party_id AND t.starts_at <= %(now)s
        AND (t.ends_at IS NULL OR t.ends_at > %(now)s)
    WHERE r.account_id = k.account_id AND r.role = 'debtor' AND r.starts_at <= %(now)s
        AND (r.ends_at IS NULL OR r.ends_at > %(now)s)
) w
WHERE k.id = ANY (%(collections)s::bigint[]) ORDER BY k.id

-- say: an event on each case, and the message that it wants; which message came of which turn. Accounts are locked.
WITH told AS (
    SELECT *, row_number() OVER (PARTITION BY case_id ORDER BY turn) AS place, count(*) OVER (PARTITION BY case_id) AS places
    FROM unnest(%(cases)s::bigint[], %(codes)s::text[], %(events)s::jsonb[], %(channels)s::text[], %(templates)s::text[],
        %(params)s::jsonb[]) WITH ORDINALITY AS x (case_id, code, event, channel, template, params, turn)
), bumped AS (
    UPDATE dunning_case d SET version = d.version + x.places
    FROM (SELECT DISTINCT case_id, places FROM told) x WHERE d.id = x.case_id
    RETURNING d.id, d.account_id, d.version - x.places AS before
), logged AS (
    INSERT INTO case_event (partner_id, case_id, number, code, params, actor, cause, at)
    SELECT %(partner)s, t.case_id, b.before + t.place, t.code, t.event, 'relight', '', %(now)s
    FROM told t JOIN bumped b ON b.id = t.case_id ORDER BY t.case_id, t.place
), sent AS (
    INSERT INTO effect (partner_id, case_id, account_id, event_number, key, kind, channel, template, params, due_at,
        created_at)
    SELECT %(partner)s, t.case_id, b.account_id, b.before + t.place,
        %(partner)s || '-' || t.case_id || '-' || (b.before + t.place) || '-0', 'message', t.channel, t.template,
        t.params, %(now)s, %(now)s
    FROM told t JOIN bumped b ON b.id = t.case_id ORDER BY t.turn
    RETURNING id, case_id, event_number
)
SELECT t.turn, s.id FROM sent s JOIN bumped b ON b.id = s.case_id
JOIN told t ON t.case_id = s.case_id AND b.before + t.place = s.event_number ORDER BY t.turn

-- note: which message tells of which collection
INSERT INTO collection_notice (partner_id, collection_id, effect_id, made_at)
SELECT %(partner)s, x.collection_id, x.effect_id, %(now)s
FROM unnest(%(collections)s::bigint[], %(effects)s::bigint[]) AS x (collection_id, effect_id)
