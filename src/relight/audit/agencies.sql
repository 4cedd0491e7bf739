-- count: hand-overs, what agencies settled, and the payments that came through them
SELECT (SELECT count(*) FROM handover h WHERE h.partner_id = %(partner)s AND h.created_at >= %(since)s::timestamptz)
    + (SELECT count(*) FROM agency_settlement_line l JOIN agency_settlement s ON s.id = l.settlement_id
        AND s.partner_id = l.partner_id
        WHERE l.partner_id = %(partner)s AND s.posted_at >= %(since)s::timestamptz) AS n

-- unheld: a payment that an agency received counts as the customer's, and does not lie with the agency
SELECT (SELECT max(k.id) FROM dunning_case k WHERE k.partner_id = p.partner_id AND k.account_id = p.account_id) AS case,
    NULL::int AS event, p.ref, p.amount AS amount_sum, p.currency, s.name,
    coalesce(sum(t.amount) FILTER (WHERE t.kind = 'settlement' AND t.debit = 'agency'), 0)::bigint AS held_sum
FROM payment p
JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id AND s.name LIKE 'agency %%'
JOIN transfer c ON c.partner_id = p.partner_id AND c.payment_id = p.id AND c.kind = 'payment'
LEFT JOIN transfer t ON t.partner_id = p.partner_id AND t.payment_id = p.id
WHERE p.partner_id = %(partner)s AND p.received_at >= %(since)s::timestamptz
GROUP BY p.partner_id, p.id, p.account_id, p.ref, p.amount, p.currency, s.name
HAVING coalesce(sum(t.amount) FILTER (WHERE t.kind = 'settlement' AND t.debit = 'agency'), 0)
    IS DISTINCT FROM p.amount
ORDER BY p.ref

-- overdrawn: more was settled of a payment than the agency had received
SELECT (SELECT max(k.id) FROM dunning_case k WHERE k.partner_id = t.partner_id AND k.account_id = t.account_id) AS case,
    NULL::int AS event, p.ref, t.currency,
    sum(CASE WHEN t.debit = 'agency' THEN t.amount ELSE 0 END)::bigint AS held_sum,
    sum(CASE WHEN t.credit = 'agency' THEN t.amount ELSE 0 END)::bigint AS settled_sum
FROM transfer t JOIN payment p ON p.partner_id = t.partner_id AND p.id = t.payment_id
WHERE t.partner_id = %(partner)s AND 'agency' IN (t.debit, t.credit)
GROUP BY t.partner_id, t.account_id, p.ref, t.currency
HAVING sum(CASE WHEN t.debit = 'agency' THEN t.amount ELSE -t.amount END) < 0
ORDER BY p.ref

-- fee: an account bears more of an agency's fees than was agreed for the payments that were settled on it. The agreement is
-- the newest by the day of the settlement, in its highest band that the payment reaches.
WITH agreed AS (
    SELECT h.account_id, l.fee, coalesce((
        SELECT coalesce(f.amount, l.received * f.basis_points / 10000) FROM agency_fee f
        WHERE f.partner_id = l.partner_id AND f.agency_id = s.agency_id AND f.least <= l.received
            AND f.from_date = (SELECT max(x.from_date) FROM agency_fee x WHERE x.partner_id = l.partner_id
                AND x.agency_id = s.agency_id AND x.from_date <= s.settled_date)
        ORDER BY f.least DESC LIMIT 1), 0) AS most
    FROM agency_settlement_line l
    JOIN agency_settlement s ON s.partner_id = l.partner_id AND s.id = l.settlement_id
    JOIN handover h ON h.partner_id = l.partner_id AND h.id = l.handover_id
    WHERE l.partner_id = %(partner)s AND l.wrong IN ('', 'fee_differs')
), borne AS (
    SELECT t.account_id, sum(CASE WHEN t.debit = 'agency_fee' THEN t.amount ELSE -t.amount END) AS fees
    FROM transfer t WHERE t.partner_id = %(partner)s AND 'agency_fee' IN (t.debit, t.credit) GROUP BY t.account_id
)
SELECT (SELECT max(k.id) FROM dunning_case k WHERE k.partner_id = n.partner_id AND k.account_id = n.id) AS case,
    NULL::int AS event, n.ref, n.currency, b.fees::bigint AS fee_sum, coalesce(a.most, 0)::bigint AS agreed_sum
