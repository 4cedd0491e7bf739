-- customers_table: what rows say of customers, within one transaction
CREATE TEMP TABLE IF NOT EXISTS staged_customer (
    seq integer, account_ref text, party_ref text, name text, kind text, org_number text, language text, debtor text,
    profile text, mobile text, email text, postal text, premises_ref text, premises_kind text, street text,
    postcode text, city text, municipality text, access_point_ref text, meter_serial text, device_address text,
    service_ref text, service_kind text, product text, driver text, driver_address text, full_profile text
) ON COMMIT DELETE ROWS

-- flags_table: one row a flag
CREATE TEMP TABLE IF NOT EXISTS staged_flag (
    seq integer, account_ref text, name text, value text
) ON COMMIT DELETE ROWS

-- clear: a second batch of the same transaction starts empty
TRUNCATE staged_customer, staged_flag

-- copy_customers: one row a customer as said
COPY staged_customer FROM STDIN

-- copy_flags: one row a flag
COPY staged_flag FROM STDIN

-- terms: which law applies and how hard to press
UPDATE account a SET debtor = coalesce(nullif(s.debtor, ''), a.debtor), profile = coalesce(nullif(s.profile, ''), a.profile)
FROM (
    SELECT DISTINCT ON (account_ref) account_ref, debtor, profile FROM staged_customer
    WHERE debtor <> '' OR profile <> '' ORDER BY account_ref, seq DESC
) s
WHERE a.ref = s.account_ref
    AND (a.debtor, a.profile) IS DISTINCT FROM
        (coalesce(nullif(s.debtor, ''), a.debtor), coalesce(nullif(s.profile, ''), a.profile))
RETURNING a.id

-- parties: by their own reference, else the account's
INSERT INTO party AS p (partner_id, ref, kind, name, org_number, language)
SELECT %(partner)s, s.ref, s.kind, s.name, s.org_number, s.language
FROM (
    SELECT DISTINCT ON (ref) ref, coalesce(nullif(kind, ''), 'person') AS kind, coalesce(nullif(name, ''), ref) AS name,
        org_number, coalesce(nullif(language, ''), (SELECT language FROM partner WHERE id = %(partner)s)) AS language
    FROM (SELECT *, coalesce(nullif(party_ref, ''), account_ref) AS ref FROM staged_customer) c
    WHERE name <> '' OR mobile <> '' OR email <> '' OR postal <> '' OR party_ref <> ''
    ORDER BY ref, name = '', seq DESC
) s
ORDER BY s.ref
ON CONFLICT (partner_id, ref) DO UPDATE SET
    name = CASE WHEN excluded.name <> excluded.ref THEN excluded.name ELSE p.name END,
    org_number = coalesce(nullif(excluded.org_number, ''), p.org_number)
WHERE (p.name, p.org_number) IS DISTINCT FROM (
    CASE WHEN excluded.name <> excluded.ref THEN excluded.name ELSE p.name END,
    coalesce(nullif(excluded.org_number, ''), p.org_number))

-- leave_role: a row that names another party as the account's debtor ends the role of the one before
UPDATE account_role r SET ends_at = %(now)s
FROM (
    SELECT DISTINCT ON (account_ref) account_ref, party_ref FROM staged_customer WHERE party_ref <> ''
    ORDER BY account_ref, seq DESC
) s
JOIN account a ON a.ref = s.account_ref
JOIN party p ON p.ref = s.party_ref
WHERE r.account_id = a.id AND r.role = 'debtor' AND r.ends_at IS NULL AND r.party_id <> p.id
RETURNING r.account_id

-- take_role: an account without a debtor gets the party that the row names, else the one of its own reference
INSERT INTO account_role (partner_id, account_id, party_id, role, starts_at, source)
SELECT %(partner)s, a.id, p.id, 'debtor', %(now)s, 'import'
FROM (
    SELECT DISTINCT ON (account_ref) account_ref, coalesce(nullif(party_ref, ''), account_ref) AS party_ref
    FROM staged_customer ORDER BY account_ref, party_ref = '', seq DESC
) s
JOIN account a ON a.ref = s.account_ref
JOIN party p ON p.ref = s.party_ref
WHERE NOT EXISTS (
    SELECT FROM account_role r WHERE r.account_id = a.id AND r.role = 'debtor' AND r.ends_at IS NULL)
