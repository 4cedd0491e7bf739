-- compose: what the words of a message are made from, one row an effect; the newest contact point of its channel, and
-- the service that its own case is about
SELECT e.id, a.ref, cr.name, cr.bank_account, a.currency, p.country, p.site,
    b.name, b.sms_sender, b.email_sender, b.phone, b.site, b.return_address, b.colour, co.name,
    y.id, y.name, y.kind, y.language, cp.id, cp.value, e.key, s.kind, pr.street,
    (SELECT jsonb_object_agg(c.number, c.reference) FROM claim c
        WHERE c.partner_id = a.partner_id AND c.account_id = a.id AND c.state = 'open' AND c.reference <> ''),
    (SELECT jsonb_object_agg(c.number, c.interest) FROM claim c
        WHERE c.partner_id = a.partner_id AND c.account_id = a.id AND c.state = 'open' AND c.interest > 0),
    a.debtor
FROM effect e
JOIN dunning_case k ON k.partner_id = e.partner_id AND k.id = e.case_id
JOIN account a ON a.partner_id = e.partner_id AND a.id = e.account_id
JOIN partner p ON p.id = a.partner_id
JOIN creditor cr ON cr.partner_id = a.partner_id AND cr.id = a.creditor_id
JOIN brand b ON b.partner_id = a.partner_id AND b.id = a.brand_id
LEFT JOIN brand co ON co.partner_id = b.partner_id AND co.id = b.co_brand_id
JOIN LATERAL (
    SELECT r.party_id FROM account_role r WHERE r.partner_id = a.partner_id AND r.account_id = a.id AND r.role = 'debtor'
        AND r.starts_at <= %(now)s AND (r.ends_at IS NULL OR r.ends_at > %(now)s) ORDER BY r.id LIMIT 1
) r ON true
JOIN party y ON y.partner_id = a.partner_id AND y.id = r.party_id
LEFT JOIN LATERAL (
    SELECT c.id, c.value FROM contact_point c WHERE c.partner_id = a.partner_id AND c.party_id = y.id
        AND c.channel = e.channel AND c.starts_at <= %(now)s AND (c.ends_at IS NULL OR c.ends_at > %(now)s)
    ORDER BY c.id DESC LIMIT 1
) cp ON true
LEFT JOIN LATERAL (
    SELECT s.kind, s.access_point_id FROM service s WHERE s.partner_id = a.partner_id AND s.account_id = a.id
        AND s.kind = ANY (k.services) ORDER BY s.id LIMIT 1
) s ON true
LEFT JOIN access_point ap ON ap.partner_id = a.partner_id AND ap.id = s.access_point_id
LEFT JOIN premises pr ON pr.partner_id = ap.partner_id AND pr.id = ap.premises_id
WHERE e.id = ANY (%(effects)s::bigint[])

-- keep: what leaves, without personal data; the words apart, to be erased without touching the log
WITH sent AS (
    INSERT INTO sent_message (partner_id, effect_id, case_id, account_id, party_id, contact_point_id, channel, template,
        language, amount, released_at)
    SELECT %(partner)s, w.effect_id, w.case_id, w.account_id, w.party_id, w.contact_id, w.channel, w.template,
        w.language, w.amount, %(now)s
    FROM unnest(%(effects)s::bigint[], %(cases)s::bigint[], %(accounts)s::bigint[], %(parties)s::bigint[],
        %(contacts)s::bigint[], %(channels)s::text[], %(templates)s::text[], %(languages)s::text[], %(amounts)s::bigint[])
        AS w (effect_id, case_id, account_id, party_id, contact_id, channel, template, language, amount)
    ON CONFLICT (partner_id, effect_id) DO UPDATE SET released_at = excluded.released_at
    RETURNING id, effect_id
)
INSERT INTO message_body (partner_id, message_id, recipient, subject, text, html, pdf)
SELECT %(partner)s, s.id, w.recipient, w.subject, w.text, w.html, w.pdf
FROM unnest(%(effects)s::bigint[], %(recipients)s::text[], %(subjects)s::text[], %(texts)s::text[], %(htmls)s::text[],
    %(pdfs)s::bytea[]) AS w (effect_id, recipient, subject, text, html, pdf)
