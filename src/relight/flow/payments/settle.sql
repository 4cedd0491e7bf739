-- names_unknown: payments whose payer named a bill that their account has not; told once
INSERT INTO payment_act (partner_id, payment_id, code, account_id, amount, note, actor, at)
SELECT p.partner_id, p.id, 'names_unknown', p.account_id, p.amount, p.reference, 'relight', %(now)s
FROM payment p
WHERE p.id = ANY (%(payments)s::bigint[]) AND p.account_id IS NOT NULL AND NOT p.by_hand AND p.reference <> ''
    AND p.state IN ('confirmed', 'booked')
    AND NOT EXISTS (SELECT FROM claim c WHERE c.account_id = p.account_id AND p.reference IN (c.number, c.reference))
    AND NOT EXISTS (SELECT FROM payment_act o WHERE o.payment_id = p.id)
ORDER BY p.id
