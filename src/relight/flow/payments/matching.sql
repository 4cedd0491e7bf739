-- currencies: of accounts that a person names, by id
SELECT id, currency, ref FROM account WHERE id = ANY (%(accounts)s::bigint[])

-- act: what was done with a payment, with who paid, so that it can be suggested again
INSERT INTO payment_act (partner_id, payment_id, code, account_id, amount, claims, payer_key, payer_account, note, actor,
    at)
SELECT p.partner_id, p.id, %(code)s, x.account_id, x.amount, %(claims)s::bigint[], %(payer_key)s, coalesce(b.payer_account, ''),
    %(note)s, %(actor)s, %(now)s
FROM payment p
CROSS JOIN unnest(%(accounts)s::bigint[], %(amounts)s::bigint[]) WITH ORDINALITY AS x (account_id, amount, turn)
LEFT JOIN LATERAL (
    SELECT b.payer_account FROM bank_booking b WHERE b.payment_id = p.id AND NOT b.is_return AND b.payer_account <> ''
    ORDER BY b.id LIMIT 1
) b ON true
WHERE p.id = %(payment)s ORDER BY x.turn

-- tell_assigned: the open cases of these accounts are told that money was placed there by hand
WITH bumped AS (
    UPDATE dunning_case c SET version = c.version + 1
    FROM unnest(%(accounts)s::bigint[], %(amounts)s::bigint[]) AS x (account_id, amount)
    WHERE c.account_id = x.account_id AND c.state <> 'closed'
    RETURNING c.partner_id, c.id, c.version, x.amount
)
INSERT INTO case_event (partner_id, case_id, number, code, params, actor, cause, at)
SELECT partner_id, id, version, 'payment_assigned', jsonb_build_object('amount', amount, 'payment', %(payment)s::bigint,
    'note', %(note)s::text), %(actor)s, '', %(now)s
FROM bumped ORDER BY id

-- tell_taken: the same, for money that was taken away
WITH bumped AS (
    UPDATE dunning_case c SET version = c.version + 1
    FROM unnest(%(accounts)s::bigint[], %(amounts)s::bigint[]) AS x (account_id, amount)
    WHERE c.account_id = x.account_id AND c.state <> 'closed'
    RETURNING c.partner_id, c.id, c.version, x.amount
)
INSERT INTO case_event (partner_id, case_id, number, code, params, actor, cause, at)
SELECT partner_id, id, version, 'payment_taken_away', jsonb_build_object('amount', amount, 'payment', %(payment)s::bigint,
    'note', %(note)s::text), %(actor)s, '', %(now)s
FROM bumped ORDER BY id

-- payer: who paid, as the bank says
SELECT payer_name FROM payment WHERE id = %(payment)s
