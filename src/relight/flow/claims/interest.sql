-- begin: notices name the late interest of these claims, which from then on is counted; a claim that is not late has none
UPDATE claim SET interest_until = %(today)s
WHERE id = ANY (%(claims)s::bigint[]) AND greatest(due_date, deferred_to) < %(today)s
    AND (interest_until IS NULL OR interest_until < %(today)s)
RETURNING account_id

-- bearing: claims of these accounts whose interest was named: from when it runs, what changed their principal in the
-- order of its posting, and what was booked. An index of their own finds them; most accounts have none.
SELECT c.id, c.account_id, p.country, a.debtor, greatest(c.due_date, c.deferred_to), c.disputed, c.interest_until,
    coalesce(h.booked, 0), coalesce(h.days, '{}'), coalesce(h.amounts, '{}'), coalesce(h.from_the_first, '{}')
FROM claim c
JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
JOIN partner p ON p.id = c.partner_id
CROSS JOIN LATERAL (
    SELECT sum(x.signed) FILTER (WHERE x.kind = 'interest')::bigint AS booked,
        array_agg(x.value_date ORDER BY x.id) FILTER (WHERE x.part = 'principal') AS days,
        array_agg(x.signed ORDER BY x.id) FILTER (WHERE x.part = 'principal') AS amounts,
        array_agg(x.kind = 'claim' OR (x.kind = 'correction' AND x.signed < 0) ORDER BY x.id)
            FILTER (WHERE x.part = 'principal') AS from_the_first
    FROM (
        SELECT t.id, t.kind, t.part, t.value_date,
            CASE WHEN t.debit = 'receivable' THEN t.amount ELSE -t.amount END AS signed
        FROM transfer t WHERE t.claim_id = c.id AND 'receivable' IN (t.debit, t.credit)
    ) x
) h
WHERE c.account_id = ANY (%(accounts)s::bigint[]) AND c.interest_until IS NOT NULL
ORDER BY c.id

-- days: by account the first day that one of these payments counts from, where the country pays interest first and
-- some claim's interest was named
SELECT p.account_id, min(p.value_date) FROM payment p JOIN partner r ON r.id = p.partner_id
WHERE p.id = ANY (%(payments)s::bigint[]) AND r.country = ANY (%(countries)s::text[]) AND EXISTS (
    SELECT FROM claim c WHERE c.account_id = p.account_id AND c.interest_until IS NOT NULL)
GROUP BY p.account_id

-- mark: until when these claims' interest is counted now
UPDATE claim c SET interest_until = x.until
FROM unnest(%(claims)s::bigint[], %(untils)s::date[]) AS x (claim_id, until)
WHERE c.id = x.claim_id AND c.interest_until IS DISTINCT FROM x.until

-- forget: nobody has named the interest of these claims, as it turns out: it is not counted; what is booked of it
UPDATE claim c SET interest_until = NULL WHERE c.id = ANY (%(claims)s::bigint[])
RETURNING c.id, coalesce((
    SELECT sum(CASE WHEN t.debit = 'receivable' THEN t.amount ELSE -t.amount END)
    FROM transfer t WHERE t.claim_id = c.id AND t.kind = 'interest'), 0)::bigint

-- unnamed: a claim that owes interest which no notice names any more
SELECT id FROM claim WHERE id = %(claim)s AND interest > 0 AND interest_until IS NULL

-- post: interest is owed on these claims, until these days
WITH wanted AS (
    SELECT * FROM unnest(%(claims)s::bigint[], %(amounts)s::bigint[], %(untils)s::date[]) AS w (claim_id, amount, until)
), moved AS (
    UPDATE claim c SET interest = c.interest + w.amount, state = 'open', settled_at = NULL
    FROM wanted w WHERE c.id = w.claim_id
    RETURNING c.partner_id, c.id, c.account_id, c.currency, w.amount, w.until
)
INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency, value_date,
    posted_at)
SELECT partner_id, account_id, id, 'interest', 'receivable', 'interest_income', 'interest', amount, currency, until,
    %(now)s
FROM moved ORDER BY id