FROM borne b JOIN account n ON n.partner_id = %(partner)s AND n.id = b.account_id
LEFT JOIN (SELECT account_id, sum(least(fee, most)) AS most FROM agreed GROUP BY account_id) a ON a.account_id = n.id
WHERE b.fees > coalesce(a.most, 0)
ORDER BY n.id

-- unregistered: claims left for an agency that nobody had found in the register by then, where the law asks for one
SELECT e.case_id AS case, e.event_number AS event, a.title, x.started_at::date AS day
FROM effect e
JOIN attempt x ON x.partner_id = e.partner_id AND x.effect_id = e.id AND x.result = 'done'
JOIN agency a ON a.partner_id = e.partner_id AND a.name = e.channel AND a.kind <> 'attorney'
JOIN partner p ON p.id = e.partner_id
JOIN account n ON n.partner_id = e.partner_id AND n.id = e.account_id
WHERE e.partner_id = %(partner)s AND e.kind = 'handover' AND e.template = 'place'
    AND x.started_at >= %(since)s::timestamptz
    AND (p.country = 'NO' OR (p.country IN ('NL', 'GB') AND n.debtor = 'consumer'))
    AND NOT EXISTS (
        SELECT FROM agency_check c WHERE c.partner_id = a.partner_id AND c.agency_id = a.id
            AND c.noted_at <= x.started_at + %(tolerance)s::interval
            AND (x.started_at AT TIME ZONE p.time_zone)::date BETWEEN c.checked_date AND c.valid_until)
ORDER BY e.id

-- disturbed: we took a step for a claim while an agency had it
SELECT s.case_id AS case, s.number AS event, s.step, c.number, a.title
FROM handover h
JOIN agency a ON a.partner_id = h.partner_id AND a.id = h.agency_id
JOIN handover_claim w ON w.partner_id = h.partner_id AND w.handover_id = h.id
JOIN claim c ON c.partner_id = w.partner_id AND c.id = w.claim_id
JOIN step_claim k ON k.partner_id = w.partner_id AND k.claim_id = w.claim_id
JOIN step_taken s ON s.partner_id = k.partner_id AND s.id = k.step_id
WHERE h.partner_id = %(partner)s AND s.decided_at >= %(since)s::timestamptz AND h.placed_at IS NOT NULL
    AND s.decided_at > h.placed_at + %(tolerance)s::interval
    AND s.decided_at < coalesce(h.ended_at, 'infinity') - %(tolerance)s::interval
    AND s.proof = ''
ORDER BY s.id

-- unrecalled: nothing is owed any more, some of it was paid to us, and for an hour nobody has called the case back
SELECT h.case_id AS case, NULL::int AS event, a.title, h.ref, max(t.posted_at) AS paid_at
FROM handover h
JOIN agency a ON a.partner_id = h.partner_id AND a.id = h.agency_id
JOIN partner p ON p.id = h.partner_id AND p.mode = 'live'
JOIN handover_claim w ON w.partner_id = h.partner_id AND w.handover_id = h.id
JOIN claim c ON c.partner_id = w.partner_id AND c.id = w.claim_id
LEFT JOIN transfer t ON t.partner_id = w.partner_id AND t.claim_id = w.claim_id AND t.id > h.after_transfer
    AND t.kind = 'allocation' AND NOT EXISTS (
        SELECT FROM payment y JOIN source s ON s.partner_id = y.partner_id AND s.id = y.source_id
        WHERE y.partner_id = t.partner_id AND y.id = t.payment_id AND s.name = 'agency ' || a.name)
WHERE h.partner_id = %(partner)s AND h.placed_at IS NOT NULL AND h.ended_at IS NULL AND NOT EXISTS (
    SELECT FROM effect e WHERE e.partner_id = h.partner_id AND e.case_id = h.case_id AND e.kind = 'handover'
        AND e.template = 'recall' AND (e.params ->> 'handover')::bigint = h.id)
GROUP BY h.case_id, h.id, h.ref, a.title
HAVING sum(c.principal + c.costs + c.interest) = 0 AND max(t.posted_at) < %(as_of)s::timestamptz - interval '1 hour'
ORDER BY h.id
