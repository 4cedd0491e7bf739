-- count: effects and attempts that are looked at
SELECT (SELECT count(*) FROM effect e WHERE e.partner_id = %(partner)s AND e.created_at >= %(since)s::timestamptz)
    + (SELECT count(*) FROM attempt a WHERE a.partner_id = %(partner)s AND a.started_at >= %(since)s::timestamptz) AS n

-- undecided: effects without a decision of the engine behind them
SELECT e.case_id AS case, e.event_number AS event, e.key, e.kind,
    CASE WHEN v.number IS NULL THEN 'there is no such event' ELSE 'that event was written by ' || v.actor END AS wrong
FROM effect e
LEFT JOIN case_event v ON v.partner_id = e.partner_id AND v.case_id = e.case_id AND v.number = e.event_number
WHERE e.partner_id = %(partner)s AND e.created_at >= %(since)s::timestamptz
    AND (v.number IS NULL OR v.actor <> 'relight')
ORDER BY e.id

-- unlogged_step: steps that were taken and are not on the log
SELECT s.case_id AS case, s.number AS event, s.step
FROM step_taken s
WHERE s.partner_id = %(partner)s AND s.decided_at >= %(since)s::timestamptz AND NOT EXISTS (
    SELECT FROM case_event v WHERE v.partner_id = s.partner_id AND v.case_id = s.case_id AND v.number = s.number)
ORDER BY s.id

-- foreign_key: a key is made of partner, case and event, so that nobody else can ever use it
SELECT e.case_id AS case, e.event_number AS event, e.key
FROM effect e
WHERE e.partner_id = %(partner)s AND e.created_at >= %(since)s::timestamptz
    AND e.key NOT LIKE e.partner_id || '-' || e.case_id || '-' || e.event_number || '-%%'
ORDER BY e.id

-- key_twice: one key for two effects: the outside would take the second for the first
SELECT max(e.case_id) AS case, max(e.event_number) AS event, e.key, count(*) AS times
FROM effect e WHERE e.partner_id = %(partner)s GROUP BY e.key HAVING count(*) > 1 ORDER BY e.key

-- misnumbered: attempts are numbered from one on, as many as the effect counts
SELECT e.case_id AS case, e.event_number AS event, e.key, e.attempts, a.n, a.first, a.last
FROM effect e
LEFT JOIN LATERAL (
    SELECT count(*) AS n, min(x.number) AS first, max(x.number) AS last, count(DISTINCT x.number) AS distinct_n
    FROM attempt x WHERE x.partner_id = e.partner_id AND x.effect_id = e.id
) a ON true
WHERE e.partner_id = %(partner)s AND e.created_at >= %(since)s::timestamptz
    AND NOT (a.n = e.attempts AND a.distinct_n = a.n AND (a.n = 0 OR (a.first = 1 AND a.last = a.n)))
ORDER BY e.id

-- after_the_end: an attempt began before the one before it had ended, after one that was done, or after the effect's end
SELECT e.case_id AS case, e.event_number AS event, e.key, x.number,
    CASE WHEN x.before_result = 'done' THEN 'the one before had succeeded'
        WHEN x.before_number IS NOT NULL AND (x.before_finished_at IS NULL
            OR x.started_at < x.before_finished_at - %(tolerance)s::interval) THEN 'the one before had not ended'
        ELSE 'the effect was ' || e.state || ' by then' END AS wrong
FROM (
    SELECT a.effect_id, a.number, a.started_at, lag(a.number) OVER w AS before_number,
        lag(a.finished_at) OVER w AS before_finished_at, lag(a.result) OVER w AS before_result
    FROM attempt a WHERE a.partner_id = %(partner)s WINDOW w AS (PARTITION BY a.effect_id ORDER BY a.number)
) x
JOIN effect e ON e.partner_id = %(partner)s AND e.id = x.effect_id
WHERE x.started_at >= %(since)s::timestamptz AND (
    x.before_result = 'done'
    OR (x.before_number IS NOT NULL AND (x.before_finished_at IS NULL
        OR x.started_at < x.before_finished_at - %(tolerance)s::interval))
    OR (e.state NOT IN ('pending', 'in_flight') AND x.started_at > e.finished_at + %(tolerance)s::interval))
ORDER BY e.id, x.number

