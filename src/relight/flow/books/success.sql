-- agree: what a partner pays from a day on; the newest agreement that has begun holds
INSERT INTO success_terms (partner_id, starts_date, currency, share, amount, agreed_at, agreed_by)
VALUES (%(partner)s, %(starts)s, %(currency)s, %(share)s, %(amount)s, %(now)s, %(actor)s)

-- terms: all agreements, the newest first
SELECT starts_date, currency, share, amount, agreed_at, agreed_by FROM success_terms ORDER BY starts_date DESC, id DESC

-- successes: payments that moved in a month on claims which a step had named before they were first paid, with what they
-- had paid on such claims before and after it. The month is found by its index, then each payment by its account.
WITH moved AS (
    SELECT DISTINCT t.account_id, t.payment_id FROM transfer t
    WHERE t.posted_at >= %(since)s AND t.posted_at < %(until)s AND t.payment_id IS NOT NULL AND t.claim_id IS NOT NULL
        AND 'receivable' IN (t.debit, t.credit) AND 'customer' IN (t.debit, t.credit)
), paid AS (
    SELECT m.account_id, m.payment_id, t.claim_id, t.currency, min(t.posted_at) AS first_at,
        sum(x.amount) FILTER (WHERE t.posted_at < %(since)s) AS before, sum(x.amount) AS after
    FROM moved m
    JOIN transfer t ON t.account_id = m.account_id AND t.payment_id = m.payment_id
    CROSS JOIN LATERAL (SELECT CASE WHEN t.credit = 'receivable' THEN t.amount ELSE -t.amount END AS amount) x
    WHERE t.claim_id IS NOT NULL AND t.posted_at < %(until)s
        AND 'receivable' IN (t.debit, t.credit) AND 'customer' IN (t.debit, t.credit)
    GROUP BY m.account_id, m.payment_id, t.claim_id, t.currency
), followed AS (
    SELECT p.account_id, p.payment_id, p.currency, min(p.first_at) AS first_at, coalesce(sum(p.before), 0) AS before,
        sum(p.after) AS after
    FROM paid p
    WHERE EXISTS (
        SELECT FROM step_claim s JOIN step_taken k ON k.id = s.step_id
        WHERE s.claim_id = p.claim_id AND k.decided_at < p.first_at AND k.voided_at IS NULL)
    GROUP BY p.account_id, p.payment_id, p.currency
)
SELECT a.ref, y.ref, (f.first_at AT TIME ZONE r.time_zone)::date, f.currency, f.before::bigint, f.after::bigint,
    coalesce(g.share, 0), coalesce(g.amount, 0)
FROM followed f
JOIN account a ON a.id = f.account_id
JOIN payment y ON y.id = f.payment_id
JOIN partner r ON r.id = a.partner_id
LEFT JOIN LATERAL (
    SELECT e.share, e.amount FROM success_terms e
    WHERE e.currency = f.currency AND e.starts_date <= (f.first_at AT TIME ZONE r.time_zone)::date
    ORDER BY e.starts_date DESC, e.id DESC LIMIT 1
) g ON true
WHERE f.before <> f.after
ORDER BY f.currency, f.first_at, f.payment_id

-- span: a month in the partner's zone
SELECT %(month)s::timestamp AT TIME ZONE time_zone, (%(month)s::date + interval '1 month') AT TIME ZONE time_zone
FROM partner WHERE id = %(partner)s
