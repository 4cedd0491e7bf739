-- providers: those of the partner, heard of or only set up; a bank may tell of a provider's payment before it does
SELECT name FROM source WHERE kind = 'provider'
UNION SELECT jsonb_object_keys(driver_settings -> 'payments') FROM partner
WHERE id = %(partner)s AND jsonb_typeof(driver_settings -> 'payments') = 'object'

-- provider_payments: payments and orders whose id at a provider is what a bank row refers to. Found first, by their
-- unique keys (the order's is partial, hence `<> ''`); only then are their accounts joined, which a plan for many rows
-- would read whole.
WITH told AS MATERIALIZED (
    SELECT m.ref, s.name AS provider, m.account_id, m.amount, m.currency, 1 AS turn
    FROM source s JOIN payment m ON m.source_id = s.id AND m.ref = ANY (%(texts)s::text[])
    WHERE s.kind = 'provider' AND s.name = ANY (%(providers)s::text[])
    UNION ALL
    SELECT k.provider_ref, k.provider, k.account_id, k.amount, k.currency, 2
    FROM checkout k
    WHERE k.provider = ANY (%(providers)s::text[]) AND k.provider_ref = ANY (%(texts)s::text[]) AND k.provider_ref <> ''
), one AS (
    SELECT ref, provider, min(account_id) AS account_id, (array_agg(amount ORDER BY turn))[1] AS amount,
        (array_agg(currency ORDER BY turn))[1] AS currency
    FROM told GROUP BY ref, provider
)
SELECT o.ref, o.provider, coalesce(a.ref, ''), o.amount, o.currency FROM one o
LEFT JOIN account a ON a.id = o.account_id

-- known: bookings that were taken in before, under whatever source, by the unique key of each; a ref holds the account
SELECT b.ref, b.source_id, b.payment_id, p.account_id
FROM source s JOIN bank_booking b ON b.source_id = s.id AND b.ref = ANY (%(refs)s::text[])
LEFT JOIN payment p ON p.id = b.payment_id

-- originals: the one payment of the same sum, on the same account, that a return names: by the payer's reference, else
-- the bank's, else by KID; each through its own index. Where two payments fit a name, that name says nothing.
WITH back AS (
    SELECT * FROM unnest(%(refs)s::text[], %(end_to_ends)s::text[], %(servicer_refs)s::text[], %(references)s::text[],
        %(bank_accounts)s::text[], %(amounts)s::bigint[], %(currencies)s::text[])
        AS x (ref, end_to_end, servicer_ref, reference, bank_account, amount, currency)
), named AS (
    SELECT x.ref, 1 AS turn, b.payment_id, x.amount, x.currency, b.amount AS paid, b.currency AS paid_in, b.is_return
    FROM back x JOIN bank_booking b ON b.end_to_end = x.end_to_end AND b.end_to_end <> ''
    WHERE b.bank_account = x.bank_account
    UNION ALL
    SELECT x.ref, 2, b.payment_id, x.amount, x.currency, b.amount, b.currency, b.is_return
    FROM back x JOIN bank_booking b ON b.servicer_ref = x.servicer_ref AND b.servicer_ref <> ''
    WHERE b.bank_account = x.bank_account
    UNION ALL
    SELECT x.ref, 3, b.payment_id, x.amount, x.currency, b.amount, b.currency, b.is_return
    FROM back x JOIN bank_booking b ON b.reference = x.reference AND b.reference <> ''
    WHERE b.bank_account = x.bank_account
), fitting AS (
    SELECT n.ref, n.turn, min(p.id) AS payment_id FROM named n JOIN payment p ON p.id = n.payment_id
    WHERE NOT n.is_return AND n.paid = n.amount AND n.paid_in = n.currency AND p.state IN ('confirmed', 'booked')
    GROUP BY n.ref, n.turn HAVING count(DISTINCT p.id) = 1
)
SELECT DISTINCT ON (f.ref) f.ref, p.id, p.ref, s.id FROM fitting f JOIN payment p ON p.id = f.payment_id
JOIN source s ON s.id = p.source_id
ORDER BY f.ref, f.turn

-- keep: the bookings with the names that a later file, or a return, may know them by
INSERT INTO bank_booking (partner_id, source_id, ref, is_return, payment_id, bank_account, servicer_ref, end_to_end,
    reference, payer_account, amount, currency, value_date, run_id)
SELECT %(partner)s, %(source)s, x.ref, x.is_return, x.payment_id, x.bank_account, x.servicer_ref, x.end_to_end,
    x.reference, x.payer_account, x.amount, x.currency, x.value_date, %(run)s
FROM unnest(%(refs)s::text[], %(are_returns)s::boolean[], %(payments)s::bigint[], %(bank_accounts)s::text[],
    %(servicer_refs)s::text[], %(end_to_ends)s::text[], %(references)s::text[], %(payer_accounts)s::text[],
    %(amounts)s::bigint[], %(currencies)s::text[], %(value_dates)s::date[])
    AS x (ref, is_return, payment_id, bank_account, servicer_ref, end_to_end, reference, payer_account, amount,
        currency, value_date)
ORDER BY x.ref
ON CONFLICT (partner_id, source_id, ref) DO NOTHING

-- source_name: what people call the source, for a task
SELECT name FROM source WHERE id = %(source)s