JOIN sent s ON s.effect_id = w.effect_id
ON CONFLICT (partner_id, message_id) DO UPDATE SET recipient = excluded.recipient, subject = excluded.subject,
    text = excluded.text, html = excluded.html, pdf = excluded.pdf

-- sent: their channels took them, under these ids of the providers'
UPDATE sent_message s SET sent_at = %(now)s, provider_ids = ARRAY(SELECT jsonb_array_elements_text(w.provider_ids))
FROM unnest(%(effects)s::bigint[], %(provider_ids)s::jsonb[]) AS w (effect, provider_ids) WHERE s.effect_id = w.effect

-- messages_of: which messages receipts are about, by our keys or else by the provider's ids; each by its own index. Found
-- first and joined then: under row-level security no index takes what a sub-select in the condition gives
WITH named AS MATERIALIZED (
    SELECT w.number, coalesce(
        (SELECT s.id FROM effect e JOIN sent_message s ON s.partner_id = e.partner_id AND s.effect_id = e.id
            WHERE w.key <> '' AND e.key = w.key),
        CASE WHEN w.provider_id <> '' THEN message_by_provider_id(w.provider_id) END) AS id
    FROM unnest(%(provider_ids)s::text[], %(keys)s::text[]) WITH ORDINALITY AS w (provider_id, key, number)
)
SELECT n.number, m.id, m.effect_id, m.account_id, m.case_id, m.contact_point_id
FROM named n JOIN sent_message m ON m.id = n.id

-- delivered: the first report counts; whose messages had none before
UPDATE sent_message m SET delivered_at = w.at
FROM unnest(%(messages)s::bigint[], %(at)s::timestamptz[]) AS w (id, at)
WHERE m.id = w.id AND m.delivered_at IS NULL
RETURNING m.case_id

-- undeliverable: for good; the channel of that message counts as failed. Its template, the first time that it is told.
UPDATE sent_message SET undeliverable_at = %(at)s WHERE id = %(message)s AND undeliverable_at IS NULL RETURNING template

-- end_contact: an address that does not work, or that its owner does not want used, is not used again
UPDATE contact_point SET ends_at = %(at)s, ended_because = %(why)s
WHERE id = %(contact)s AND (ends_at IS NULL OR ends_at > %(at)s)

-- sender: whose address a customer wrote from, and the account it last got a message about
SELECT c.id, c.party_id, m.account_id, m.case_id, y.language
FROM contact_point c JOIN party y ON y.partner_id = c.partner_id AND y.id = c.party_id
LEFT JOIN LATERAL (
    SELECT m.account_id, m.case_id FROM sent_message m
    WHERE m.partner_id = c.partner_id AND m.contact_point_id = c.id ORDER BY m.id DESC LIMIT 1
) m ON true
WHERE c.channel = %(channel)s AND c.value = %(sender)s AND (c.ends_at IS NULL OR c.ended_because = 'opted_out')
ORDER BY m.account_id IS NULL, c.id DESC LIMIT 1

-- receive: what a customer wrote, once however often it is delivered; `earlier` is how it may be known as well
INSERT INTO received_message (partner_id, account_id, channel, sender, text, meaning, provider_id, received_at)
SELECT %(partner)s, %(account)s, %(channel)s, %(sender)s, %(text)s, %(meaning)s, %(provider_id)s, %(at)s
WHERE NOT EXISTS (SELECT FROM received_message
    WHERE partner_id = %(partner)s AND channel = %(channel)s AND provider_id = %(earlier)s)
ON CONFLICT (partner_id, channel, provider_id) DO NOTHING RETURNING id
