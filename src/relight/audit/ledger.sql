-- count: transfers that are looked at
SELECT count(*) AS n FROM transfer t WHERE t.partner_id = %(partner)s AND t.posted_at >= %(since)s::timestamptz

-- one_sided: the two things that a transfer must be, whatever a dropped constraint let in
SELECT (SELECT max(c.id) FROM dunning_case c WHERE c.partner_id = t.partner_id AND c.account_id = t.account_id) AS case,
    NULL::int AS event, t.id, t.debit, t.credit, t.amount AS amount_sum, t.currency
FROM transfer t
WHERE t.partner_id = %(partner)s AND t.posted_at >= %(since)s::timestamptz AND (t.amount <= 0 OR t.debit = t.credit)
ORDER BY t.id

-- strays: a transfer in another currency than what it is on, or on another account than its claim or payment; a payment
-- that a person placed may lie on several
SELECT (SELECT max(k.id) FROM dunning_case k WHERE k.partner_id = t.partner_id AND k.account_id = t.account_id) AS case,
    NULL::int AS event, t.id, t.kind, t.amount AS amount_sum, t.currency,
    CASE WHEN t.currency <> a.currency THEN 'its account is kept in ' || a.currency
        WHEN t.currency <> c.currency THEN 'its claim is in ' || c.currency
        WHEN t.currency <> p.currency THEN 'its payment is in ' || p.currency
        WHEN t.account_id <> c.account_id THEN 'its claim belongs to another account'
        ELSE 'its payment belongs to another account' END AS wrong
FROM transfer t
LEFT JOIN account a ON a.partner_id = t.partner_id AND a.id = t.account_id
LEFT JOIN claim c ON c.partner_id = t.partner_id AND c.id = t.claim_id
LEFT JOIN payment p ON p.partner_id = t.partner_id AND p.id = t.payment_id
WHERE t.partner_id = %(partner)s AND t.posted_at >= %(since)s::timestamptz
    AND (t.currency <> a.currency OR t.currency <> c.currency OR t.currency <> p.currency
        OR t.account_id <> c.account_id OR t.account_id <> p.account_id AND NOT p.by_hand)
ORDER BY t.id

-- claim_balance: principal, costs and interest of a claim against what its transfers move; one pass over the transfers
WITH moved AS (
    SELECT t.claim_id,
        coalesce(sum(CASE WHEN t.debit = 'receivable' THEN t.amount ELSE -t.amount END)
            FILTER (WHERE t.part = 'principal'), 0) AS principal,
        coalesce(sum(CASE WHEN t.debit = 'receivable' THEN t.amount ELSE -t.amount END)
            FILTER (WHERE t.part = 'costs'), 0) AS costs,
        coalesce(sum(CASE WHEN t.debit = 'receivable' THEN t.amount ELSE -t.amount END)
            FILTER (WHERE t.part = 'interest'), 0) AS interest
    FROM transfer t
    WHERE t.partner_id = %(partner)s AND t.claim_id IS NOT NULL AND 'receivable' IN (t.debit, t.credit)
    GROUP BY t.claim_id
)
SELECT (SELECT max(k.id) FROM dunning_case k WHERE k.partner_id = c.partner_id AND k.account_id = c.account_id
        AND c.service_kind = ANY (k.services)) AS case,
    NULL::int AS event, c.number, c.currency, c.principal AS principal_sum, c.costs AS costs_sum,
    c.interest AS interest_sum, coalesce(m.principal, 0)::bigint AS moved_principal_sum,
    coalesce(m.costs, 0)::bigint AS moved_costs_sum, coalesce(m.interest, 0)::bigint AS moved_interest_sum
FROM claim c LEFT JOIN moved m ON m.claim_id = c.id
WHERE c.partner_id = %(partner)s
    AND (c.principal, c.costs, c.interest)
        <> (coalesce(m.principal, 0), coalesce(m.costs, 0), coalesce(m.interest, 0))
    AND (%(full)s OR c.account_id IN (SELECT t.account_id FROM transfer t
        WHERE t.partner_id = %(partner)s AND t.posted_at >= %(since)s::timestamptz))
ORDER BY c.id

-- credit_balance: what an account has in credit against what its transfers leave there
WITH moved AS (
    SELECT t.account_id, sum(CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END) AS credit
    FROM transfer t WHERE t.partner_id = %(partner)s AND 'customer' IN (t.debit, t.credit) GROUP BY t.account_id
)
SELECT (SELECT max(k.id) FROM dunning_case k WHERE k.partner_id = a.partner_id AND k.account_id = a.id) AS case,
    NULL::int AS event, a.ref, a.currency, a.credit AS credit_sum, coalesce(m.credit, 0)::bigint AS moved_sum
FROM account a LEFT JOIN moved m ON m.account_id = a.id
WHERE a.partner_id = %(partner)s AND a.credit <> coalesce(m.credit, 0)
    AND (%(full)s OR a.id IN (SELECT t.account_id FROM transfer t
        WHERE t.partner_id = %(partner)s AND t.posted_at >= %(since)s::timestamptz))
ORDER BY a.id

-- claim_state: open means that something is owed
SELECT (SELECT max(k.id) FROM dunning_case k WHERE k.partner_id = c.partner_id AND k.account_id = c.account_id
        AND c.service_kind = ANY (k.services)) AS case,
    NULL::int AS event, c.number, c.state, c.currency, c.principal + c.costs + c.interest AS owed_sum
FROM claim c
WHERE c.partner_id = %(partner)s AND (c.state = 'open') <> (c.principal + c.costs + c.interest > 0)
ORDER BY c.id

-- reversed_too_much: more of a fee or of interest was taken back than it was
SELECT (SELECT max(k.id) FROM dunning_case k WHERE k.partner_id = t.partner_id AND k.account_id = t.account_id) AS case,
    NULL::int AS event, t.id, t.kind, t.currency, t.amount AS amount_sum, sum(r.amount)::bigint AS reversed_sum
FROM transfer t JOIN transfer r ON r.partner_id = t.partner_id AND r.reverses_id = t.id AND r.kind = t.kind
WHERE t.partner_id = %(partner)s AND t.kind IN ('fee', 'interest', 'cost')
GROUP BY t.partner_id, t.account_id, t.id, t.kind, t.currency, t.amount HAVING sum(r.amount) > t.amount ORDER BY t.id

-- fee_stands: a step was voided or withdrawn, and what it charged is still asked for
SELECT DISTINCT s.case_id AS case, s.number AS event, s.step, c.number, t.currency, t.amount AS amount_sum, t.id
FROM step_taken s
JOIN step_claim k ON k.partner_id = s.partner_id AND k.step_id = s.id
JOIN claim c ON c.partner_id = k.partner_id AND c.id = k.claim_id
JOIN transfer t ON t.partner_id = c.partner_id AND t.claim_id = c.id AND t.kind = 'fee' AND t.debit = 'receivable'
    AND t.posted_at = s.decided_at
WHERE s.partner_id = %(partner)s AND s.voided_at >= %(since)s::timestamptz
    AND NOT EXISTS (SELECT FROM transfer r WHERE r.partner_id = t.partner_id AND r.reverses_id = t.id)
ORDER BY s.case_id, s.number, t.id
