-- count: money that was asked to go back
SELECT (SELECT count(*) FROM bank_refund r WHERE r.partner_id = %(partner)s
        AND greatest(r.asked_at, r.decided_at, r.ordered_at) >= %(since)s::timestamptz)
    + (SELECT count(*) FROM provider_refund r WHERE r.partner_id = %(partner)s
        AND greatest(r.ordered_at, r.finished_at) >= %(since)s::timestamptz) AS n

-- refund_sum: by payment and account, what went on its way back and what left, against the refunds that say so. Money
-- on no account is compared for its payment.
WITH moved AS (
    SELECT t.payment_id, t.account_id, t.currency,
        sum(CASE WHEN t.debit IN ('customer', 'unmatched') THEN t.amount
            WHEN t.credit IN ('customer', 'unmatched') THEN -t.amount ELSE 0 END)::bigint AS taken,
        sum(CASE WHEN t.credit = 'settlement' THEN t.amount WHEN t.debit = 'settlement' THEN -t.amount ELSE 0 END)::bigint
            AS gone
    FROM transfer t WHERE t.partner_id = %(partner)s AND t.kind = 'refund' AND t.payment_id IS NOT NULL
    GROUP BY t.payment_id, t.account_id, t.currency
), said AS (
    SELECT x.payment_id, x.account_id, x.currency, sum(x.taken)::bigint AS taken, sum(x.gone)::bigint AS gone
    FROM (
        SELECT r.payment_id, r.account_id, r.currency, r.amount AS taken,
            CASE WHEN r.state = 'ordered' THEN r.amount ELSE 0 END AS gone
        FROM bank_refund r WHERE r.partner_id = %(partner)s AND r.state IN ('granted', 'ordered') AND r.way = 'bank'
        UNION ALL
        SELECT r.payment_id, r.account_id, r.currency, r.amount, CASE WHEN r.state = 'done' THEN r.amount ELSE 0 END
        FROM provider_refund r WHERE r.partner_id = %(partner)s AND r.state IN ('ordered', 'sent', 'done', 'unsure')
    ) x GROUP BY x.payment_id, x.account_id, x.currency
)
SELECT (SELECT max(k.id) FROM dunning_case k WHERE k.partner_id = %(partner)s
        AND k.account_id = coalesce(m.account_id, s.account_id)) AS case,
    NULL::int AS event, p.ref, coalesce(m.currency, s.currency) AS currency,
    coalesce(s.taken, 0) AS taken_sum, coalesce(s.gone, 0) AS gone_sum,
    coalesce(m.taken, 0) AS moved_sum, coalesce(m.gone, 0) AS left_sum
FROM moved m
FULL JOIN said s ON s.payment_id = m.payment_id AND s.currency = m.currency
    AND coalesce(s.account_id, 0) = coalesce(m.account_id, 0)
JOIN payment p ON p.partner_id = %(partner)s AND p.id = coalesce(m.payment_id, s.payment_id)
WHERE coalesce(m.taken, 0) <> coalesce(s.taken, 0) OR coalesce(m.gone, 0) <> coalesce(s.gone, 0)
ORDER BY p.id

-- refund_alone: money that goes back by the bank without another person's yes
SELECT (SELECT max(k.id) FROM dunning_case k WHERE k.partner_id = r.partner_id AND k.account_id = r.account_id) AS case,
    NULL::int AS event, r.id, r.currency, r.amount AS amount_sum, r.asked_by
FROM bank_refund r
WHERE r.partner_id = %(partner)s AND r.state IN ('granted', 'ordered') AND r.decided_by IN ('', r.asked_by)
ORDER BY r.id
