-- links_for: each case's link with at least `margin` left, else a new one; the caller holds the accounts' locks, so two
-- callers cannot make one each
WITH wanted AS (
    SELECT DISTINCT k.partner_id, k.id AS case_id, k.account_id
    FROM unnest(%(cases)s::bigint[], %(accounts)s::bigint[]) AS w (case_id, account_id)
    JOIN dunning_case k ON k.id = w.case_id AND k.account_id = w.account_id
), kept AS (
    SELECT l.case_id, max(l.id) AS id FROM wanted w JOIN pay_link l ON l.partner_id = w.partner_id AND l.case_id = w.case_id
    WHERE l.account_id = w.account_id AND l.revoked_at IS NULL AND l.expires_at > %(now)s + %(margin)s::interval
    GROUP BY l.case_id
), made AS (
    INSERT INTO pay_link (partner_id, account_id, case_id, created_at, expires_at)
    SELECT w.partner_id, w.account_id, w.case_id, %(now)s, %(now)s + %(valid_for)s::interval
    FROM wanted w WHERE NOT EXISTS (SELECT FROM kept k WHERE k.case_id = w.case_id)
    RETURNING case_id, id
)
SELECT case_id, id FROM kept UNION ALL SELECT case_id, id FROM made

-- lock_customer: two clicks, two tabs and two links of one customer meet here
SELECT a.id FROM pay_link l JOIN account a ON a.partner_id = l.partner_id AND a.id = l.account_id
WHERE l.id = %(link)s FOR NO KEY UPDATE OF a

-- checkout_again: the checkout that an earlier click of this customer started for the same sum, while it may still be paid
SELECT id, key, amount, currency, pay_link_id, redirect_url FROM checkout
WHERE account_id = %(account)s AND provider = %(provider)s AND amount = %(amount)s AND currency = %(currency)s
    AND state IN ('created', 'open') AND created_at > %(now)s - %(span)s::interval
ORDER BY id DESC LIMIT 1

-- unfinished: this customer's other checkouts that may still be paid; one without the provider's id is just being made
SELECT id, provider, provider_ref, handle, redirect_url FROM checkout
WHERE account_id = %(account)s AND state IN ('created', 'open') AND id <> ALL (%(beside)s::bigint[])
    AND (provider_ref <> '' AND created_at > %(now)s - %(span_max)s::interval
        OR created_at > %(now)s - %(making)s::interval)
ORDER BY id

-- is_on_its_way: a provider says that the customer has paid, and the money takes its days
SELECT EXISTS (SELECT FROM payment p JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id
    WHERE p.account_id = %(account)s AND p.state = 'authorised' AND s.kind = 'provider'
        AND p.received_at > %(now)s - %(span)s::interval)

-- account_of: whose link it is
SELECT account_id FROM pay_link WHERE id = %(link)s

-- start_checkout: a new order to pay
INSERT INTO checkout (partner_id, pay_link_id, account_id, provider, key, amount, currency, created_at)
SELECT partner_id, id, account_id, %(provider)s, %(key)s, %(amount)s, %(currency)s, %(now)s FROM pay_link WHERE id = %(link)s
RETURNING id

-- attach: the provider's own id, once, and where the customer pays. A provider that makes a second payment of the same
-- key gets a second row, so that money for either finds its account.
WITH named AS (
    UPDATE checkout SET provider_ref = %(ref)s, redirect_url = %(redirect)s, handle = %(handle)s,
        state = CASE WHEN state = 'created' THEN 'open' ELSE state END
    WHERE id = %(checkout)s AND provider_ref IN ('', %(ref)s) RETURNING id
)
INSERT INTO checkout (partner_id, pay_link_id, account_id, provider, provider_ref, key, amount, currency, state, created_at,
    redirect_url, handle)
SELECT partner_id, pay_link_id, account_id, provider, %(ref)s, key || ':' || %(ref)s, amount, currency, 'open', %(now)s,
    %(redirect)s, %(handle)s
FROM checkout WHERE id = %(checkout)s AND NOT EXISTS (SELECT FROM named)
ON CONFLICT DO NOTHING

