-- rule: the country's order of a claim's parts (costs, interest, principal in some order), and whether all claims' first
-- part comes before any claim's second; for a country without one, the order that helps the debtor
rule AS (
    SELECT coalesce(string_to_array(r.parts, ' '), '{principal,interest,costs}') AS parts,
        coalesce(r.by_kind, false) AS by_kind
    FROM partner p
    LEFT JOIN unnest(%(countries)s::text[], %(orders)s::text[], %(by_kinds)s::boolean[]) AS r (country, parts, by_kind)
        ON r.country = p.country
    WHERE p.id = %(partner)s
)

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
        sum(o.amount) OVER (PARTITION BY n.account_id, x.reference
            ORDER BY CASE WHEN r.by_kind THEN o.turn END, n.due_date, n.id, o.turn) AS high
    FROM (SELECT DISTINCT account_id, reference FROM asked) x
    JOIN claim n ON n.account_id = x.account_id AND n.state = 'open' AND x.reference IN (n.number, n.reference)
    CROSS JOIN rule r
    CROSS JOIN LATERAL (
        SELECT array_position(r.parts, v.part), v.part, v.amount
        FROM (VALUES ('principal', n.principal), ('interest', n.interest), ('costs', n.costs)) v (part, amount)
    ) o (turn, part, amount)
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
        sum(o.amount) OVER (PARTITION BY c.account_id
            ORDER BY CASE WHEN r.by_kind THEN o.turn END, c.due_date, c.id, o.turn) AS high
    FROM claim c
    CROSS JOIN rule r
    CROSS JOIN LATERAL (
        SELECT array_position(r.parts, v.part), v.part, v.amount
        FROM (VALUES ('principal', c.principal), ('interest', c.interest), ('costs', c.costs)) v (part, amount)
    ) o (turn, part, amount)
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
        coalesce(sum(amount) FILTER (WHERE part = 'costs'), 0) AS costs,
        coalesce(sum(amount) FILTER (WHERE part = 'interest'), 0) AS interest, sum(amount) AS amount
    FROM pairs GROUP BY claim_id
), lessened AS (
    UPDATE claim c SET principal = c.principal - t.principal, costs = c.costs - t.costs,
        interest = c.interest - t.interest,
        state = CASE WHEN c.principal + c.costs + c.interest = t.amount THEN 'settled' ELSE c.state END,
        settled_at = CASE WHEN c.principal + c.costs + c.interest = t.amount THEN %(now)s ELSE c.settled_at END
    FROM taken t WHERE c.id = t.claim_id
), spent AS (
    UPDATE account a SET credit = a.credit - x.amount
    FROM (SELECT account_id, sum(amount) AS amount FROM pairs GROUP BY account_id) x
    WHERE a.id = x.account_id
)
SELECT count(*) FROM pairs
