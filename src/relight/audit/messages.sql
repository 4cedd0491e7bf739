-- count: attempts at messages that are looked at
SELECT count(*) AS n FROM attempt a JOIN effect e ON e.partner_id = a.partner_id AND e.id = a.effect_id
WHERE a.partner_id = %(partner)s AND e.kind = 'message' AND a.started_at >= %(since)s::timestamptz

-- left: every attempt at a message that has its hours; a repeat is an attempt too
SELECT e.case_id AS case, e.event_number AS event, e.template, e.channel, a.started_at, c.policy_version_id,
    v.policy_hash
FROM attempt a
JOIN effect e ON e.partner_id = a.partner_id AND e.id = a.effect_id
JOIN dunning_case c ON c.partner_id = e.partner_id AND c.id = e.case_id
LEFT JOIN case_event v ON v.partner_id = e.partner_id AND v.case_id = e.case_id AND v.number = e.event_number
WHERE a.partner_id = %(partner)s AND e.kind = 'message' AND e.template <> ALL (%(exempt)s::text[])
    AND a.started_at >= %(since)s::timestamptz
ORDER BY a.id

-- often: how many messages an account had got in the seven days that end with each one; of those that left at the same
-- moment the last one stands for all
SELECT x.case_id AS case, x.event_number AS event, x.template, x.channel, x.released_at, x.policy_version_id,
    x.policy_hash, x.n
FROM (
    SELECT m.case_id, e.event_number, m.template, m.channel, m.released_at, c.policy_version_id, v.policy_hash,
        count(*) OVER (PARTITION BY m.account_id ORDER BY m.released_at
            RANGE BETWEEN interval '6 days 23:59:59.999999' PRECEDING AND CURRENT ROW) AS n,
        row_number() OVER (PARTITION BY m.account_id, m.released_at ORDER BY m.id DESC) AS turn
    FROM sent_message m
    JOIN effect e ON e.partner_id = m.partner_id AND e.id = m.effect_id
    JOIN dunning_case c ON c.partner_id = m.partner_id AND c.id = m.case_id
    LEFT JOIN case_event v ON v.partner_id = e.partner_id AND v.case_id = e.case_id AND v.number = e.event_number
    WHERE m.partner_id = %(partner)s AND m.template <> ALL (%(exempt)s::text[])
) x
WHERE x.turn = 1 AND x.n > %(least_cap)s AND x.released_at >= %(since)s::timestamptz
ORDER BY x.case_id, x.event_number

-- ended: messages to where nothing may be sent (any more), whatever they say; also receipts
SELECT m.case_id AS case, e.event_number AS event, m.template, m.channel, p.channel AS of_channel, m.released_at,
    CASE WHEN p.channel <> m.channel THEN 'it is an address for ' || p.channel
        WHEN p.party_id <> m.party_id THEN 'it belongs to another person'
        WHEN p.starts_at > m.released_at THEN 'it was not known yet'
        WHEN p.ends_at < m.released_at - %(tolerance)s::interval
            THEN 'it had ended on ' || to_char(p.ends_at, 'YYYY-MM-DD HH24:MI') || ' (' || p.ended_because || ')'
        ELSE 'its owner has nothing to do with the account' END AS wrong
FROM sent_message m
JOIN effect e ON e.partner_id = m.partner_id AND e.id = m.effect_id
JOIN contact_point p ON p.partner_id = m.partner_id AND p.id = m.contact_point_id
WHERE m.partner_id = %(partner)s AND m.released_at >= %(since)s::timestamptz AND (
    p.channel <> m.channel OR p.party_id <> m.party_id OR p.starts_at > m.released_at
    OR p.ends_at < m.released_at - %(tolerance)s::interval
    OR NOT EXISTS (SELECT FROM account_role r WHERE r.partner_id = m.partner_id AND r.account_id = m.account_id
        AND r.party_id = m.party_id AND r.starts_at <= m.released_at
        AND (r.ends_at IS NULL OR r.ends_at > m.released_at - %(tolerance)s::interval)))
ORDER BY m.id
