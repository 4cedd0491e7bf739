-- count: collections that are looked at
SELECT count(*) AS n FROM collection k
WHERE k.partner_id = %(partner)s AND greatest(k.planned_at, k.ended_at) >= %(since)s::timestamptz

-- uncollected: what is called collected (or returned) against the payment that it says it was
SELECT (SELECT max(d.id) FROM dunning_case d WHERE d.partner_id = k.partner_id AND d.account_id = k.account_id) AS case,
    NULL::int AS event, k.ref, k.amount AS amount_sum, k.currency, w.wrong
FROM collection k
LEFT JOIN payment p ON p.partner_id = k.partner_id AND p.id = k.payment_id
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN p.id IS NULL THEN 'is called ' || k.state || ' and names no payment'
        WHEN p.amount <> k.amount OR p.currency <> k.currency THEN 'names a payment of another sum'
        WHEN k.state = 'collected' AND p.state NOT IN ('confirmed', 'booked')
            THEN 'is called collected, and its payment is ' || p.state
        WHEN k.state = 'returned' AND p.state <> 'returned'
            THEN 'is called returned, and its payment still counts'
        WHEN EXISTS (SELECT FROM collection o WHERE o.partner_id = k.partner_id AND o.payment_id = k.payment_id
            AND o.id <> k.id) THEN 'shares its payment with another collection'
    END AS wrong
) w
WHERE k.partner_id = %(partner)s AND k.state IN ('collected', 'returned') AND w.wrong IS NOT NULL
    AND greatest(k.planned_at, k.ended_at) >= %(since)s::timestamptz
ORDER BY k.id

-- unheld: a bill that is being collected, and may be followed up all the same, though no person has said so
SELECT (SELECT max(d.id) FROM dunning_case d WHERE d.partner_id = k.partner_id AND d.account_id = k.account_id) AS case,
    NULL::int AS event, k.ref, c.number, to_char(k.until, 'YYYY-MM-DD') AS until
FROM collection k
JOIN claim c ON c.partner_id = k.partner_id AND c.id = k.claim_id
WHERE k.partner_id = %(partner)s AND k.state IN ('planned', 'sent') AND c.state = 'open' AND k.until > %(as_of)s
    AND NOT EXISTS (SELECT FROM hold h WHERE h.partner_id = k.partner_id AND h.claim_id = k.claim_id
        AND h.amount IS NULL AND h.starts_at <= k.planned_at AND (h.ends_at IS NULL OR h.ends_at >= k.until
            OR h.ended_by NOT IN ('', 'relight')))
ORDER BY k.id

-- asked_meanwhile: messages of steps that named a bill while it was being collected
SELECT e.case_id AS case, e.event_number AS event, e.template, c.number, to_char(a.started_at, 'YYYY-MM-DD') AS day
FROM collection k
JOIN claim c ON c.partner_id = k.partner_id AND c.id = k.claim_id
JOIN step_claim l ON l.partner_id = k.partner_id AND l.claim_id = k.claim_id
JOIN step_taken s ON s.partner_id = l.partner_id AND s.id = l.step_id
JOIN effect e ON e.partner_id = s.partner_id AND e.case_id = s.case_id AND e.step_number = s.number
    AND e.kind = 'message'
JOIN attempt a ON a.partner_id = e.partner_id AND a.effect_id = e.id
WHERE k.partner_id = %(partner)s AND a.started_at >= %(since)s::timestamptz
    AND a.started_at > k.planned_at + %(tolerance)s::interval
    AND a.started_at < least(k.until, coalesce(k.ended_at, 'infinity')) - %(tolerance)s::interval
    AND (SELECT count(*) FROM step_claim o WHERE o.partner_id = l.partner_id AND o.step_id = l.step_id) = 1
ORDER BY a.id

-- not_told: ordered by a creditor whose customers are told by a message of ours, without one that left in time: for SEPA
-- fourteen days before, for AvtaleGiro (where the bank does not tell) at least a week. Only what was planned after the
-- creditor was set up so.
SELECT (SELECT max(d.id) FROM dunning_case d WHERE d.partner_id = k.partner_id AND d.account_id = k.account_id) AS case,
    NULL::int AS event, k.ref, k.amount AS amount_sum, k.currency, to_char(k.collect_date, 'YYYY-MM-DD') AS day,
    CASE WHEN t.told IS NULL THEN 'no message had told them'
        ELSE 'they were told of it only on ' || to_char(t.told, 'YYYY-MM-DD') END AS wrong
FROM collection k
JOIN mandate m ON m.partner_id = k.partner_id AND m.id = k.mandate_id
JOIN collecting_creditor n ON n.partner_id = m.partner_id AND n.creditor_id = m.creditor_id AND n.scheme = m.scheme
    AND n.announced_by = 'message' AND n.noted_at <= k.planned_at
JOIN partner p ON p.id = k.partner_id
CROSS JOIN LATERAL (
    SELECT min((a.started_at AT TIME ZONE p.time_zone)::date) AS told FROM collection_notice o
    JOIN effect e ON e.partner_id = o.partner_id AND e.id = o.effect_id AND e.state = 'done'
    JOIN attempt a ON a.partner_id = e.partner_id AND a.effect_id = e.id
    WHERE o.partner_id = k.partner_id AND o.collection_id = k.id AND a.started_at <= k.sent_at
) t
WHERE k.partner_id = %(partner)s AND k.sent_at >= %(since)s::timestamptz
    AND (m.scheme = 'sepa' OR (m.scheme = 'avtalegiro' AND NOT m.bank_notifies))
    AND (t.told IS NULL OR t.told + CASE WHEN m.scheme = 'sepa' THEN 14 ELSE 7 END > k.collect_date)
ORDER BY k.id
