-- partner: one that is live, whose money data is fresh, with a creditor and a brand; its id
WITH made AS (
    INSERT INTO partner (slug, name, country, currency, language, time_zone, mode, site, driver_settings, cuts_per_hour,
        cuts_per_day, created_at)
    VALUES (%(slug)s, 'Nordlys Kraft', 'NO', 'NOK', 'nb', 'Europe/Oslo', 'live', 'nordlys.example', %(drivers)s, 1000,
        10000, %(now)s)
    RETURNING id
), creditors AS (
    INSERT INTO creditor (partner_id, name, bank_account) SELECT id, 'Nordlys Kraft AS', '15032080119' FROM made
), brands AS (
    INSERT INTO brand (partner_id, name, sms_sender, email_sender, phone, site, return_address)
    SELECT id, 'Nordlys', 'Nordlys', 'hei@nordlys.example', '77 00 00 00', 'nordlys.example',
        E'Nordlys Kraft AS\nPostboks 1\n9008 Tromsø' FROM made
), sources AS (
    INSERT INTO source (partner_id, name, kind, complete_until) SELECT id, 'bank', 'bank', %(now)s FROM made
)
SELECT id FROM made

-- accounts: one a number, with a debtor who can be reached by SMS and e-mail
WITH p AS (SELECT min(c.id) AS creditor, (SELECT min(id) FROM brand WHERE partner_id = %(partner)s) AS brand
    FROM creditor c WHERE c.partner_id = %(partner)s),
n AS (SELECT generate_series(%(first)s::bigint, %(last)s) AS id),
parties AS (
    INSERT INTO party (partner_id, id, ref, name) SELECT %(partner)s, id, 'K' || id, 'Kari Nordmann ' || id FROM n)
INSERT INTO account (partner_id, id, ref, creditor_id, brand_id, currency, created_at)
SELECT %(partner)s, n.id, 'A' || n.id, p.creditor, p.brand, 'NOK', %(now)s::timestamptz - interval '400 days' FROM n, p

-- roles: who owes
INSERT INTO account_role (partner_id, id, account_id, party_id, role, starts_at, source)
SELECT %(partner)s, n, n, n, 'debtor', %(now)s::timestamptz - interval '400 days', 'bench'
FROM generate_series(%(first)s::bigint, %(last)s) AS n

-- contacts: how to reach them
INSERT INTO contact_point (partner_id, id, party_id, channel, value, starts_at, source)
SELECT %(partner)s, 2 * n + c.at, n, c.channel, format(c.value, lpad((n %% 10000000)::text, 7, '0')),
    %(now)s::timestamptz - interval '400 days', 'bench'
FROM generate_series(%(first)s::bigint, %(last)s) AS n,
    (VALUES (0, 'sms', '+479%%s'), (1, 'email', 'kari.%%s@kunde.example')) AS c (at, channel, value)

-- homes: where they live
INSERT INTO premises (partner_id, id, ref, street, postcode, city)
SELECT %(partner)s, n, 'H' || n, 'Storgata ' || n %% 200, '9008', 'Tromsø'
FROM generate_series(%(first)s::bigint, %(last)s) AS n

-- points: where the service comes in
INSERT INTO access_point (partner_id, id, ref, premises_id)
SELECT %(partner)s, n, 'M' || n, n FROM generate_series(%(first)s::bigint, %(last)s) AS n

-- devices: what hangs there; `serials` and `addresses` by turn, or made up
INSERT INTO device (partner_id, id, access_point_id, serial, address, starts_at)
SELECT %(partner)s, n, n, coalesce((%(serials)s::text[])[n - %(first)s + 1], 'SN' || n),
    coalesce((%(addresses)s::jsonb[])[n - %(first)s + 1], '{}'), %(now)s::timestamptz - interval '400 days'
FROM generate_series(%(first)s::bigint, %(last)s) AS n

-- services: one an account
INSERT INTO service (partner_id, id, ref, account_id, access_point_id, kind, driver, address, full_profile, starts_at)
SELECT %(partner)s, n, 'S' || n, n, n, %(kind)s, %(driver)s,
    CASE WHEN %(kind)s = 'broadband' THEN jsonb_build_object('username', 'user-' || n, 'password', 'pass-word')
        ELSE '{}' END,
    'fiber-100', %(now)s::timestamptz - interval '400 days'
FROM generate_series(%(first)s::bigint, %(last)s) AS n

-- supplies: as they stand
INSERT INTO supply (partner_id, service_id, desired, generation, desired_at, observed, observed_at)
SELECT %(partner)s, n, %(level)s, CASE WHEN %(level)s = 'full' THEN 0 ELSE 1 END, %(now)s::timestamptz - interval '1 day',
    %(level)s, %(now)s::timestamptz - interval '1 day'
