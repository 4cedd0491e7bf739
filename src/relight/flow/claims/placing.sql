-- payment: what a person wants to place, locked; the accounts' locks come before it
SELECT id, account_id, state, amount, currency, value_date, by_hand, unmatched FROM payment WHERE id = %(payment)s
FOR NO KEY UPDATE

-- accounts: those on which something of these payments lies or lay: their own, and those that it was moved to
SELECT account_id FROM payment WHERE id = ANY (%(payments)s::bigint[]) AND account_id IS NOT NULL
UNION
SELECT account_id FROM transfer
WHERE kind = 'move' AND payment_id = ANY (%(payments)s::bigint[]) AND account_id IS NOT NULL
ORDER BY 1

-- lying: what of each payment lies where, used for claims and not
SELECT t.payment_id, t.account_id,
    sum(CASE t.kind WHEN 'allocation' THEN t.amount WHEN 'release' THEN -t.amount ELSE 0 END)::bigint AS used,
    sum(CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END)::bigint AS free
FROM transfer t
WHERE t.account_id = ANY (%(accounts)s::bigint[]) AND t.payment_id = ANY (%(payments)s::bigint[])
    AND 'customer' IN (t.debit, t.credit)
GROUP BY t.payment_id, t.account_id
HAVING sum(CASE t.kind WHEN 'allocation' THEN t.amount WHEN 'release' THEN -t.amount ELSE 0 END) > 0
    OR sum(CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END) > 0
ORDER BY t.payment_id, t.account_id

-- take_in_hand: from now on a person says where it belongs
UPDATE payment SET by_hand = true
WHERE id = ANY (%(payments)s::bigint[]) AND NOT by_hand AND state IN ('confirmed', 'booked')

-- place: onto accounts, as credit that allocation then spends; the old value date, whatever month is open. Each account
-- is told of its own part.
WITH part AS (
    SELECT * FROM unnest(%(accounts)s::bigint[], %(amounts)s::bigint[]) WITH ORDINALITY AS x (account_id, amount, turn)
), paid AS (
    SELECT * FROM payment WHERE id = %(payment)s
), moved AS (
    INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date,
        posted_at)
    SELECT p.partner_id, x.account_id, p.id, 'move', 'unmatched', 'customer', x.amount, p.currency, p.value_date, %(now)s
    FROM part x CROSS JOIN paid p ORDER BY x.turn
), shared AS (
    INSERT INTO payment_share (partner_id, payment_id, account_id, amount, placed_at)
    SELECT p.partner_id, p.id, x.account_id, x.amount, %(now)s FROM part x CROSS JOIN paid p ORDER BY x.turn
), credited AS (
    UPDATE account a SET credit = a.credit + x.amount FROM part x WHERE a.id = x.account_id
)
UPDATE payment p SET unmatched = p.unmatched - (SELECT sum(amount) FROM part), noted_at = %(now)s,
    account_id = coalesce(p.account_id, (SELECT account_id FROM part WHERE turn = 1))
WHERE p.id = %(payment)s

