-- by_name: payments (or credit notes) against the claims that they name, one name an account. Money and debts are laid
-- out as two rulers, end to end; where they overlap, that much is paid.
asked AS (
    SELECT account_id, payment_id, reference,
        sum(amount) OVER (PARTITION BY account_id, reference ORDER BY turn) - amount AS low,
        sum(amount) OVER (PARTITION BY account_id, reference ORDER BY turn) AS high
    FROM unnest(%(accounts)s::bigint[], %(payments)s::bigint[], %(amounts)s::bigint[], %(references)s::text[])
        WITH ORDINALITY AS x (account_id, payment_id, amount, reference, turn)
), owed AS (
    SELECT n.account_id, x.reference, n.id AS claim_id, o.part, o.amount,
        sum(o.amount) OVER (PARTITION BY n.account_id, x.reference ORDER BY n.due_date, n.id, o.turn) AS high
    FROM (SELECT DISTINCT account_id, reference FROM asked) x
    JOIN claim n ON n.account_id = x.account_id AND n.state = 'open' AND x.reference IN (n.number, n.reference)
    CROSS JOIN LATERAL (VALUES (1, 'principal', n.principal), (2, 'costs', n.costs)) o (turn, part, amount)
    WHERE o.amount > 0
), pairs AS (
    SELECT o.account_id, o.claim_id, o.part, m.payment_id,
        (least(m.high, o.high) - greatest(m.low, o.high - o.amount))::bigint AS amount
    FROM asked m JOIN owed o ON o.account_id = m.account_id AND o.reference = m.reference
    WHERE m.low < o.high AND o.high - o.amount < m.high
)

-- by_age: what the accounts have in credit, payment by payment in the order it came, against the oldest due first
waiting AS (
    SELECT t.account_id, t.payment_id, min(t.id) AS first_id,
        sum(CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END) AS amount
    FROM account a JOIN transfer t ON t.account_id = a.id
    WHERE a.id = ANY(%(accounts)s::bigint[]) AND a.credit > 0 AND 'customer' IN (t.debit, t.credit)
    GROUP BY t.account_id, t.payment_id
    HAVING sum(CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END) > 0
), asked AS (
    SELECT account_id, payment_id, sum(amount) OVER (PARTITION BY account_id ORDER BY first_id) - amount AS low,
        sum(amount) OVER (PARTITION BY account_id ORDER BY first_id) AS high
    FROM waiting
), owed AS (
    SELECT c.account_id, c.id AS claim_id, o.part, o.amount,
        sum(o.amount) OVER (PARTITION BY c.account_id ORDER BY c.due_date, c.id, o.turn) AS high
    FROM claim c
    CROSS JOIN LATERAL (VALUES (1, 'principal', c.principal), (2, 'costs', c.costs)) o (turn, part, amount)
    WHERE c.account_id IN (SELECT account_id FROM waiting) AND c.state = 'open' AND o.amount > 0
), pairs AS (
    SELECT o.account_id, o.claim_id, o.part, m.payment_id,
        (least(m.high, o.high) - greatest(m.low, o.high - o.amount))::bigint AS amount
    FROM asked m JOIN owed o ON o.account_id = m.account_id
    WHERE m.low < o.high AND o.high - o.amount < m.high
)

-- post_pairs: the postings and the balances that they change, together
posted AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, payment_id, kind, debit, credit, part, amount, currency,
        value_date, posted_at)
    SELECT %(partner)s, x.account_id, x.claim_id, x.payment_id, 'allocation', 'customer', 'receivable', x.part, x.amount,
        a.currency, coalesce(p.value_date, %(today)s), %(now)s
    FROM pairs x JOIN account a ON a.id = x.account_id LEFT JOIN payment p ON p.id = x.payment_id
    ORDER BY x.account_id, x.payment_id, x.claim_id, x.part DESC
), taken AS (
    SELECT claim_id, coalesce(sum(amount) FILTER (WHERE part = 'principal'), 0) AS principal,
        coalesce(sum(amount) FILTER (WHERE part = 'costs'), 0) AS costs
    FROM pairs GROUP BY claim_id
), lessened AS (
    UPDATE claim c SET principal = c.principal - t.principal, costs = c.costs - t.costs,
        state = CASE WHEN c.principal + c.costs = t.principal + t.costs THEN 'settled' ELSE c.state END,
        settled_at = CASE WHEN c.principal + c.costs = t.principal + t.costs THEN %(now)s ELSE c.settled_at END
    FROM taken t WHERE c.id = t.claim_id
), spent AS (
    UPDATE account a SET credit = a.credit - x.amount
    FROM (SELECT account_id, sum(amount) AS amount FROM pairs GROUP BY account_id) x
    WHERE a.id = x.account_id
)
SELECT count(*) FROM pairs