ON CONFLICT DO NOTHING
RETURNING account_id

-- end_contact_points: another number, address or letter address replaces the one that an import gave before
WITH said AS (
    SELECT DISTINCT ON (p.id, v.channel) p.id AS party_id, v.channel, v.value, s.account_ref
    FROM staged_customer s
    JOIN party p ON p.ref = coalesce(nullif(s.party_ref, ''), s.account_ref)
    CROSS JOIN LATERAL (VALUES ('sms', s.mobile), ('email', s.email), ('letter', s.postal)) v (channel, value)
    WHERE v.value <> ''
    ORDER BY p.id, v.channel, s.seq DESC
), ended AS (
    UPDATE contact_point c SET ends_at = %(now)s, ended_because = 'replaced'
    FROM said s
    WHERE c.party_id = s.party_id AND c.channel = s.channel AND c.value <> s.value AND c.ends_at IS NULL
        AND c.source = 'import'
    RETURNING s.account_ref
)
SELECT a.id FROM account a WHERE a.ref IN (SELECT account_ref FROM ended)

-- add_contact_points: never one that the customer has opted out of, or that was found dead or somebody else's
WITH said AS (
    SELECT DISTINCT ON (p.id, v.channel) p.id AS party_id, v.channel, v.value, s.account_ref
    FROM staged_customer s
    JOIN party p ON p.ref = coalesce(nullif(s.party_ref, ''), s.account_ref)
    CROSS JOIN LATERAL (VALUES ('sms', s.mobile), ('email', s.email), ('letter', s.postal)) v (channel, value)
    WHERE v.value <> ''
    ORDER BY p.id, v.channel, s.seq DESC
), added AS (
    INSERT INTO contact_point (partner_id, party_id, channel, value, starts_at, source)
    SELECT %(partner)s, s.party_id, s.channel, s.value, %(now)s, 'import'
    FROM said s
    WHERE NOT EXISTS (
        SELECT FROM contact_point c
        WHERE c.party_id = s.party_id AND c.channel = s.channel AND c.value = s.value
            AND (c.ends_at IS NULL OR c.ended_because <> 'replaced'))
    ON CONFLICT DO NOTHING
    RETURNING party_id
)
SELECT a.id FROM said s JOIN account a ON a.ref = s.account_ref WHERE s.party_id IN (SELECT party_id FROM added)

-- premises: by their own reference, else the access point's, else the account's
INSERT INTO premises AS p (partner_id, ref, kind, street, postcode, city, municipality)
SELECT %(partner)s, s.ref, s.kind, s.street, s.postcode, s.city, s.municipality
FROM (
    SELECT DISTINCT ON (ref) ref, coalesce(nullif(premises_kind, ''), 'home') AS kind, street, postcode, city,
        municipality
    FROM (
        SELECT *, coalesce(nullif(premises_ref, ''), nullif(access_point_ref, ''), account_ref) AS ref
        FROM staged_customer
    ) c
    WHERE premises_ref <> '' OR access_point_ref <> '' OR street <> ''
    ORDER BY ref, street = '', seq DESC
) s
ORDER BY s.ref
ON CONFLICT (partner_id, ref) DO UPDATE SET
    street = excluded.street, postcode = excluded.postcode, city = excluded.city, municipality = excluded.municipality
WHERE excluded.street <> '' AND (p.street, p.postcode, p.city, p.municipality) IS DISTINCT FROM
    (excluded.street, excluded.postcode, excluded.city, excluded.municipality)

-- access_points: metering points and lines, where their premises are
INSERT INTO access_point AS k (partner_id, ref, premises_id)
SELECT %(partner)s, s.access_point_ref, p.id
FROM (
    SELECT DISTINCT ON (access_point_ref) access_point_ref, coalesce(nullif(premises_ref, ''), access_point_ref) AS ref
    FROM staged_customer WHERE access_point_ref <> '' ORDER BY access_point_ref, seq DESC
) s
JOIN premises p ON p.ref = s.ref
ORDER BY s.access_point_ref
ON CONFLICT (partner_id, ref) DO NOTHING

