-- count: decisions to give something back, and services that were ever commanded
SELECT (SELECT count(*) FROM case_event v WHERE v.partner_id = %(partner)s AND v.code = 'restore_decided'
        AND v.at >= %(since)s::timestamptz)
    + (SELECT count(*) FROM supply u WHERE u.partner_id = %(partner)s AND u.generation > 0) AS n

-- not_back: services that are lower than they are to be (unseen counts when they are to be full), with no command that
-- is young enough to be at work, and no person who was told. A meter that waits for its button is back.
SELECT l.case_id AS case, l.event_number AS event, s.ref AS service_ref, u.desired, u.desired_at,
    coalesce(nullif(u.observed, ''), 'unknown') AS observed
FROM supply u
JOIN service s ON s.partner_id = u.partner_id AND s.id = u.service_id
LEFT JOIN LATERAL (
    SELECT e.case_id, e.event_number, e.state, e.created_at FROM effect e
    WHERE e.partner_id = u.partner_id AND e.service_id = u.service_id AND e.kind = 'supply'
    ORDER BY e.generation DESC, e.id DESC LIMIT 1
) l ON true
WHERE u.partner_id = %(partner)s AND u.generation > 0 AND s.driver <> ''
    AND CASE u.observed WHEN '' THEN u.desired = 'full'
        WHEN 'ready' THEN u.desired <> 'full' AND u.desired <> 'off'
        ELSE array_position(ARRAY['off', 'walled_garden', 'limited', 'full'], u.observed)
            < array_position(ARRAY['off', 'walled_garden', 'limited', 'full'], u.desired) END
    AND u.desired_at < %(as_of)s::timestamptz - %(patience)s::interval
    AND NOT (l.state IN ('pending', 'in_flight') AND l.created_at > %(as_of)s::timestamptz - %(patience)s::interval)
    AND NOT EXISTS (SELECT FROM task t WHERE t.partner_id = u.partner_id AND t.state = 'open'
        AND t.dedup IN ('not_restored-' || u.service_id, 'given_up-' || u.service_id))
ORDER BY u.service_id

-- unfounded: a service is to be lower than any block says that stands or stood a moment ago
SELECT l.case_id AS case, l.event_number AS event, s.ref AS service_ref, u.desired, u.desired_at
FROM supply u
JOIN service s ON s.partner_id = u.partner_id AND s.id = u.service_id
LEFT JOIN LATERAL (
    SELECT e.case_id, e.event_number FROM effect e
    WHERE e.partner_id = u.partner_id AND e.service_id = u.service_id AND e.kind = 'supply'
    ORDER BY e.generation DESC, e.id DESC LIMIT 1
) l ON true
WHERE u.partner_id = %(partner)s AND u.desired <> 'full' AND NOT EXISTS (
    SELECT FROM block b WHERE b.partner_id = u.partner_id AND b.service_id = u.service_id
        AND (b.ends_at IS NULL OR b.ends_at > %(as_of)s::timestamptz - %(patience)s::interval)
        AND array_position(ARRAY['off', 'walled_garden', 'limited', 'full'], b.level)
            <= array_position(ARRAY['off', 'walled_garden', 'limited', 'full'], u.desired))
ORDER BY u.service_id

-- unanswered: a restore was decided, the last command that had left for the service took it away, and none was made to
-- give it back: neither by that decision, nor by a later one. Where another block as low stands, what was lifted had not
-- left yet (a cut whose step was voided while the walled garden of an earlier step stood), and nothing is given back.
SELECT v.case_id AS case, v.number AS event, s.ref AS service_ref, c.level
FROM case_event v
CROSS JOIN LATERAL jsonb_array_elements_text(v.params -> 'services') x (service_id)
JOIN service s ON s.partner_id = v.partner_id AND s.id = x.service_id::bigint
JOIN LATERAL (
    SELECT e.level FROM effect e JOIN attempt a ON a.partner_id = e.partner_id AND a.effect_id = e.id
    WHERE e.partner_id = v.partner_id AND e.service_id = s.id AND e.kind = 'supply'
        AND a.started_at < v.at - %(tolerance)s::interval
        AND (a.result IN ('done', 'unknown', '') OR a.facts ->> 'begun' = 'true')
    ORDER BY a.id DESC LIMIT 1
) c ON c.level <> 'full'
WHERE v.partner_id = %(partner)s AND v.code = 'restore_decided' AND v.at >= %(since)s::timestamptz
    AND NOT EXISTS (SELECT FROM effect e WHERE e.partner_id = v.partner_id AND e.service_id = s.id
        AND e.kind = 'supply' AND e.created_at >= v.at)
    AND NOT EXISTS (SELECT FROM case_event b WHERE b.partner_id = v.partner_id AND b.case_id = v.case_id
        AND b.at = v.at AND b.code = 'stays_blocked' AND b.params ->> 'service' = x.service_id)
    AND NOT EXISTS (SELECT FROM block b WHERE b.partner_id = v.partner_id AND b.service_id = s.id
        AND b.starts_at <= v.at AND (b.ends_at IS NULL OR b.ends_at > v.at)
        AND array_position(ARRAY['off', 'walled_garden', 'limited', 'full'], b.level)
            <= array_position(ARRAY['off', 'walled_garden', 'limited', 'full'], c.level))
