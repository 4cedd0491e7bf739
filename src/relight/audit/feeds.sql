-- count: entries that have their position
SELECT count(*) AS n FROM feed f WHERE f.partner_id = %(partner)s AND f.at >= %(since)s::timestamptz

-- gap: positions run from one on; a reader who asks for what comes after the last one would wait for ever or miss some
SELECT NULL::bigint AS case, NULL::int AS event, x.position, coalesce(x.before, 0) AS before
FROM (SELECT f.position, lag(f.position) OVER (ORDER BY f.position) AS before FROM feed f
    WHERE f.partner_id = %(partner)s) x
WHERE x.position <> coalesce(x.before, 0) + 1 ORDER BY x.position

-- head: the last position that was given is the last there is
SELECT NULL::bigint AS case, NULL::int AS event, coalesce(h.position, 0) AS head, coalesce(m.position, 0) AS last
FROM (SELECT max(f.position) AS position FROM feed f WHERE f.partner_id = %(partner)s) m
LEFT JOIN feed_head h ON h.partner_id = %(partner)s
WHERE coalesce(h.position, 0) <> coalesce(m.position, 0)

-- missing: events that no reader will ever see
SELECT v.case_id AS case, v.number AS event, v.code
FROM case_event v
WHERE v.partner_id = %(partner)s AND v.at >= %(since)s::timestamptz
    AND NOT EXISTS (SELECT FROM feed f WHERE f.partner_id = %(partner)s AND f.case_id = v.case_id
        AND f.event_number = v.number)
    AND NOT EXISTS (SELECT FROM feed_pending f WHERE f.partner_id = %(partner)s AND f.case_id = v.case_id
        AND f.event_number = v.number)
ORDER BY v.case_id, v.number

-- twice: events that a reader sees again
SELECT f.case_id AS case, f.event_number AS event, count(*) AS times
FROM (SELECT case_id, event_number FROM feed WHERE partner_id = %(partner)s AND case_id IS NOT NULL
    UNION ALL SELECT case_id, event_number FROM feed_pending WHERE partner_id = %(partner)s AND case_id IS NOT NULL) f
GROUP BY f.case_id, f.event_number HAVING count(*) > 1 ORDER BY f.case_id, f.event_number

-- of_nothing: entries that tell of what the log does not have, or call it something else
SELECT f.case_id AS case, f.event_number AS event, f.position, f.topic
FROM feed f
LEFT JOIN case_event v ON v.partner_id = f.partner_id AND v.case_id = f.case_id AND v.number = f.event_number
WHERE f.partner_id = %(partner)s AND f.at >= %(since)s::timestamptz AND f.case_id IS NOT NULL
    AND f.topic IS DISTINCT FROM 'case.' || v.code
ORDER BY f.position

-- disorder: a case's later event before an earlier one
SELECT x.case_id AS case, x.event_number AS event, x.position, x.before
FROM (SELECT f.case_id, f.event_number, f.position,
        lag(f.event_number) OVER (PARTITION BY f.case_id ORDER BY f.position) AS before
    FROM feed f WHERE f.partner_id = %(partner)s AND f.case_id IS NOT NULL) x
WHERE x.event_number < x.before ORDER BY x.position

-- ahead: a reader has acknowledged what was never given
SELECT NULL::bigint AS case, NULL::int AS event, r.name, r.position, coalesce(h.position, 0) AS head
FROM feed_reader r LEFT JOIN feed_head h ON h.partner_id = r.partner_id
WHERE r.partner_id = %(partner)s AND r.position > coalesce(h.position, 0) ORDER BY r.name

-- payment_untold: a payment came to its state, and the feed does not say so exactly once
SELECT (SELECT max(c.id) FROM dunning_case c WHERE c.partner_id = p.partner_id AND c.account_id = p.account_id) AS case,
    NULL::int AS event, p.ref, p.state, coalesce(f.times, 0) AS times
FROM payment p
LEFT JOIN (
    SELECT (x.body ->> 'payment')::bigint AS payment_id, x.topic, count(*) AS times
    FROM (SELECT topic, body FROM feed WHERE partner_id = %(partner)s AND topic LIKE 'payment.%%'
        UNION ALL SELECT topic, body FROM feed_pending WHERE partner_id = %(partner)s AND topic LIKE 'payment.%%') x
    GROUP BY 1, 2
) f ON f.payment_id = p.id AND f.topic = 'payment.' || p.state
WHERE p.partner_id = %(partner)s AND f.times IS DISTINCT FROM 1
    AND greatest(p.received_at, p.confirmed_at, p.booked_at, p.returned_at) >= %(since)s::timestamptz
ORDER BY p.id

-- log_gap: a case's events are numbered from one to its version
SELECT c.id AS case, c.version AS event, c.version, coalesce(v.n, 0) AS n, v.last
FROM dunning_case c
LEFT JOIN (
    SELECT case_id, count(*) AS n, min(number) AS first, max(number) AS last FROM case_event
    WHERE partner_id = %(partner)s GROUP BY case_id
) v ON v.case_id = c.id
WHERE c.partner_id = %(partner)s AND c.turned_at >= %(since)s::timestamptz
    AND (coalesce(v.n, 0) <> c.version OR (c.version > 0 AND (v.first <> 1 OR v.last <> c.version)))
ORDER BY c.id
