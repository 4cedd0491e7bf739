-- post: fees on claims, with their transfers in the same statement: a balance never moves alone
WITH wanted AS (
    SELECT * FROM unnest(%(claims)s::bigint[], %(amounts)s::bigint[]) AS w (claim_id, amount)
), moved AS (
    UPDATE claim c SET costs = c.costs + w.amount, state = 'open' FROM wanted w WHERE c.id = w.claim_id
    RETURNING c.partner_id, c.id, c.account_id, c.currency, w.amount
)
INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency, value_date, posted_at)
SELECT partner_id, account_id, id, 'fee', 'receivable', 'fee_income', 'costs', amount, currency, %(today)s, %(now)s
FROM moved

-- reverse: take a fee back; what was already paid of it becomes the customer's credit
WITH before AS (
    SELECT partner_id, id, account_id, currency, least(costs, %(amount)s::bigint) AS unpaid FROM claim WHERE id = %(claim)s
), moved AS (
    UPDATE claim c SET costs = c.costs - b.unpaid,
        state = CASE WHEN c.principal = 0 AND c.costs = b.unpaid AND c.state = 'open' THEN 'settled' ELSE c.state END,
        settled_at = CASE WHEN c.principal = 0 AND c.costs = b.unpaid THEN %(now)s ELSE c.settled_at END
    FROM before b WHERE c.id = b.id
), credited AS (
    UPDATE account a SET credit = a.credit + %(amount)s - b.unpaid FROM before b
    WHERE a.id = b.account_id AND b.unpaid < %(amount)s
)
INSERT INTO transfer
    (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency, value_date, posted_at, reverses_id)
SELECT partner_id, account_id, id, 'fee', 'fee_income', 'receivable', 'costs', unpaid, currency, %(today)s, %(now)s,
    %(transfer)s::bigint
FROM before WHERE unpaid > 0
UNION ALL
SELECT partner_id, account_id, id, 'fee', 'fee_income', 'customer', '', %(amount)s - unpaid, currency, %(today)s,
    %(now)s, %(transfer)s::bigint
FROM before WHERE unpaid < %(amount)s