ORDER BY v.case_id, v.number

-- late: a restore's first attempt left more than a second after its decision, or after what was on its way had ended
SELECT e.case_id AS case, e.event_number AS event, s.ref AS service_ref,
    round(extract(epoch FROM a.started_at - greatest(e.created_at, b.ended_at)), 2) AS seconds
FROM effect e
JOIN case_event v ON v.partner_id = e.partner_id AND v.case_id = e.case_id AND v.number = e.event_number
    AND v.code = 'restore_decided'
JOIN service s ON s.partner_id = e.partner_id AND s.id = e.service_id
JOIN attempt a ON a.partner_id = e.partner_id AND a.effect_id = e.id AND a.number = 1
LEFT JOIN LATERAL (
    SELECT max(y.finished_at) AS ended_at FROM effect f
    JOIN attempt y ON y.partner_id = f.partner_id AND y.effect_id = f.id
    WHERE f.partner_id = e.partner_id AND f.service_id = e.service_id AND f.kind = 'supply' AND y.id < a.id
) b ON true
WHERE e.partner_id = %(partner)s AND e.kind = 'supply' AND a.started_at >= %(since)s::timestamptz
    AND a.started_at > greatest(e.created_at, b.ended_at) + interval '1 second'
ORDER BY e.id

-- never_left: a restore that waits in the outbox, with nothing in its way
SELECT e.case_id AS case, e.event_number AS event, s.ref AS service_ref,
    date_trunc('second', %(as_of)s::timestamptz - e.created_at)::text AS age
FROM effect e
JOIN case_event v ON v.partner_id = e.partner_id AND v.case_id = e.case_id AND v.number = e.event_number
    AND v.code = 'restore_decided'
JOIN service s ON s.partner_id = e.partner_id AND s.id = e.service_id
WHERE e.partner_id = %(partner)s AND e.kind = 'supply' AND e.state = 'pending' AND e.attempts = 0
    AND e.created_at < %(as_of)s::timestamptz - %(patience)s::interval
    AND NOT EXISTS (SELECT FROM effect f WHERE f.partner_id = e.partner_id AND f.service_id = e.service_id
        AND f.kind = 'supply' AND f.state = 'in_flight')
ORDER BY e.id

-- still_blocked: our block stands, and nothing at all is owed for the services of its case. A case that is woken and not
-- decided yet is in the urgent lane, for a while.
SELECT b.case_id AS case, b.step_number AS event, s.ref AS service_ref, b.level, b.starts_at
FROM block b
JOIN service s ON s.partner_id = b.partner_id AND s.id = b.service_id
JOIN dunning_case c ON c.partner_id = b.partner_id AND c.id = b.case_id
WHERE b.partner_id = %(partner)s AND b.reason = 'arrears' AND b.ends_at IS NULL
    AND NOT EXISTS (SELECT FROM claim k WHERE k.partner_id = c.partner_id AND k.account_id = c.account_id
        AND k.service_kind = ANY (c.services) AND k.principal + k.costs > 0)
    AND NOT (c.lane = 'urgent' AND coalesce((SELECT max(t.posted_at) FROM transfer t
        WHERE t.partner_id = c.partner_id AND t.account_id = c.account_id), '-infinity')
        > %(as_of)s::timestamptz - %(patience)s::interval)
ORDER BY b.id
