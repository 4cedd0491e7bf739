-- accounts: those of these numbers, with who is owed and in which currency
SELECT ref, id, creditor_id, currency FROM account WHERE ref = ANY (%(refs)s::text[])

-- creditors: by name
SELECT name, id FROM creditor

-- creditor_by_bank: whose account at the bank it is; a Norwegian IBAN ends in the account's own number
SELECT id FROM creditor
WHERE bank_account <> '' AND right(regexp_replace(bank_account, '\D', '', 'g'), 11) = right(%(account)s, 11) ORDER BY id

-- creditor_by_number: whom a scheme calls so, and its debtor group
SELECT creditor_id, group_number FROM collecting_creditor
WHERE scheme = %(scheme)s AND ltrim(number, '0') = ltrim(%(number)s, '0') ORDER BY id

-- by_reference: the one account that a reference's bills, or an earlier mandate, are of
SELECT x.reference, min(x.account_id), min(a.ref), count(DISTINCT x.account_id)
FROM (
    SELECT c.reference, c.account_id FROM claim c WHERE c.reference = ANY (%(references)s::text[])
    UNION
    SELECT m.reference, m.account_id FROM mandate m
    WHERE m.scheme = %(scheme)s AND m.reference = ANY (%(references)s::text[])
) x
JOIN account a ON a.id = x.account_id
GROUP BY x.reference

-- by_customer: the one account whose number has these digits, zeros in front aside
SELECT x.customer, min(a.ref), count(*)
FROM unnest(%(customers)s::text[]) AS x (customer)
JOIN account a ON ltrim(regexp_replace(a.ref, '\D', '', 'g'), '0') = x.customer
GROUP BY x.customer

-- end_changed: what is told otherwise than it was ends from the day on which the new one holds; so does what is told to
-- have ended. By the turn of the one that was told.
WITH told AS (
    SELECT * FROM unnest(%(accounts)s::bigint[], %(creditors)s::bigint[], %(schemes)s::text[], %(references)s::text[],
        %(names)s::text[], %(payer_accounts)s::text[], %(instruments)s::text[], %(once)s::boolean[],
        %(notifies)s::boolean[], %(signed)s::date[], %(starts)s::date[], %(ends)s::date[])
        WITH ORDINALITY AS x (account_id, creditor_id, scheme, reference, payer_name, payer_account, instrument, is_once,
            bank_notifies, signed_date, starts_on, ends_on, turn)
)
UPDATE mandate m SET ends_on = greatest(m.starts_on, coalesce(t.ends_on, t.starts_on)),
    ended_because = CASE WHEN t.ends_on IS NULL THEN 'replaced' ELSE 'ended' END
FROM told t
WHERE m.creditor_id = t.creditor_id AND m.scheme = t.scheme AND m.reference = t.reference AND m.ends_on IS NULL
    AND (t.ends_on IS NOT NULL OR (m.account_id, m.payer_name, m.payer_account, m.instrument, m.is_once, m.bank_notifies,
        m.signed_date) IS DISTINCT FROM (t.account_id, t.payer_name, t.payer_account, t.instrument, t.is_once,
        t.bank_notifies, t.signed_date))
RETURNING t.turn