FROM generate_series(%(first)s::bigint, %(last)s) AS n

-- flags: what a tenth of them has told us
INSERT INTO flag (partner_id, id, name, value, account_id, starts_at, source)
SELECT %(partner)s, n, 'vulnerable', 'no', n, %(now)s::timestamptz - interval '90 days', 'bench'
FROM generate_series(%(first)s::bigint, %(last)s) AS n WHERE n %% 10 = 0

-- claims: unpaid since so many days; `days` says by the account's turn when each was due
INSERT INTO claim (partner_id, id, account_id, creditor_id, number, reference, service_kind, currency, amount, principal,
    issued_date, due_date, fingerprint, created_at)
SELECT %(partner)s, n, n, (SELECT min(id) FROM creditor WHERE partner_id = %(partner)s), 'F' || n, lpad(n::text, 12, '0'),
    %(kind)s, 'NOK', %(amount)s, %(amount)s,
    %(today)s::date - d.days - 14, %(today)s::date - d.days, decode(md5(n::text), 'hex'),
    %(now)s::timestamptz - make_interval(days => d.days + 14)
FROM generate_series(%(first)s::bigint, %(last)s) AS n
CROSS JOIN LATERAL (SELECT (%(days)s::int[])[1 + n %% cardinality(%(days)s::int[])] AS days) d

-- lines: one for the service
INSERT INTO claim_line (partner_id, id, claim_id, number, service_id, text, amount, vat)
SELECT partner_id, id, id, 1, account_id, 'Bredbånd 100/100', amount, amount / 5 FROM claim
WHERE partner_id = %(partner)s AND id BETWEEN %(first)s AND %(last)s

-- transfers: the ledger's side of the claims
INSERT INTO transfer (partner_id, id, account_id, claim_id, kind, debit, credit, part, amount, currency, value_date,
    posted_at)
SELECT partner_id, id, account_id, id, 'claim', 'receivable', 'revenue', 'principal', amount, currency, issued_date,
    created_at
FROM claim WHERE partner_id = %(partner)s AND id BETWEEN %(first)s AND %(last)s

-- cases: due now; with a `spread` in the order of a shuffled deck, else all at one moment, side by side; `histories`
-- says by the account's turn how many steps were taken
INSERT INTO dunning_case (partner_id, id, account_id, policy_version_id, services, state, wakes_at, turned_at, version,
    opened_at, arrears, step)
SELECT %(partner)s, n, n, %(policy)s, ARRAY[%(kind)s], CASE WHEN h.steps = 0 THEN 'watching' ELSE 'active' END,
    %(wakes_at)s::timestamptz + %(spread)s::interval * ((n * 7919 %% 9973) / 9973.0),
    %(now)s::timestamptz - interval '1 day', CASE WHEN h.steps = 0 THEN 0 ELSE 1 + 2 * h.steps END,
    %(now)s::timestamptz - interval '90 days', %(amount)s, coalesce((%(steps)s::text[])[h.steps], '')
FROM generate_series(%(first)s::bigint, %(last)s) AS n
CROSS JOIN LATERAL (SELECT (%(histories)s::int[])[1 + n %% cardinality(%(histories)s::int[])] AS steps) h

-- steps_taken: the histories: each step decided, covered by its claim, and completed, eight days apart; `lasts` says by
-- the account's turn how many days ago the last one was
WITH taken AS (
    INSERT INTO step_taken (partner_id, id, case_id, number, step, decided_at, completed_at, pay_by_date)
    SELECT %(partner)s, n * 8 + k, n, 2 * k, (%(steps)s::text[])[k],
        %(now)s::timestamptz - make_interval(days => h.last + 8 * (h.steps - k), hours => 2),
        %(now)s::timestamptz - make_interval(days => h.last + 8 * (h.steps - k)), NULL
    FROM generate_series(%(first)s::bigint, %(last)s) AS n
    CROSS JOIN LATERAL (SELECT (%(histories)s::int[])[1 + n %% cardinality(%(histories)s::int[])] AS steps,
        (%(lasts)s::int[])[1 + n %% cardinality(%(lasts)s::int[])] AS last) h
    CROSS JOIN LATERAL generate_series(1, h.steps) AS k
    RETURNING id, case_id
)
INSERT INTO step_claim (partner_id, step_id, claim_id, principal) SELECT %(partner)s, id, case_id, %(amount)s FROM taken

-- step_effects: the message that each of those steps sent; the second step gave the notices of disconnection as well
INSERT INTO effect (partner_id, id, case_id, account_id, event_number, step_number, part, key, kind, channel, template,
    state, due_at, created_at, finished_at, attempts)