-- source_of: where a provider's money comes from, when it was heard of before, and the partner's zone for value dates
SELECT o.id, p.time_zone FROM partner p LEFT JOIN source o ON o.partner_id = p.id AND o.name = %(provider)s
WHERE p.id = %(partner)s

-- orders: what we asked the provider for under these ids, whether money was ever told of under them, and what we gave
-- back. That the checkout's own id is not empty is said of it, since its index holds only those
SELECT x.ref, k.id, k.account_id, a.ref, l.case_id, k.amount, k.currency,
    EXISTS (SELECT FROM payment m WHERE m.source_id = %(source)s AND m.ref = x.ref),
    coalesce((SELECT sum(r.amount) FROM payment m JOIN provider_refund r ON r.partner_id = m.partner_id
        AND r.payment_id = m.id WHERE m.source_id = %(source)s AND m.ref = x.ref AND r.state <> 'failed'), 0)::bigint
FROM unnest(%(refs)s::text[]) AS x (ref)
LEFT JOIN checkout k ON k.provider = %(provider)s AND k.provider_ref = x.ref AND k.provider_ref <> ''
LEFT JOIN pay_link l ON l.partner_id = k.partner_id AND l.id = k.pay_link_id
LEFT JOIN account a ON a.partner_id = k.partner_id AND a.id = k.account_id

-- keep_notices: what the provider said, word for word, once; answers which of it is new
INSERT INTO provider_notice
    (partner_id, provider, event_id, provider_ref, state, amount, currency, occurred_at, received_at, outcome, operation)
SELECT %(partner)s, %(provider)s, x.event_id, x.ref, x.state, x.amount, x.currency, x.occurred_at, %(now)s, x.outcome,
    x.operation
FROM unnest(%(event_ids)s::text[], %(refs)s::text[], %(states)s::text[], %(amounts)s::bigint[], %(currencies)s::text[],
    %(occurred)s::timestamptz[], %(outcomes)s::text[], %(operations)s::text[])
    AS x (event_id, ref, state, amount, currency, occurred_at, outcome, operation)
ORDER BY x.event_id
ON CONFLICT (partner_id, provider, event_id) DO NOTHING
RETURNING event_id

-- finish_checkouts: paid is final, and may come after a failure (a second try on the provider's page)
UPDATE checkout k SET state = x.state, finished_at = %(now)s
FROM unnest(%(checkouts)s::bigint[], %(states)s::text[]) AS x (id, state)
WHERE k.id = x.id AND k.state <> 'paid' AND k.state <> x.state

-- expire_checkouts: nobody has paid for so long that the provider's page is gone; money that comes all the same counts
UPDATE checkout SET state = 'expired', finished_at = %(now)s
WHERE state IN ('created', 'open') AND created_at <= %(now)s - %(span_max)s::interval

-- add_loose_task: work for a person about money that belongs to no account yet
INSERT INTO task (partner_id, code, params, urgent, created_at, due_at, dedup)
VALUES (%(partner)s, %(code)s, %(params)s, false, %(now)s, %(due_at)s, %(dedup)s)
ON CONFLICT (partner_id, dedup) WHERE state = 'open' DO NOTHING

-- is_held: whether this case already waits for the same reason
SELECT EXISTS (SELECT FROM dunning_case c JOIN hold h ON h.partner_id = c.partner_id AND h.account_id = c.account_id
    WHERE c.id = %(case)s AND h.case_id = c.id AND h.reason = %(reason)s
    AND starts_at <= %(now)s AND (ends_at IS NULL OR ends_at > %(now)s))

-- end_contact_points: where the case's last message on each electronic channel went; one of them was the wrong person's
UPDATE contact_point c SET ends_at = %(now)s, ended_because = 'wrong_person'
FROM (
    SELECT DISTINCT ON (m.channel) m.contact_point_id FROM sent_message m
    WHERE m.case_id = %(case)s AND m.channel IN ('sms', 'email') ORDER BY m.channel, m.released_at DESC, m.id DESC
) told
WHERE c.id = told.contact_point_id AND c.ends_at IS NULL
RETURNING c.id
