-- payments: one that came a week ago on each account
INSERT INTO payment (partner_id, id, ref, amount, currency, state, value_date, received_at, confirmed_at, noted_at, account_id,
    source_id)
SELECT a.partner_id, a.id, 'bench-' || a.id, %(amount)s, 'NOK', 'confirmed', %(now)s::date - 7, %(now)s::timestamptz - interval '7 days',
    %(now)s::timestamptz - interval '7 days', %(now)s::timestamptz - interval '6 days', a.id, s.id
FROM account a JOIN source s ON s.partner_id = a.partner_id WHERE a.partner_id = %(partner)s

-- notices: what the provider said of each
INSERT INTO provider_notice (partner_id, id, provider, event_id, provider_ref, state, amount, currency, occurred_at, received_at,
    outcome)
SELECT partner_id, id, 'testpay', 'bench-' || id, ref, 'confirmed', amount, currency, received_at, received_at, 'posted'
FROM payment WHERE partner_id = %(partner)s

-- attempts: one at each effect that is done
INSERT INTO attempt (partner_id, id, effect_id, number, driver, started_at, send_before, finished_at, result)
SELECT partner_id, id, id, 1, 'inbox', created_at, created_at + interval '1 minute', created_at, 'done' FROM effect
WHERE partner_id = %(partner)s AND state = 'done'

-- feed: the log, told
INSERT INTO feed (partner_id, position, topic, case_id, event_number, at)
SELECT partner_id, row_number() OVER (ORDER BY at, case_id, number), 'case', case_id, number, at FROM case_event
WHERE partner_id = %(partner)s

-- pending: and what of it waits for its position
INSERT INTO feed_pending (partner_id, id, topic, case_id, event_number, at)
SELECT partner_id, -row_number() OVER (ORDER BY at, case_id, number), 'case', case_id, number, at FROM case_event
WHERE partner_id = %(partner)s
