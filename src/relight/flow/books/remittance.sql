-- lock: one remittance a creditor at a time
SELECT id FROM creditor WHERE name = %(creditor)s FOR NO KEY UPDATE

-- due: what payments paid on the creditor's claims until a moment, less what was paid over before; a payment that came
-- back after it was paid over is below zero. Claims come first, by creditor; then their transfers, by claim.
SELECT x.currency, x.account_id, a.ref, x.claim_id, c.number, x.payment_id, p.ref, p.value_date, x.part,
    sum(x.amount)::bigint
FROM (
    SELECT t.currency, t.account_id, t.claim_id, t.payment_id, t.part,
        CASE
            WHEN t.kind = 'remittance' THEN CASE WHEN t.debit = 'remitted' THEN -t.amount ELSE t.amount END
            WHEN t.credit = 'receivable' THEN t.amount ELSE -t.amount
        END AS amount
    FROM claim k JOIN transfer t ON t.claim_id = k.id
    WHERE k.creditor_id = %(creditor_id)s AND t.payment_id IS NOT NULL AND t.part <> ALL (%(keep)s::text[])
        AND (t.kind = 'remittance' OR 'receivable' IN (t.debit, t.credit) AND 'customer' IN (t.debit, t.credit)
            AND t.posted_at < (%(until)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
) x
JOIN account a ON a.id = x.account_id
JOIN claim c ON c.id = x.claim_id
JOIN payment p ON p.id = x.payment_id
GROUP BY x.currency, x.account_id, a.ref, x.claim_id, c.number, x.payment_id, p.ref, p.value_date, x.part
HAVING sum(x.amount) <> 0
ORDER BY x.currency, p.value_date, x.payment_id, x.claim_id, x.part

-- zone: the partner's
SELECT time_zone FROM partner WHERE id = %(partner)s

-- make: the remittance, and a transfer for each payment on a claim: paid over, or taken off
WITH made AS (
    INSERT INTO remittance (partner_id, creditor_id, currency, until, amount, made_at, made_by)
    VALUES (%(partner)s, %(creditor_id)s, %(currency)s, %(until)s, %(amount)s, %(now)s, %(actor)s) RETURNING id
), posted AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, payment_id, kind, debit, credit, part, amount, currency,
        value_date, posted_at)
    SELECT %(partner)s, x.account_id, x.claim_id, x.payment_id, 'remittance',
        CASE WHEN x.amount > 0 THEN 'remitted' ELSE 'settlement' END,
        CASE WHEN x.amount > 0 THEN 'settlement' ELSE 'remitted' END, x.part, abs(x.amount), %(currency)s, %(today)s,
        %(now)s
    FROM unnest(%(accounts)s::bigint[], %(claims)s::bigint[], %(payments)s::bigint[], %(parts)s::text[],
        %(amounts)s::bigint[]) WITH ORDINALITY AS x (account_id, claim_id, payment_id, part, amount, turn)
    ORDER BY x.turn
    RETURNING id
), listed AS (
    INSERT INTO remittance_item (partner_id, remittance_id, transfer_id)
    SELECT %(partner)s, m.id, p.id FROM made m CROSS JOIN posted p
)
SELECT id FROM made

-- remittances: the newest first
SELECT m.id, r.name, m.currency, m.until, m.amount, m.made_at, m.made_by,
    (SELECT count(*) FROM remittance_item i WHERE i.remittance_id = m.id)
FROM remittance m JOIN creditor r ON r.id = m.creditor_id
WHERE %(creditor)s = '' OR r.name = %(creditor)s ORDER BY m.id DESC

-- items: the payments of one, as they were paid over
SELECT a.ref, c.number, p.ref, p.value_date, t.part,
    (CASE WHEN t.debit = 'remitted' THEN t.amount ELSE -t.amount END)::bigint, t.currency
FROM remittance_item i
JOIN transfer t ON t.id = i.transfer_id
JOIN account a ON a.id = t.account_id
JOIN claim c ON c.id = t.claim_id
JOIN payment p ON p.id = t.payment_id
WHERE i.remittance_id = %(remittance)s ORDER BY t.id
