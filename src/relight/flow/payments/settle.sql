-- names_unknown: payments whose payer named a bill that their account has not; told once
INSERT INTO payment_act (partner_id, payment_id, code, account_id, amount, note, actor, at)
SELECT p.partner_id, p.id, 'names_unknown', p.account_id, p.amount, p.reference, 'relight', %(now)s
FROM payment p
WHERE p.id = ANY (%(payments)s::bigint[]) AND p.account_id IS NOT NULL AND NOT p.by_hand AND p.reference <> ''
    AND p.state IN ('confirmed', 'booked')
    AND NOT EXISTS (SELECT FROM claim c WHERE c.account_id = p.account_id AND p.reference IN (c.number, c.reference))
    AND NOT EXISTS (SELECT FROM payment_act o WHERE o.payment_id = p.id)
ORDER BY p.id

-- paid_again: payments that pay nothing of the bill that they name, since it was paid already, and of which something is
-- left when all else was paid; told once
INSERT INTO payment_act (partner_id, payment_id, code, account_id, amount, note, actor, at)
SELECT p.partner_id, p.id, 'paid_again', p.account_id, f.free, n.number, 'relight', %(now)s
FROM payment p
JOIN account a ON a.partner_id = p.partner_id AND a.id = p.account_id AND a.credit > 0
CROSS JOIN LATERAL (
    SELECT min(c.number) AS number, bool_or(c.state = 'open') AS is_owed,
        bool_or(EXISTS (SELECT FROM transfer t WHERE t.claim_id = c.id AND t.payment_id = p.id)) AS was_paid
    FROM claim c WHERE c.account_id = p.account_id AND p.reference IN (c.number, c.reference)
) n
CROSS JOIN LATERAL (
    SELECT sum(CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END)::bigint AS free FROM transfer t
    WHERE t.account_id = p.account_id AND t.payment_id = p.id AND 'customer' IN (t.debit, t.credit)
) f
WHERE p.id = ANY (%(payments)s::bigint[]) AND NOT p.by_hand AND p.state IN ('confirmed', 'booked')
    AND NOT n.is_owed AND NOT n.was_paid AND f.free > 0
    AND NOT EXISTS (SELECT FROM payment_act o WHERE o.payment_id = p.id)
ORDER BY p.id

-- tell_returned: the open cases of accounts that had a share of a payment which came back
WITH bumped AS (
    UPDATE dunning_case c SET version = c.version + 1
    FROM unnest(%(accounts)s::bigint[], %(amounts)s::bigint[]) AS x (account_id, amount)
    WHERE c.account_id = x.account_id AND c.state <> 'closed'
    RETURNING c.partner_id, c.id, c.version, x.amount
)
INSERT INTO case_event (partner_id, case_id, number, code, params, actor, cause, at)
SELECT partner_id, id, version, 'payment_returned', jsonb_build_object('amount', amount, 'payment', %(payment)s::bigint),
    'relight', '', %(now)s
FROM bumped ORDER BY id
