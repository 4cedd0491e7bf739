-- post: fees on claims, with their transfers in the same statement: a balance never moves alone
WITH wanted AS (
    SELECT * FROM unnest(%(claims)s::bigint[], %(amounts)s::bigint[], %(names)s::text[]) AS w (claim_id, amount, fee)
), moved AS (
    UPDATE claim c SET costs = c.costs + w.amount, state = 'open' FROM wanted w WHERE c.id = w.claim_id
    RETURNING c.partner_id, c.id, c.account_id, c.currency, w.amount, w.fee
)
INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, fee, amount, currency, value_date,
    posted_at)
SELECT partner_id, account_id, id, 'fee', 'receivable', 'fee_income', 'costs', fee, amount, currency, %(today)s, %(now)s
FROM moved

-- reverse: take fees back. What was paid of them is released first, newest payment first and under the payment's name, so
-- that a payment that is returned later can still be followed; what was written off or forgiven of it before that. Then
-- the whole fee leaves the claim.
WITH wanted AS (
    SELECT t.partner_id, t.id, t.account_id, t.claim_id, t.amount, t.currency FROM transfer t
    WHERE t.id = ANY (%(transfers)s::bigint[]) AND t.kind = 'fee' AND t.debit = 'receivable'
        AND NOT EXISTS (SELECT FROM transfer r WHERE r.claim_id = t.claim_id AND r.reverses_id = t.id)
), sums AS (
    SELECT c.id AS claim_id, w.amount, greatest(w.amount - c.costs, 0) AS over
    FROM (SELECT claim_id, sum(amount)::bigint AS amount FROM wanted GROUP BY claim_id) w JOIN claim c ON c.id = w.claim_id
), paid AS (
    SELECT x.partner_id, x.account_id, x.claim_id, x.payment_id, x.currency, x.ledger, max(x.id) AS last_id,
        sum(x.amount)::bigint AS amount
    FROM (
        SELECT t.partner_id, t.account_id, t.claim_id, t.payment_id, t.currency, t.id,
            CASE WHEN t.credit = 'receivable' THEN t.debit ELSE t.credit END AS ledger,
            CASE WHEN t.credit = 'receivable' THEN t.amount ELSE -t.amount END AS amount
        FROM sums s JOIN transfer t ON t.claim_id = s.claim_id
        WHERE s.over > 0 AND t.part = 'costs' AND 'receivable' IN (t.debit, t.credit)
    ) x
    WHERE x.ledger IN ('customer', 'written_off', 'forgiven')
    GROUP BY x.partner_id, x.account_id, x.claim_id, x.payment_id, x.currency, x.ledger
    HAVING sum(x.amount) > 0
), stacked AS (
    SELECT *, sum(amount) OVER (PARTITION BY claim_id ORDER BY ledger = 'customer', last_id DESC) - amount AS below
    FROM paid
), freed AS (
    SELECT k.*, least(k.amount, s.over - k.below)::bigint AS part_amount
    FROM stacked k JOIN sums s ON s.claim_id = k.claim_id WHERE k.below < s.over
), released AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, payment_id, kind, debit, credit, part, amount, currency,
        value_date, posted_at, reverses_id)
    SELECT partner_id, account_id, claim_id, payment_id,
        CASE ledger WHEN 'customer' THEN 'release' WHEN 'forgiven' THEN 'remission' ELSE 'write_off' END,
        'receivable', ledger, 'costs', part_amount, currency, %(today)s, %(now)s, last_id
    FROM freed
), reversed AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency, value_date,
        posted_at, reverses_id)
    SELECT partner_id, account_id, claim_id, 'fee', 'fee_income', 'receivable', 'costs', amount, currency, %(today)s,
        %(now)s, id
    FROM wanted ORDER BY id
), credited AS (
    UPDATE account a SET credit = a.credit + f.amount
    FROM (SELECT account_id, sum(part_amount) AS amount FROM freed WHERE ledger = 'customer' GROUP BY account_id) f
    WHERE a.id = f.account_id
), changed AS (
    SELECT s.claim_id, s.amount - coalesce(sum(f.part_amount), 0) AS less
    FROM sums s LEFT JOIN freed f ON f.claim_id = s.claim_id GROUP BY s.claim_id, s.amount
)
UPDATE claim c SET costs = c.costs - x.less,
    state = CASE WHEN c.state = 'open' AND c.principal + c.interest = 0 AND c.costs = x.less
        THEN 'settled' ELSE c.state END,
    settled_at = CASE WHEN c.state = 'open' AND c.principal + c.interest = 0 AND c.costs = x.less
        THEN %(now)s ELSE c.settled_at END
FROM changed x WHERE c.id = x.claim_id