-- disagrees: what an effect says that became of it, and what its last attempt says
SELECT e.case_id AS case, e.event_number AS event, e.key, e.state, coalesce(nullif(l.result, ''), 'not ended') AS result
FROM effect e
LEFT JOIN LATERAL (
    SELECT a.result, a.finished_at, a.id FROM attempt a
    WHERE a.partner_id = e.partner_id AND a.effect_id = e.id ORDER BY a.number DESC LIMIT 1
) l ON true
WHERE e.partner_id = %(partner)s AND e.created_at >= %(since)s::timestamptz AND (
    (e.state = 'done' AND l.result IS DISTINCT FROM 'done')
    OR (e.state <> 'done' AND l.result = 'done')
    OR (e.state = 'in_flight' AND (l.id IS NULL OR l.finished_at IS NOT NULL))
    OR (e.state <> 'in_flight' AND l.id IS NOT NULL AND l.finished_at IS NULL))
ORDER BY e.id

-- two_commands: two commands for one service on their way at once
SELECT b.case_id AS case, b.event_number AS event, b.key, a.key AS other, b.service_ref
FROM (
    SELECT e.*, s.ref AS service_ref, x.id AS attempt_id, x.started_at, coalesce(x.finished_at, 'infinity') AS ended_at
    FROM effect e JOIN attempt x ON x.partner_id = e.partner_id AND x.effect_id = e.id
    JOIN service s ON s.partner_id = e.partner_id AND s.id = e.service_id
    WHERE e.partner_id = %(partner)s AND e.kind = 'supply'
) b
JOIN (
    SELECT e.id, e.key, e.service_id, x.id AS attempt_id, x.started_at, coalesce(x.finished_at, 'infinity') AS ended_at
    FROM effect e JOIN attempt x ON x.partner_id = e.partner_id AND x.effect_id = e.id
    WHERE e.partner_id = %(partner)s AND e.kind = 'supply'
) a ON a.service_id = b.service_id AND a.id <> b.id AND a.attempt_id < b.attempt_id
    AND b.started_at < a.ended_at - %(tolerance)s::interval AND b.ended_at > a.started_at
WHERE b.started_at >= %(since)s::timestamptz
ORDER BY b.id

-- superseded: a command left when a newer decision had already taken over
SELECT e.case_id AS case, e.event_number AS event, e.key, e.level, s.ref AS service_ref, n.level AS newer
FROM effect e
JOIN attempt a ON a.partner_id = e.partner_id AND a.effect_id = e.id
JOIN service s ON s.partner_id = e.partner_id AND s.id = e.service_id
JOIN LATERAL (
    SELECT f.level FROM effect f WHERE f.partner_id = e.partner_id AND f.service_id = e.service_id
        AND f.kind = 'supply' AND f.generation > e.generation AND f.created_at < a.started_at - %(tolerance)s::interval
    ORDER BY f.generation DESC LIMIT 1
) n ON true
WHERE e.partner_id = %(partner)s AND e.kind = 'supply' AND a.started_at >= %(since)s::timestamptz
ORDER BY e.id

-- silent: given up, and no person was told
SELECT e.case_id AS case, e.event_number AS event, e.key, e.kind, e.why
FROM effect e
WHERE e.partner_id = %(partner)s AND e.state = 'given_up' AND e.created_at >= %(since)s::timestamptz
    AND NOT EXISTS (SELECT FROM task t WHERE t.partner_id = e.partner_id AND t.case_id = e.case_id
        AND t.code = 'given_up' AND (t.dedup = 'given_up-' || coalesce(e.service_id::text, 'effect-' || e.id)
            OR e.service_id IS NULL AND t.dedup = 'given_up-' || e.id) -- as older tasks have it
        AND t.created_at <= e.finished_at + %(tolerance)s::interval
        AND coalesce(t.done_at, 'infinity') >= e.finished_at - %(tolerance)s::interval)
ORDER BY e.id

-- unwritten: a message that left without a record of what was sent to whom
SELECT e.case_id AS case, e.event_number AS event, e.key, e.template, e.channel
FROM effect e
WHERE e.partner_id = %(partner)s AND e.kind = 'message' AND e.attempts > 0
    AND e.created_at >= %(since)s::timestamptz
    AND NOT EXISTS (SELECT FROM sent_message m WHERE m.partner_id = e.partner_id AND m.effect_id = e.id)
ORDER BY e.id
