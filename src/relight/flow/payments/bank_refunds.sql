-- ask: one person wants money to go back
INSERT INTO bank_refund (partner_id, payment_id, account_id, amount, currency, to_name, to_account, reason, asked_at,
    asked_by, way)
SELECT partner_id, id, %(account)s, %(amount)s, currency, %(to_name)s, %(to_account)s, %(reason)s, %(now)s, %(actor)s,
    %(way)s
FROM payment WHERE id = %(payment)s RETURNING id

-- payer_account: the account that the bank says it was paid from
SELECT b.payer_account FROM bank_booking b
WHERE b.payment_id = %(payment)s AND NOT b.is_return AND b.payer_account <> '' ORDER BY b.id LIMIT 1

-- about: what a refund is of; nothing of it ever changes
SELECT r.payment_id, r.account_id, r.amount, r.asked_by, r.way, s.name, p.ref FROM bank_refund r
JOIN payment p ON p.partner_id = r.partner_id AND p.id = r.payment_id
JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id
WHERE r.id = %(refund)s

-- provider: whoever the payment came by, where that is a provider
SELECT s.name FROM payment p JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id
WHERE p.id = %(payment)s AND s.kind = 'provider'

-- lock: where it stands; its accounts and its payment are locked before
SELECT state FROM bank_refund WHERE id = %(refund)s FOR NO KEY UPDATE

-- pledged: what is asked for or granted of a payment and has not left the ledgers yet
SELECT coalesce(sum(amount), 0)::bigint FROM bank_refund
WHERE payment_id = %(payment)s AND account_id IS NOT DISTINCT FROM %(account)s AND state = 'asked'

-- decide: by another person
UPDATE bank_refund SET state = %(state)s, decided_at = %(now)s, decided_by = %(actor)s, note = %(note)s
WHERE id = %(refund)s

-- post: off the account (or off what lies on none), and on its way back
WITH wanted AS (
    SELECT r.*, p.value_date FROM bank_refund r JOIN payment p ON p.partner_id = r.partner_id AND p.id = r.payment_id
    WHERE r.id = %(refund)s
), posted AS (
    INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date,
        posted_at)
    SELECT partner_id, account_id, payment_id, 'refund',
        CASE WHEN account_id IS NULL THEN 'unmatched' ELSE 'customer' END, 'refund', amount, currency, %(today)s, %(now)s
    FROM wanted
), spent AS (
    UPDATE account a SET credit = a.credit - w.amount FROM wanted w WHERE a.id = w.account_id
)
UPDATE payment p SET unmatched = p.unmatched - w.amount FROM wanted w WHERE p.id = w.payment_id AND w.account_id IS NULL

-- lock_granted: those that a file may be written of; two who write at once do not order twice
SELECT id FROM bank_refund WHERE state = 'granted' ORDER BY id FOR NO KEY UPDATE

-- order: granted ones are ordered under this message, and the money leaves the bank's ledger
WITH ordered AS (
    UPDATE bank_refund SET state = 'ordered', ordered_at = %(now)s, order_ref = %(message)s || '/' || id
    WHERE id = ANY (%(refunds)s::bigint[]) AND state = 'granted'
    RETURNING partner_id, id, account_id, payment_id, amount, currency
)
INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date, posted_at)
SELECT partner_id, account_id, payment_id, 'refund', 'refund', 'settlement', amount, currency, %(today)s, %(now)s
FROM ordered ORDER BY id

-- orders: of a message, with whose account pays: the creditor's that is owed, else the one that the money came to
SELECT r.order_ref, r.amount, r.currency, c.name, c.bank_account, r.to_name, r.to_account, r.reason, r.ordered_at
FROM bank_refund r
LEFT JOIN account a ON a.partner_id = r.partner_id AND a.id = r.account_id
LEFT JOIN LATERAL (
    SELECT b.bank_account FROM bank_booking b WHERE b.payment_id = r.payment_id AND NOT b.is_return ORDER BY b.id LIMIT 1
) b ON true
JOIN creditor c ON c.partner_id = r.partner_id AND c.id = coalesce(a.creditor_id,
    (SELECT min(o.id) FROM creditor o WHERE o.bank_account <> '' AND position(o.bank_account IN b.bank_account) > 0),
    (SELECT min(o.id) FROM creditor o))
WHERE CASE WHEN %(message)s = '' THEN r.state = 'granted' ELSE r.order_ref LIKE %(message)s || '/%%' END
ORDER BY r.id

-- open: those that wait for a colleague's yes, or for the bank's file
SELECT r.id, r.payment_id, r.amount, r.currency, r.to_name, r.to_account, r.reason, r.state, r.asked_at, r.asked_by,
    r.decided_by, coalesce(a.ref, ''), p.ref, r.way
FROM bank_refund r
JOIN payment p ON p.partner_id = r.partner_id AND p.id = r.payment_id
LEFT JOIN account a ON a.partner_id = r.partner_id AND a.id = r.account_id
WHERE r.state IN ('asked', 'granted') ORDER BY r.id

-- sender: who orders
SELECT name FROM partner WHERE id = %(partner)s