-- end_devices: another serial at the access point means that the meter was changed
UPDATE device d SET ends_at = %(now)s
FROM (
    SELECT DISTINCT ON (access_point_ref) access_point_ref, meter_serial FROM staged_customer
    WHERE access_point_ref <> '' AND meter_serial <> '' ORDER BY access_point_ref, seq DESC
) s
JOIN access_point k ON k.ref = s.access_point_ref
WHERE d.access_point_id = k.id AND d.ends_at IS NULL AND d.serial <> s.meter_serial

-- add_devices: the meter that is there now
INSERT INTO device AS d (partner_id, access_point_id, serial, address, starts_at)
SELECT %(partner)s, k.id, s.meter_serial, coalesce(nullif(s.device_address, ''), '{}')::jsonb, %(now)s
FROM (
    SELECT DISTINCT ON (access_point_ref) access_point_ref, meter_serial, device_address FROM staged_customer
    WHERE access_point_ref <> '' AND meter_serial <> '' ORDER BY access_point_ref, seq DESC
) s
JOIN access_point k ON k.ref = s.access_point_ref
ON CONFLICT (partner_id, access_point_id) WHERE ends_at IS NULL DO UPDATE SET address = excluded.address
WHERE excluded.address <> '{}' AND d.address <> excluded.address

-- services: a reference with a kind makes one; later rows may say more of it, and never move it to another account
INSERT INTO service AS v (partner_id, ref, account_id, access_point_id, kind, product, driver, address, full_profile,
    starts_at)
SELECT %(partner)s, s.service_ref, a.id, k.id, s.service_kind, s.product, s.driver,
    coalesce(nullif(s.driver_address, ''), '{}')::jsonb, s.full_profile, %(now)s
FROM (
    SELECT DISTINCT ON (service_ref) * FROM staged_customer WHERE service_ref <> '' AND service_kind <> ''
    ORDER BY service_ref, seq DESC
) s
JOIN account a ON a.ref = s.account_ref
LEFT JOIN access_point k ON k.ref = s.access_point_ref AND s.access_point_ref <> ''
ORDER BY s.service_ref
ON CONFLICT (partner_id, ref) DO UPDATE SET
    access_point_id = coalesce(excluded.access_point_id, v.access_point_id),
    product = coalesce(nullif(excluded.product, ''), v.product),
    driver = coalesce(nullif(excluded.driver, ''), v.driver),
    address = CASE WHEN excluded.address <> '{}' THEN excluded.address ELSE v.address END,
    full_profile = coalesce(nullif(excluded.full_profile, ''), v.full_profile)
WHERE v.account_id = excluded.account_id AND (v.access_point_id, v.product, v.driver, v.address, v.full_profile)
    IS DISTINCT FROM (coalesce(excluded.access_point_id, v.access_point_id),
        coalesce(nullif(excluded.product, ''), v.product), coalesce(nullif(excluded.driver, ''), v.driver),
        CASE WHEN excluded.address <> '{}' THEN excluded.address ELSE v.address END,
        coalesce(nullif(excluded.full_profile, ''), v.full_profile))
RETURNING v.account_id

-- end_flags: an import that says otherwise ends what an import said; what a person saw stays until a person ends it
WITH said AS (
    SELECT DISTINCT ON (account_ref, name) account_ref, name, value FROM staged_flag ORDER BY account_ref, name, seq DESC
)
UPDATE flag f SET ends_at = %(now)s
FROM said s JOIN account a ON a.ref = s.account_ref
WHERE f.account_id = a.id AND f.name = s.name AND f.value <> s.value AND f.source = 'import'
    AND f.starts_at <= %(now)s AND (f.ends_at IS NULL OR f.ends_at > %(now)s)
RETURNING f.account_id

-- add_flags: what is said now
WITH said AS (
    SELECT DISTINCT ON (account_ref, name) account_ref, name, value FROM staged_flag ORDER BY account_ref, name, seq DESC
)
INSERT INTO flag (partner_id, name, value, account_id, starts_at, source)
SELECT %(partner)s, s.name, s.value, a.id, %(now)s, 'import'
FROM said s JOIN account a ON a.ref = s.account_ref
WHERE NOT EXISTS (
    SELECT FROM flag f WHERE f.account_id = a.id AND f.name = s.name
        AND f.starts_at <= %(now)s AND (f.ends_at IS NULL OR f.ends_at > %(now)s)
        AND (f.value = s.value OR f.source <> 'import'))
RETURNING account_id