-- take_away: from these accounts, onto none: claims give back what it paid, and are open again
WITH paid AS (
    SELECT * FROM payment WHERE id = ANY (%(payments)s::bigint[])
), held AS (
    SELECT t.account_id, t.claim_id, t.payment_id, t.part, max(t.id) AS last_id,
        sum(CASE WHEN t.kind = 'allocation' THEN t.amount ELSE -t.amount END)::bigint AS amount
    FROM transfer t
    WHERE t.account_id = ANY (%(accounts)s::bigint[]) AND t.payment_id = ANY (%(payments)s::bigint[])
        AND t.kind IN ('allocation', 'release')
    GROUP BY t.account_id, t.claim_id, t.payment_id, t.part
    HAVING sum(CASE WHEN t.kind = 'allocation' THEN t.amount ELSE -t.amount END) > 0
), brought AS (
    SELECT l.account_id, l.payment_id, (l.free + coalesce(h.amount, 0))::bigint AS amount, l.free::bigint
    FROM (
        SELECT t.account_id, t.payment_id, sum(CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END) AS free
        FROM transfer t
        WHERE t.account_id = ANY (%(accounts)s::bigint[]) AND t.payment_id = ANY (%(payments)s::bigint[])
            AND 'customer' IN (t.debit, t.credit)
        GROUP BY t.account_id, t.payment_id
    ) l
    LEFT JOIN (SELECT account_id, payment_id, sum(amount) AS amount FROM held GROUP BY account_id, payment_id) h
        ON h.account_id = l.account_id AND h.payment_id = l.payment_id
    WHERE l.free + coalesce(h.amount, 0) > 0
), released AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, payment_id, kind, debit, credit, part, amount, currency,
        value_date, posted_at, reverses_id)
    SELECT p.partner_id, h.account_id, h.claim_id, p.id, 'release', 'receivable', 'customer', h.part, h.amount,
        p.currency, p.value_date, %(now)s, h.last_id
    FROM held h JOIN paid p ON p.id = h.payment_id ORDER BY h.last_id
), moved AS (
    INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date,
        posted_at)
    SELECT p.partner_id, b.account_id, p.id, 'move', 'customer', 'unmatched', b.amount, p.currency, p.value_date, %(now)s
    FROM brought b JOIN paid p ON p.id = b.payment_id ORDER BY b.payment_id, b.account_id
), reopened AS (
    UPDATE claim c SET principal = c.principal + h.principal, costs = c.costs + h.costs,
        interest = c.interest + h.interest, state = 'open', settled_at = NULL
    FROM (
        SELECT claim_id, coalesce(sum(amount) FILTER (WHERE part = 'principal'), 0) AS principal,
            coalesce(sum(amount) FILTER (WHERE part = 'costs'), 0) AS costs,
            coalesce(sum(amount) FILTER (WHERE part = 'interest'), 0) AS interest
        FROM held GROUP BY claim_id
    ) h WHERE c.id = h.claim_id
), untold AS (
    UPDATE payment_share s SET noted_at = %(now)s FROM brought b
    WHERE s.payment_id = b.payment_id AND s.account_id = b.account_id AND s.noted_at IS NULL
), credited AS (
    UPDATE account a SET credit = a.credit - b.free
    FROM (SELECT account_id, sum(free) AS free FROM brought GROUP BY account_id) b WHERE a.id = b.account_id
), gone AS (
    UPDATE payment p SET unmatched = p.unmatched + b.amount,
        account_id = CASE WHEN p.account_id = ANY (b.accounts) THEN NULL ELSE p.account_id END
    FROM (
        SELECT payment_id, sum(amount) AS amount, array_agg(account_id) AS accounts FROM brought GROUP BY payment_id
    ) b WHERE p.id = b.payment_id
)
SELECT payment_id, account_id, amount FROM brought ORDER BY payment_id, account_id

-- belongs: a payment whose account let it go belongs to the next one on which it lies
UPDATE payment p SET account_id = x.account_id
FROM unnest(%(payments)s::bigint[], %(accounts)s::bigint[]) AS x (payment_id, account_id)
WHERE p.id = x.payment_id AND p.account_id IS NULL

-- give_back: to whoever paid, as its source says; what had been refunded already is owed to us by whoever got it
WITH paid AS (
    SELECT * FROM payment WHERE id = ANY (%(payments)s::bigint[])
), returned AS (
    INSERT INTO transfer (partner_id, payment_id, kind, debit, credit, amount, currency, value_date, posted_at)
    SELECT p.partner_id, p.id, 'return', x.debit, 'settlement', x.amount, p.currency, %(today)s, %(now)s
    FROM paid p
    CROSS JOIN LATERAL (VALUES ('unmatched', p.unmatched), ('refund', p.amount - p.unmatched)) x (debit, amount)
    WHERE x.amount > 0 ORDER BY p.id, x.debit DESC
)
UPDATE payment p SET unmatched = 0 FROM paid t WHERE p.id = t.id

-- named_claims: what is owed on claims that a person named
SELECT id, account_id, number, (principal + costs + interest)::bigint FROM claim
WHERE id = ANY (%(claims)s::bigint[]) AND state = 'open'
