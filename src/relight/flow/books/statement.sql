-- head: whose account it is, and where the letter would go: the oldest running service's premises
SELECT a.id, a.ref, a.currency, r.name, b.name, b.colour, b.phone, b.site, b.return_address, p.country, p.time_zone,
    coalesce(d.name, a.ref), coalesce(d.language, p.language), coalesce(h.street, ''), coalesce(h.postcode, ''),
    coalesce(h.city, '')
FROM account a
JOIN partner p ON p.id = a.partner_id
JOIN creditor r ON r.id = a.creditor_id
JOIN brand b ON b.id = a.brand_id
LEFT JOIN LATERAL (
    SELECT y.name, y.language FROM account_role o JOIN party y ON y.partner_id = o.partner_id AND y.id = o.party_id
    WHERE o.account_id = a.id AND o.role = 'debtor' AND o.ends_at IS NULL ORDER BY o.id LIMIT 1
) d ON true
LEFT JOIN LATERAL (
    SELECT m.street, m.postcode, m.city FROM service s
    JOIN access_point x ON x.partner_id = s.partner_id AND x.id = s.access_point_id
    JOIN premises m ON m.partner_id = x.partner_id AND m.id = x.premises_id
    WHERE s.account_id = a.id ORDER BY s.ends_at IS NOT NULL, s.id LIMIT 1
) h ON true
WHERE a.id = %(account)s

-- account: by its reference
SELECT id FROM account WHERE ref = %(ref)s

-- opening: what was owed before a day, less what was in credit; by the account's index
SELECT coalesce(sum(CASE WHEN t.debit IN ('receivable', 'customer') THEN t.amount ELSE 0 END)
    - sum(CASE WHEN t.credit IN ('receivable', 'customer') THEN t.amount ELSE 0 END), 0)::bigint
FROM transfer t
WHERE t.account_id = %(account)s AND t.posted_at < %(first)s::timestamp AT TIME ZONE %(zone)s

-- lines: what touched the account in a span of booking days, in the order in which it was posted; `change` is what is
-- owed more (or below zero, less), and nothing where money was only shared out
SELECT (t.posted_at AT TIME ZONE %(zone)s)::date, t.value_date, t.kind, t.part, t.amount,
    (CASE WHEN t.debit IN ('receivable', 'customer') THEN t.amount ELSE 0 END
        - CASE WHEN t.credit IN ('receivable', 'customer') THEN t.amount ELSE 0 END)::bigint AS change,
    coalesce(c.number, ''), c.due_date, coalesce(p.payer_name, ''), t.credit = 'customer'
FROM transfer t
LEFT JOIN claim c ON c.id = t.claim_id
LEFT JOIN payment p ON p.id = t.payment_id
WHERE t.account_id = %(account)s AND t.posted_at >= %(first)s::timestamp AT TIME ZONE %(zone)s
    AND t.posted_at < (%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s
    AND (t.debit IN ('receivable', 'customer') OR t.credit IN ('receivable', 'customer'))
ORDER BY t.posted_at, t.id