SELECT partner_id, id, case_id, case_id, number, number, 0, 'bench-' || id, 'message', 'sms',
    CASE step WHEN 'friendly' THEN 'friendly_reminder' ELSE 'reminder' END, 'done', decided_at, decided_at, completed_at, 1
FROM step_taken WHERE partner_id = %(partner)s AND case_id BETWEEN %(first)s AND %(last)s
UNION ALL
SELECT s.partner_id, s.id + n.more, s.case_id, s.case_id, s.number, s.number, 1, 'bench-' || s.id + n.more, 'message',
    n.channel, 'disconnect_notice', 'done', s.decided_at, s.decided_at, s.completed_at, 1
FROM step_taken s CROSS JOIN (VALUES (4, 'sms'), (5, 'email')) AS n (more, channel)
WHERE s.partner_id = %(partner)s AND s.case_id BETWEEN %(first)s AND %(last)s AND s.step IN ('reminder', 'notice')

-- step_messages: what was kept of them
INSERT INTO sent_message (partner_id, id, effect_id, case_id, account_id, party_id, contact_point_id, channel, template,
    language, amount, released_at, sent_at, delivered_at)
SELECT partner_id, id, id, case_id, account_id, account_id, 2 * account_id + CASE channel WHEN 'email' THEN 1 ELSE 0 END,
    channel, template, 'nb', %(amount)s, created_at,
    created_at, finished_at
FROM effect WHERE partner_id = %(partner)s AND case_id BETWEEN %(first)s AND %(last)s AND kind = 'message'

-- step_events: the log of it all
INSERT INTO case_event (partner_id, case_id, number, code, params, actor, at)
SELECT c.partner_id, c.id, k, CASE WHEN k = 1 THEN 'opened' WHEN k %% 2 = 0 THEN 'step_taken' ELSE 'step_completed' END,
    jsonb_build_object('step', (%(steps)s::text[])[greatest(1, k / 2)]), 'relight', c.opened_at + make_interval(hours => k)
FROM dunning_case c CROSS JOIN LATERAL generate_series(1, c.version) AS k
WHERE c.partner_id = %(partner)s AND c.id BETWEEN %(first)s AND %(last)s

-- holds: pauses that stand for three more days, on those whose turn says so
INSERT INTO hold (partner_id, id, account_id, case_id, reason, starts_at, ends_at, placed_by)
SELECT %(partner)s, n, n, n, 'manual', %(now)s::timestamptz - interval '1 day', %(now)s::timestamptz + interval '3 days', 'bench'
FROM generate_series(%(first)s::bigint, %(last)s) AS n
WHERE (%(held)s::bool[])[1 + n %% cardinality(%(held)s::bool[])]

-- blocks: the cuts that stand
INSERT INTO block (partner_id, id, service_id, case_id, step_number, reason, level, starts_at, source)
SELECT c.partner_id, c.id, c.id, c.id, max(t.number), 'arrears', %(level)s, max(t.decided_at), 'policy'
FROM dunning_case c JOIN step_taken t ON t.partner_id = c.partner_id AND t.case_id = c.id
WHERE c.partner_id = %(partner)s AND c.id BETWEEN %(first)s AND %(last)s GROUP BY c.partner_id, c.id

-- commands: the cuts that were carried out
INSERT INTO effect (partner_id, id, case_id, account_id, event_number, step_number, part, key, kind, service_id, level,
    generation, state, due_at, created_at, finished_at, attempts)
SELECT partner_id, id * 8, case_id, case_id, step_number, step_number, 0, 'bench-cut-' || id, 'supply', service_id, level,
    1, 'done', starts_at, starts_at, starts_at + interval '1 minute', 1
FROM block WHERE partner_id = %(partner)s AND id BETWEEN %(first)s AND %(last)s

-- links: the pay links that were sent
INSERT INTO pay_link (partner_id, id, account_id, case_id, created_at, expires_at)
SELECT partner_id, id, account_id, id, %(now)s::timestamptz - interval '3 days', %(now)s::timestamptz + interval '100 days'
FROM dunning_case WHERE partner_id = %(partner)s AND id BETWEEN %(first)s AND %(last)s

-- checkouts: the customers are on the provider's page; `refs` by turn
INSERT INTO checkout (partner_id, id, pay_link_id, account_id, provider, provider_ref, key, amount, currency, state,
    created_at)
SELECT %(partner)s, r.id, r.id, r.id, 'testpay', r.ref, 'bench-' || r.id, %(amount)s, 'NOK', 'open', %(now)s
FROM unnest(%(ids)s::bigint[], %(refs)s::text[]) AS r (id, ref)