-- take_back: interest that is no longer owed leaves its claims, the newest booking first. What was paid of it is released
-- before, newest payment first and under the payment's name, so that a payment that is returned later can be followed.
-- What somebody wrote off or forgave of it is not there to be taken back.
WITH wanted AS (
    SELECT * FROM unnest(%(claims)s::bigint[], %(amounts)s::bigint[], %(untils)s::date[]) AS w (claim_id, amount, until)
), paid AS (
    SELECT t.partner_id, t.account_id, t.claim_id, t.payment_id, t.currency, max(t.id) AS last_id,
        sum(CASE WHEN t.kind = 'allocation' THEN t.amount ELSE -t.amount END)::bigint AS amount
    FROM wanted w JOIN transfer t ON t.claim_id = w.claim_id
    WHERE t.part = 'interest' AND t.kind IN ('allocation', 'release')
    GROUP BY t.partner_id, t.account_id, t.claim_id, t.payment_id, t.currency
    HAVING sum(CASE WHEN t.kind = 'allocation' THEN t.amount ELSE -t.amount END) > 0
), sums AS (
    SELECT w.claim_id, w.until, least(w.amount, c.interest + p.amount) AS amount,
        greatest(least(w.amount, c.interest + p.amount) - c.interest, 0) AS over
    FROM wanted w JOIN claim c ON c.id = w.claim_id
    CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0)::bigint AS amount FROM paid k WHERE k.claim_id = w.claim_id) p
), stacked AS (
    SELECT *, sum(amount) OVER (PARTITION BY claim_id ORDER BY last_id DESC) - amount AS below FROM paid
), freed AS (
    SELECT k.*, least(k.amount, s.over - k.below)::bigint AS part_amount
    FROM stacked k JOIN sums s ON s.claim_id = k.claim_id WHERE k.below < s.over
), released AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, payment_id, kind, debit, credit, part, amount, currency,
        value_date, posted_at, reverses_id)
    SELECT partner_id, account_id, claim_id, payment_id, 'release', 'receivable', 'customer', 'interest', part_amount,
        currency, %(today)s, %(now)s, last_id
    FROM freed ORDER BY claim_id, last_id DESC
), booked AS (
    SELECT t.partner_id, t.account_id, t.claim_id, t.id, t.currency, s.amount AS wanted, s.until,
        t.amount - coalesce((SELECT sum(r.amount) FROM transfer r
            WHERE r.claim_id = t.claim_id AND r.reverses_id = t.id AND r.kind = 'interest'), 0)::bigint AS amount
    FROM sums s JOIN transfer t ON t.claim_id = s.claim_id
    WHERE t.kind = 'interest' AND t.debit = 'receivable'
), reach AS (
    SELECT *, sum(amount) OVER (PARTITION BY claim_id ORDER BY id DESC) - amount AS below FROM booked WHERE amount > 0
), reversed AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency, value_date,
        posted_at, reverses_id)
    SELECT partner_id, account_id, claim_id, 'interest', 'interest_income', 'receivable', 'interest',
        least(amount, wanted - below), currency, until, %(now)s, id
    FROM reach WHERE below < wanted ORDER BY claim_id, id DESC
), credited AS (
    UPDATE account a SET credit = a.credit + f.amount
    FROM (SELECT account_id, sum(part_amount) AS amount FROM freed GROUP BY account_id) f WHERE a.id = f.account_id
), lessened AS (
    UPDATE claim c SET interest = c.interest - (s.amount - s.over),
        state = CASE WHEN c.state = 'open' AND c.principal + c.costs + c.interest = s.amount - s.over
            THEN 'settled' ELSE c.state END,
        settled_at = CASE WHEN c.state = 'open' AND c.principal + c.costs + c.interest = s.amount - s.over
            THEN %(now)s ELSE c.settled_at END
    FROM sums s WHERE c.id = s.claim_id
)
SELECT DISTINCT account_id FROM freed

-- month_due: accounts with claims that still bear interest and were last counted before the month's last day
SELECT DISTINCT account_id FROM claim
WHERE interest_until < %(until)s AND state = 'open' AND principal > 0 AND account_id > %(after)s
ORDER BY account_id LIMIT %(limit)s

-- lock: every writer of an account's money takes it first, in id order
SELECT id FROM account WHERE id = ANY (%(accounts)s::bigint[]) ORDER BY id FOR NO KEY UPDATE
