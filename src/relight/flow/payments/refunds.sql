-- payment: a provider's payment with what of it stands as credit, and what was given back before; the account is locked
SELECT p.id, p.account_id, p.ref, p.state, p.amount, p.currency, s.name, s.kind,
    coalesce((SELECT sum(CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END) FROM transfer t
        WHERE t.partner_id = p.partner_id AND t.payment_id = p.id AND t.account_id = p.account_id
            AND 'customer' IN (t.debit, t.credit)), 0)::bigint AS left_over,
    coalesce((SELECT sum(r.amount) FROM provider_refund r WHERE r.partner_id = p.partner_id AND r.payment_id = p.id
        AND r.state <> 'failed'), 0)::bigint AS refunded
FROM payment p JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id
WHERE s.name = %(provider)s AND p.ref = %(ref)s

-- account_of: whose payment it is, to be locked before it is read
SELECT p.account_id FROM payment p JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id
WHERE s.name = %(provider)s AND p.ref = %(ref)s

-- currency_of: the currency of a provider's payment
SELECT p.currency FROM payment p JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id
WHERE s.name = %(provider)s AND p.ref = %(ref)s

-- operation_of: the provider's own number of the money that came
SELECT n.operation FROM provider_notice n WHERE n.provider = %(provider)s AND n.provider_ref = %(ref)s
    AND n.state IN ('confirmed', 'booked') AND n.operation <> '' ORDER BY n.id LIMIT 1

-- order: the refund, and its first posting: out of the customer's credit
WITH ordered AS (
    INSERT INTO provider_refund (partner_id, account_id, payment_id, key, amount, currency, ordered_at, ordered_by)
    VALUES (%(partner)s, %(account)s, %(payment)s, %(key)s, %(amount)s, %(currency)s, %(now)s, %(by)s) RETURNING id
), posted AS (
    INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date, posted_at)
    VALUES (%(partner)s, %(account)s, %(payment)s, 'refund', 'customer', 'refund', %(amount)s, %(currency)s, %(today)s,
        %(now)s)
), lessened AS (
    UPDATE account SET credit = credit - %(amount)s WHERE id = %(account)s
)
SELECT id FROM ordered

-- waiting: refunds that nobody has taken yet, with the provider's number of the money that came
SELECT r.id, r.key, r.amount, r.currency, r.ordered_at, s.name, p.ref,
    coalesce((SELECT n.operation FROM provider_notice n WHERE n.partner_id = r.partner_id AND n.provider = s.name
        AND n.provider_ref = p.ref AND n.state IN ('confirmed', 'booked') AND n.operation <> '' ORDER BY n.id LIMIT 1), '')
FROM provider_refund r JOIN payment p ON p.partner_id = r.partner_id AND p.id = r.payment_id
JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id
WHERE r.state = 'ordered' ORDER BY r.id LIMIT %(limit)s

-- sent: the provider has taken it; one that it told of meanwhile stays done
UPDATE provider_refund SET refund_ref = %(refund_ref)s, state = CASE WHEN state = 'ordered' THEN 'sent' ELSE state END
WHERE id = %(refund)s

-- unsure: nobody answered for so long that a key may be forgotten: asking again might give the money back twice
UPDATE provider_refund SET state = 'unsure', finished_at = %(now)s WHERE id = %(refund)s AND state = 'ordered'
RETURNING account_id

-- done: the refund of that sum, oldest first, else all of the payment's that come to it; and the money leaves
WITH open AS (
    SELECT r.id, r.account_id, r.payment_id, r.amount, r.currency,
        row_number() OVER (PARTITION BY r.payment_id, r.amount ORDER BY r.id) AS turn,
        sum(r.amount) OVER (PARTITION BY r.payment_id ORDER BY r.id) + (SELECT coalesce(sum(d.amount), 0)
            FROM provider_refund d WHERE d.partner_id = r.partner_id AND d.payment_id = r.payment_id AND d.state = 'done')
            AS so_far
    FROM provider_refund r JOIN payment p ON p.partner_id = r.partner_id AND p.id = r.payment_id
    WHERE p.source_id = %(source)s AND p.ref = %(ref)s AND r.state IN ('ordered', 'sent', 'unsure')
), told AS (
    SELECT o.* FROM open o WHERE CASE WHEN EXISTS (SELECT FROM open x WHERE x.amount = %(amount)s)
        THEN o.amount = %(amount)s AND o.turn = 1 ELSE o.so_far <= %(amount)s END
), finished AS (
    UPDATE provider_refund r SET state = 'done', finished_at = %(now)s FROM told WHERE r.id = told.id
)
INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date, posted_at)
SELECT %(partner)s, account_id, payment_id, 'refund', 'refund', 'settlement', amount, currency, %(today)s, %(now)s
FROM told ORDER BY id

-- undo: the provider could not give it back after all: it is the customer's credit again
WITH told AS (
    SELECT r.id, r.account_id, r.payment_id, r.amount, r.currency, r.state FROM provider_refund r
    JOIN payment p ON p.partner_id = r.partner_id AND p.id = r.payment_id
    WHERE p.source_id = %(source)s AND p.ref = %(ref)s AND r.amount = %(amount)s AND r.state <> 'failed'
    ORDER BY r.state = 'done', r.id LIMIT 1
), undone AS (
    UPDATE provider_refund r SET state = 'failed', finished_at = %(now)s FROM told WHERE r.id = told.id
), posted AS (
    INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date, posted_at,
        reverses_id)
    SELECT %(partner)s, t.account_id, t.payment_id, 'refund',
        CASE WHEN t.state = 'done' THEN 'settlement' ELSE 'refund' END, 'customer', t.amount, t.currency, %(today)s, %(now)s,
        (SELECT max(x.id) FROM transfer x WHERE x.partner_id = %(partner)s AND x.account_id = t.account_id
            AND x.payment_id = t.payment_id AND x.kind = 'refund' AND x.debit = 'customer' AND x.amount = t.amount)
    FROM told t
)
UPDATE account a SET credit = a.credit + t.amount FROM told t WHERE a.id = t.account_id RETURNING a.id