-- make: those that are not there yet, from their day on, and not before an earlier one ended. A statement of its own:
-- the ended ones must be out of the unique index before.
WITH told AS (
    SELECT * FROM unnest(%(accounts)s::bigint[], %(creditors)s::bigint[], %(schemes)s::text[], %(references)s::text[],
        %(names)s::text[], %(payer_accounts)s::text[], %(instruments)s::text[], %(once)s::boolean[],
        %(notifies)s::boolean[], %(signed)s::date[], %(starts)s::date[], %(ends)s::date[])
        WITH ORDINALITY AS x (account_id, creditor_id, scheme, reference, payer_name, payer_account, instrument, is_once,
            bank_notifies, signed_date, starts_on, ends_on, turn)
), made AS (
    INSERT INTO mandate (partner_id, account_id, creditor_id, scheme, reference, payer_name, payer_account, instrument,
        is_once, bank_notifies, signed_date, starts_on, ends_on, ended_because, source, noted_at, noted_by)
    SELECT %(partner)s, t.account_id, t.creditor_id, t.scheme, t.reference, t.payer_name, t.payer_account, t.instrument,
        t.is_once, t.bank_notifies, t.signed_date, greatest(t.starts_on, b.ended), t.ends_on,
        CASE WHEN t.ends_on IS NULL THEN '' ELSE 'as agreed' END, %(source)s, %(now)s, %(actor)s
    FROM told t
    CROSS JOIN LATERAL (
        SELECT max(m.ends_on) AS ended, coalesce(bool_or(m.ends_on IS NULL), false) AS is_there FROM mandate m
        WHERE m.creditor_id = t.creditor_id AND m.scheme = t.scheme AND m.reference = t.reference
    ) b
    WHERE NOT b.is_there AND (t.ends_on IS NULL OR greatest(t.starts_on, b.ended) < t.ends_on) ORDER BY t.turn
    RETURNING creditor_id, scheme, reference
)
SELECT t.turn FROM told t
JOIN made d ON d.creditor_id = t.creditor_id AND d.scheme = t.scheme AND d.reference = t.reference

-- accounts_of: whose mandates these are, to be locked
SELECT DISTINCT account_id FROM mandate
WHERE scheme = %(scheme)s AND ends_on IS NULL AND (%(creditor)s::bigint IS NULL OR creditor_id = %(creditor)s)
    AND (reference = ANY (%(references)s::text[])) <> %(others)s ORDER BY 1

-- finish: mandates of these references end (with `others`, all those of the creditor that are not among them)
UPDATE mandate SET ends_on = greatest(starts_on, %(today)s), ended_because = %(because)s
WHERE scheme = %(scheme)s AND ends_on IS NULL AND (%(creditor)s::bigint IS NULL OR creditor_id = %(creditor)s)
    AND (reference = ANY (%(references)s::text[])) <> %(others)s

-- finish_these: mandates that a bank's word ended
UPDATE mandate m SET ends_on = greatest(m.starts_on, %(today)s), ended_because = x.reason
FROM unnest(%(mandates)s::bigint[], %(reasons)s::text[]) AS x (id, reason) WHERE m.id = x.id AND m.ends_on IS NULL

-- list: mandates, the newest first, of one account or of all
SELECT m.id, a.ref, m.scheme, m.reference, m.payer_name, m.payer_account, m.instrument, m.is_once, m.bank_notifies,
    m.signed_date, m.starts_on, m.ends_on, m.ended_because, m.source, m.noted_by
FROM mandate m JOIN account a ON a.id = m.account_id
WHERE (%(account)s::text = '' OR a.ref = %(account)s)
ORDER BY m.ends_on IS NOT NULL, m.id DESC LIMIT %(limit)s

-- keep_creditor: what a scheme calls a creditor
INSERT INTO collecting_creditor (partner_id, creditor_id, scheme, number, group_number, announced_by, noted_at, noted_by)
VALUES (%(partner)s, %(creditor)s, %(scheme)s, %(number)s, %(group)s, %(announced_by)s, %(now)s, %(actor)s)
ON CONFLICT (partner_id, creditor_id, scheme) DO UPDATE SET number = excluded.number,
    group_number = excluded.group_number, announced_by = excluded.announced_by, noted_at = excluded.noted_at, noted_by = excluded.noted_by

-- complete_creditor: what is not noted yet; the same again changes nothing
UPDATE creditor SET bank_account = coalesce(nullif(%(account)s, ''), bank_account),
    org_number = coalesce(nullif(%(number)s, ''), org_number)
WHERE name = %(name)s AND (%(account)s = '' OR bank_account IN ('', %(account)s))
    AND (%(number)s = '' OR org_number IN ('', %(number)s))
