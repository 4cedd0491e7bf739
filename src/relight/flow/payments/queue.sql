-- waiting: payments that lie on no account, name a bill that nobody has, or one that was paid already; one row each, the
-- oldest first. Who asks for a refund has looked; where that was refused, somebody has to look again.
WITH loose AS (
    SELECT p.*, p.unmatched AS rest, 'unmatched' AS why, '' AS bill FROM payment p WHERE p.unmatched > 0
    UNION ALL
    SELECT p.*, 0, 'names_unknown', '' FROM payment_act o JOIN payment p ON p.partner_id = o.partner_id AND p.id = o.payment_id
    WHERE o.code = 'names_unknown' AND p.unmatched = 0 AND p.state IN ('confirmed', 'booked')
        AND NOT EXISTS (
            SELECT FROM payment_act n WHERE n.payment_id = o.payment_id AND n.id > o.id
                AND n.code NOT IN ('parked', 'refund_asked'))
        AND NOT EXISTS (SELECT FROM bank_refund r WHERE r.payment_id = o.payment_id AND r.state <> 'refused')
    UNION ALL
    SELECT p.*, f.free, 'paid_again', o.note
    FROM payment_act o JOIN payment p ON p.partner_id = o.partner_id AND p.id = o.payment_id
    CROSS JOIN LATERAL (
        SELECT sum(CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END)::bigint AS free FROM transfer t
        WHERE t.account_id = o.account_id AND t.payment_id = p.id AND 'customer' IN (t.debit, t.credit)
    ) f
    WHERE o.code = 'paid_again' AND p.unmatched = 0 AND p.state IN ('confirmed', 'booked') AND f.free > 0
        AND NOT EXISTS (
            SELECT FROM payment_act n WHERE n.payment_id = o.payment_id AND n.id > o.id
                AND n.code NOT IN ('parked', 'refund_asked'))
        AND NOT EXISTS (SELECT FROM bank_refund r WHERE r.payment_id = o.payment_id AND r.state <> 'refused')
), told AS (
    SELECT l.id, l.ref, s.name AS source, l.amount, l.rest, l.currency, l.value_date, l.received_at, l.reference,
        l.payer_name, coalesce(b.payer_account, '') AS payer_account, l.why, a.id AS account_id,
        coalesce(a.ref, '') AS account, coalesce(o.code = 'parked', false) AS parked,
        CASE WHEN o.code = 'parked' THEN o.note ELSE '' END AS note, l.bill
    FROM loose l
    JOIN source s ON s.partner_id = l.partner_id AND s.id = l.source_id
    LEFT JOIN account a ON a.partner_id = l.partner_id AND a.id = l.account_id
    LEFT JOIN LATERAL (
        SELECT b.payer_account FROM bank_booking b WHERE b.payment_id = l.id AND NOT b.is_return ORDER BY b.id LIMIT 1
    ) b ON true
    LEFT JOIN LATERAL (
        SELECT o.code, o.note FROM payment_act o WHERE o.payment_id = l.id ORDER BY o.id DESC LIMIT 1
    ) o ON true
)
SELECT * FROM told
WHERE (%(show)s = '' AND NOT parked OR %(show)s = 'parked' AND parked OR %(show)s = 'all'
        OR %(show)s = why AND NOT parked)
    AND (%(q)s = '' OR position(lower(%(q)s) IN lower(concat_ws(' ', payer_name, reference, ref, payer_account))) > 0)
    AND (%(payment)s::bigint IS NULL OR id = %(payment)s)
ORDER BY received_at, id LIMIT %(size)s OFFSET %(offset)s

-- counts: how many wait, of each kind
WITH loose AS (
    SELECT p.id, 'unmatched' AS why FROM payment p WHERE p.unmatched > 0
    UNION ALL
    SELECT p.id, o.code FROM payment_act o JOIN payment p ON p.partner_id = o.partner_id AND p.id = o.payment_id
    WHERE o.code IN ('names_unknown', 'paid_again') AND p.unmatched = 0 AND p.state IN ('confirmed', 'booked')
        AND NOT EXISTS (
            SELECT FROM payment_act n WHERE n.payment_id = o.payment_id AND n.id > o.id
                AND n.code NOT IN ('parked', 'refund_asked'))
        AND NOT EXISTS (SELECT FROM bank_refund r WHERE r.payment_id = o.payment_id AND r.state <> 'refused')
        AND (o.code = 'names_unknown' OR 0 < (
            SELECT sum(CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END) FROM transfer t
            WHERE t.account_id = o.account_id AND t.payment_id = p.id AND 'customer' IN (t.debit, t.credit)))
), told AS (
    SELECT l.why, coalesce(
        (SELECT o.code FROM payment_act o WHERE o.payment_id = l.id ORDER BY o.id DESC LIMIT 1) = 'parked', false
    ) AS parked
    FROM loose l
)
SELECT count(*) FILTER (WHERE why = 'unmatched' AND NOT parked),
    count(*) FILTER (WHERE why = 'names_unknown' AND NOT parked),
    count(*) FILTER (WHERE why = 'paid_again' AND NOT parked), count(*) FILTER (WHERE parked)
FROM told

-- payment: any payment, wherever it lies, to look at and to correct
SELECT p.id, p.ref, s.name, p.amount, p.unmatched, p.currency, p.value_date, p.received_at, p.reference, p.payer_name, coalesce(b.payer_account, ''), p.state, p.account_id,
    s.kind
FROM payment p
JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id
LEFT JOIN LATERAL (
    SELECT b.payer_account FROM bank_booking b WHERE b.payment_id = p.id AND NOT b.is_return ORDER BY b.id LIMIT 1
) b ON true
WHERE p.id = %(payment)s

-- acts: what people did with it, the first first
SELECT o.code, o.at, o.actor, a.ref, o.amount, o.note FROM payment_act o
LEFT JOIN account a ON a.partner_id = o.partner_id AND a.id = o.account_id
WHERE o.payment_id = %(payment)s ORDER BY o.id

-- account: by the customer's number
SELECT id FROM account WHERE ref = %(ref)s

-- bills: what an account owes, the oldest first
SELECT c.id, c.number, c.reference, c.due_date, (c.principal + c.costs + c.interest)::bigint, r.name FROM claim c
JOIN creditor r ON r.partner_id = c.partner_id AND r.id = c.creditor_id
WHERE c.account_id = %(account)s AND c.state = 'open' ORDER BY c.due_date, c.id

-- bill: one of an account's by its number or reference
SELECT c.id FROM claim c WHERE c.account_id = %(account)s AND %(name)s IN (c.number, c.reference) ORDER BY c.due_date, c.id

-- who: the customers of accounts
SELECT a.id, a.ref, coalesce(d.name, '') FROM account a
LEFT JOIN LATERAL (
    SELECT y.name FROM account_role r JOIN party y ON y.partner_id = r.partner_id AND y.id = r.party_id
    WHERE r.account_id = a.id AND r.role = 'debtor' AND r.ends_at IS NULL ORDER BY r.id LIMIT 1
) d ON true
WHERE a.id = ANY (%(accounts)s::bigint[])
