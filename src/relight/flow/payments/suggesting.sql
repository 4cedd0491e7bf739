-- by_text: bills and customers whose number stands in what the payer wrote; with `open` only bills that are owed
SELECT x.payment_id, c.account_id, x.text, c.id FROM unnest(%(payments)s::bigint[], %(texts)s::text[]) AS x (payment_id, text)
JOIN claim c ON c.reference = x.text AND (c.state = 'open' OR NOT %(open)s)
UNION
SELECT x.payment_id, c.account_id, x.text, c.id FROM unnest(%(payments)s::bigint[], %(texts)s::text[]) AS x (payment_id, text)
JOIN claim c ON c.creditor_id = ANY (ARRAY(SELECT id FROM creditor)) AND c.number = x.text
    AND (c.state = 'open' OR NOT %(open)s)
ORDER BY 1, 2, 4

-- by_customer: accounts whose number stands in what the payer wrote
SELECT x.payment_id, a.id, x.text FROM unnest(%(payments)s::bigint[], %(texts)s::text[]) AS x (payment_id, text)
JOIN account a ON a.ref = x.text ORDER BY 1, 2

-- by_payer: where a person put the same payer's money before and left it; else where it went by itself
SELECT x.payment_id, o.account_id, 'assigned_before' FROM unnest(%(payments)s::bigint[], %(keys)s::text[]) AS x (payment_id, key)
JOIN payment_act o ON o.code = 'assigned' AND o.payer_key = x.key AND x.key <> '' AND o.payment_id <> x.payment_id
WHERE NOT EXISTS (SELECT FROM payment_act u WHERE u.payment_id = o.payment_id AND u.code = 'taken_away'
    AND u.account_id = o.account_id AND u.id > o.id)
UNION
SELECT x.payment_id, o.account_id, 'assigned_before' FROM unnest(%(payments)s::bigint[], %(banks)s::text[]) AS x (payment_id, bank)
JOIN payment_act o ON o.code = 'assigned' AND o.payer_account = x.bank AND x.bank <> '' AND o.payment_id <> x.payment_id
WHERE NOT EXISTS (SELECT FROM payment_act u WHERE u.payment_id = o.payment_id AND u.code = 'taken_away'
    AND u.account_id = o.account_id AND u.id > o.id)
UNION
SELECT x.payment_id, p.account_id, 'paid_before' FROM unnest(%(payments)s::bigint[], %(banks)s::text[]) AS x (payment_id, bank)
JOIN bank_booking b ON b.payer_account = x.bank AND x.bank <> '' AND NOT b.is_return AND b.payment_id <> x.payment_id
JOIN payment p ON p.id = b.payment_id AND p.account_id IS NOT NULL AND p.state IN ('confirmed', 'booked')
UNION
SELECT x.payment_id, p.account_id, 'paid_before' FROM unnest(%(payments)s::bigint[], %(names)s::text[]) AS x (payment_id, name)
JOIN payment p ON p.payer_name = x.name AND x.name <> '' AND p.id <> x.payment_id AND p.account_id IS NOT NULL
    AND p.state IN ('confirmed', 'booked')
ORDER BY 1, 2, 3

-- by_name: customers of whom at least two words of the payer's name stand in their name; compared word by word afterwards
SELECT x.payment_id, r.account_id, y.name
FROM unnest(%(payments)s::bigint[], %(likes)s::text[]) AS x (payment_id, likes)
JOIN party y ON (
    SELECT count(*) FROM unnest(string_to_array(x.likes, ' ')) w (word)
    WHERE position(w.word IN translate(replace(lower(y.name), 'æ', 'ae'), 'åäáàâãøöóòôõéèêëíìîïúùûüñçý', 'aaaaaaooooooeeeeiiiiuuuuncy')) > 0
) >= 2
JOIN account_role r ON r.party_id = y.id AND r.role IN ('debtor', 'payer', 'co-debtor') AND r.ends_at IS NULL
ORDER BY 1, 2 LIMIT %(most)s

-- by_amount: bills that are owed with just this sum, up to one more than is worth showing
SELECT x.payment_id, c.account_id, c.id
FROM unnest(%(payments)s::bigint[], %(rests)s::bigint[], %(currencies)s::text[]) AS x (payment_id, rest, currency)
CROSS JOIN LATERAL (
    SELECT c.id, c.account_id FROM claim c
    WHERE c.state = 'open' AND c.currency = x.currency AND c.principal + c.costs + c.interest = x.rest LIMIT %(most)s
) c
ORDER BY 1, 2, 3

-- candidates: what is known of accounts that may be meant: who they are, and what they owe
SELECT a.id, a.ref, coalesce(d.name, ''), a.currency, coalesce(o.owed, 0)::bigint, coalesce(o.claims, '{}'),
    coalesce(o.sums, '{}')
FROM account a
LEFT JOIN LATERAL (
    SELECT y.name FROM account_role r JOIN party y ON y.partner_id = r.partner_id AND y.id = r.party_id
    WHERE r.account_id = a.id AND r.role = 'debtor' AND r.ends_at IS NULL ORDER BY r.id LIMIT 1
) d ON true
LEFT JOIN LATERAL (
    SELECT sum(c.principal + c.costs + c.interest) AS owed, array_agg(c.id ORDER BY c.due_date, c.id) AS claims,
        array_agg(c.principal + c.costs + c.interest ORDER BY c.due_date, c.id) AS sums
    FROM claim c WHERE c.account_id = a.id AND c.state = 'open'
) o ON true
WHERE a.id = ANY (%(accounts)s::bigint[])
