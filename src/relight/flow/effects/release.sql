-- due_bulk: effects whose moment has come, channel by channel, as many of each as its drivers have room for, with their
-- accounts locked; never a second command for a service in flight. A channel that is full or rests is not looked through,
-- however much waits in it; what of one left already is not walked past (flow/road/searching.py). Commands have the
-- channel '', which keeps them in the order of their index; whether one is in flight is asked for each, since dead rows
-- lie in that index too. Only ids: what they say is read by a later statement
SELECT e.id, e.due_at, e.queue FROM (
    SELECT d.id, d.due_at, w.kind || ' ' || w.channel AS queue
    FROM unnest(%(kinds)s::text[], %(channels)s::text[], %(rooms)s::int[], %(since)s::timestamptz[], %(since_ids)s::bigint[])
        AS w (kind, channel, room, since, since_id)
    CROSS JOIN LATERAL (
        SELECT e.id, e.due_at FROM effect e JOIN account a ON a.partner_id = e.partner_id AND a.id = e.account_id
        WHERE e.state = 'pending' AND e.lane = 'bulk' AND e.kind = w.kind AND e.channel = w.channel
            AND e.due_at <= %(now)s AND (e.due_at, e.id) >= (w.since, w.since_id)
        ORDER BY e.due_at, e.id LIMIT w.room FOR NO KEY UPDATE OF a SKIP LOCKED
    ) d
    UNION ALL
    SELECT d.id, d.due_at, %(supply_queue)s::text FROM (
        SELECT e.id, e.due_at FROM effect e JOIN account a ON a.partner_id = e.partner_id AND a.id = e.account_id
        WHERE e.state = 'pending' AND e.lane = 'bulk' AND e.kind = 'supply' AND e.channel = '' AND e.due_at <= %(now)s
            AND (e.due_at, e.id) >= (%(supply_since)s::timestamptz, %(supply_since_id)s::bigint)
            AND (SELECT f.id FROM effect f WHERE f.partner_id = e.partner_id AND f.service_id = e.service_id
                AND f.kind = 'supply' AND f.state = 'in_flight') IS NULL
            AND (SELECT s.driver FROM service s WHERE s.partner_id = e.partner_id AND s.id = e.service_id)
                <> ALL (%(no_supply)s::text[])
        ORDER BY e.due_at, e.id LIMIT %(supply_room)s FOR NO KEY UPDATE OF a SKIP LOCKED
    ) d
    UNION ALL
    SELECT d.id, d.due_at, '' FROM unnest(%(probed)s::text[]) AS w (driver) CROSS JOIN LATERAL (
        SELECT e.id, e.due_at FROM effect e JOIN account a ON a.partner_id = e.partner_id AND a.id = e.account_id
        WHERE e.state = 'pending' AND e.lane = 'bulk' AND e.kind = 'supply' AND e.channel = '' AND e.due_at <= %(now)s
            AND (SELECT s.driver FROM service s WHERE s.partner_id = e.partner_id AND s.id = e.service_id) = w.driver
            AND (SELECT f.id FROM effect f WHERE f.partner_id = e.partner_id AND f.service_id = e.service_id
                AND f.kind = 'supply' AND f.state = 'in_flight') IS NULL
        ORDER BY e.due_at, e.id LIMIT 1 FOR NO KEY UPDATE OF a SKIP LOCKED
    ) d
    UNION ALL
    SELECT d.id, d.due_at, '' FROM (
        SELECT e.id, e.due_at FROM effect e JOIN account a ON a.partner_id = e.partner_id AND a.id = e.account_id
        WHERE e.state = 'pending' AND e.lane = 'bulk' AND e.kind = 'handover' AND e.due_at <= %(now)s
            AND e.channel <> ALL (%(no_handover)s::text[])
        ORDER BY e.due_at LIMIT %(handover_room)s FOR NO KEY UPDATE OF a SKIP LOCKED
    ) d
) e
ORDER BY e.due_at, e.id LIMIT %(limit)s

-- due_urgent: the same for restores and receipts: commands first, then what agencies are told, then messages, of which
-- only so many leave together. Each kind by its own order, so that no command is looked for behind a million messages
SELECT e.id, e.due_at, e.queue FROM (
    SELECT d.id, d.due_at, w.kind AS queue, w.place
    FROM unnest(%(kinds)s::text[], %(rooms)s::int[], %(since)s::timestamptz[], %(since_ids)s::bigint[])
        WITH ORDINALITY AS w (kind, room, since, since_id, place)
    CROSS JOIN LATERAL (
        SELECT e.id, e.due_at FROM effect e JOIN account a ON a.partner_id = e.partner_id AND a.id = e.account_id
        WHERE e.state = 'pending' AND e.lane = 'urgent' AND e.kind = w.kind AND e.due_at <= %(now)s
            AND (e.due_at, e.id) >= (w.since, w.since_id)
            AND (e.kind <> 'supply' OR (
                SELECT f.id FROM effect f WHERE f.partner_id = e.partner_id AND f.service_id = e.service_id
                    AND f.kind = 'supply' AND f.state = 'in_flight') IS NULL)
        ORDER BY e.due_at, e.id LIMIT w.room FOR NO KEY UPDATE OF a SKIP LOCKED
    ) d
) e
ORDER BY e.place, e.due_at, e.id LIMIT %(limit)s

-- still_due: read under the lock, by a later statement than the one that took it: what another worker took meanwhile is
-- not ours, and what it left in the outbox has its attempts counted
SELECT e.id, e.case_id, e.account_id, e.kind, e.template, e.part, e.step_number, e.service_id, e.level, e.generation,
    e.channel, e.params, e.key, e.attempts, e.created_at, e.why
FROM effect e
WHERE e.id = ANY (%(ids)s::bigint[]) AND e.state = 'pending'
    AND (e.kind <> 'supply' OR (
        SELECT f.id FROM effect f WHERE f.partner_id = e.partner_id AND f.service_id = e.service_id AND f.kind = 'supply'
            AND f.state = 'in_flight') IS NULL)
ORDER BY e.due_at, e.id

-- just_decided: commands that leave with their decision, by the unique index of their keys
SELECT e.id, e.case_id, e.account_id, e.kind, e.template, e.part, e.step_number, e.service_id, e.level, e.generation,
    e.channel, e.params, e.key, e.attempts, e.created_at, e.why
FROM effect e
WHERE e.key = ANY (%(keys)s::text[]) AND e.state = 'pending' AND (
    SELECT f.id FROM effect f WHERE f.partner_id = e.partner_id AND f.service_id = e.service_id AND f.kind = 'supply'
        AND f.state = 'in_flight') IS NULL
ORDER BY e.id

-- stop: withheld or cancelled, with the reason
UPDATE effect e SET state = w.state, why = w.why, finished_at = %(now)s
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(whys)s::text[]) AS w (id, state, why)
WHERE e.id = w.id AND e.state = 'pending'

-- later: not now; the reason is kept for whoever looks
UPDATE effect e SET due_at = w.due_at, why = w.why
FROM unnest(%(ids)s::bigint[], %(due)s::timestamptz[], %(whys)s::text[]) AS w (id, due_at, why)
WHERE e.id = w.id AND e.state = 'pending'

-- start: the attempts, on record before anything leaves
WITH gone AS (
    UPDATE effect e SET state = 'in_flight', attempts = e.attempts + 1, why = '',
        lease_until = CASE e.kind WHEN 'supply' THEN %(command_lease_until)s ELSE %(lease_until)s END
    FROM unnest(%(ids)s::bigint[]) AS w (id) WHERE e.id = w.id AND e.state = 'pending'
    RETURNING e.id, e.attempts
)
INSERT INTO attempt (partner_id, effect_id, number, driver, started_at, send_before)
SELECT %(partner)s, g.id, g.attempts, d.driver, %(now)s, %(send_before)s
FROM gone g JOIN unnest(%(ids)s::bigint[], %(drivers)s::text[]) AS d (id, driver) ON d.id = g.id
RETURNING effect_id, id, number

-- spend_cuts: what the limits an hour and a day count
INSERT INTO spent_cut (partner_id, attempt_id, at) SELECT %(partner)s, unnest(%(attempts)s::bigint[]), %(now)s

-- spent_lately: cuts that are repeated and spent the limits in the last hour
SELECT a.effect_id FROM attempt a JOIN spent_cut s ON s.partner_id = a.partner_id AND s.attempt_id = a.id
WHERE a.effect_id = ANY (%(effects)s::bigint[]) AND s.at > %(now)s - interval '1 hour'

-- spend_again: a cut counts where it was last tried
UPDATE spent_cut s SET at = %(now)s FROM attempt a
WHERE a.effect_id = ANY (%(effects)s::bigint[]) AND s.partner_id = a.partner_id AND s.attempt_id = a.id
    AND s.at > %(now)s - interval '1 hour'

-- cuts_spent: in the last hour and the last day
SELECT count(*) FILTER (WHERE at > %(now)s - interval '1 hour'), count(*) FROM spent_cut
WHERE at > %(now)s - interval '1 day'

-- lock_limits: one releaser of cuts at a time a partner, so that two cannot both spend the last one
SELECT pg_advisory_xact_lock(8210, %(partner)s)

-- traces: under which span each of these effects was decided, by the unique key of its case and event
SELECT e.id, t.traceparent FROM effect e
JOIN case_trace t ON t.case_id = e.case_id AND t.event_number = e.event_number WHERE e.id = ANY (%(ids)s::bigint[])

-- targets: how the outside knows the services of supply effects
SELECT e.id, s.kind, s.driver, s.address, s.full_profile, d.serial, d.address
FROM effect e JOIN service s ON s.partner_id = e.partner_id AND s.id = e.service_id
LEFT JOIN device d ON d.partner_id = s.partner_id AND d.access_point_id = s.access_point_id AND d.starts_at <= %(now)s
    AND (d.ends_at IS NULL OR d.ends_at > %(now)s)
WHERE e.id = ANY (%(ids)s::bigint[])

-- finish_attempts: their ends, where nobody has seen one yet
UPDATE attempt a SET finished_at = %(now)s, result = w.result, code = w.code, detail = w.detail, facts = w.facts
FROM unnest(%(ids)s::bigint[], %(results)s::text[], %(codes)s::text[], %(details)s::text[], %(facts)s::jsonb[])
    AS w (id, result, code, detail, facts)
WHERE a.id = w.id AND a.finished_at IS NULL RETURNING a.id

-- late_answer: an end that came after the attempt had been given up for lost; kept beside it
UPDATE attempt SET facts = facts || jsonb_build_object('late', %(facts)s::jsonb) WHERE id = %(attempt)s

-- of_outcomes: what outcomes are about; of a restore also when the newest of the payments was accepted that its
-- decision noted, if a payment was its reason
SELECT e.id, e.case_id, e.account_id, e.kind, e.service_id, e.level, e.generation, e.attempts, e.created_at, e.lane,
    e.state, e.template, u.generation, u.desired, e.channel,
    CASE WHEN e.kind = 'supply' AND e.lane = 'urgent' THEN (
        SELECT max(p.confirmed_at) FROM payment p
        WHERE p.partner_id = e.partner_id AND p.account_id = e.account_id AND p.noted_at = e.created_at) END
FROM effect e LEFT JOIN supply u ON u.partner_id = e.partner_id AND u.service_id = e.service_id
WHERE e.id = ANY (%(effects)s::bigint[])

-- end: done, refused, given up or withheld
UPDATE effect e SET state = w.state, finished_at = %(now)s, why = w.why, lease_until = NULL
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(whys)s::text[]) AS w (id, state, why)
WHERE e.id = w.id AND e.state = 'in_flight'

-- again: back in the outbox for another attempt
UPDATE effect SET state = 'pending', due_at = %(due_at)s, lease_until = NULL, why = %(why)s
WHERE id = %(effect)s AND state = 'in_flight'

-- lost: attempts whose lease ran out: nobody saw their end
SELECT e.id, e.account_id, a.id, a.driver FROM effect e
JOIN attempt a ON a.partner_id = e.partner_id AND a.effect_id = e.id AND a.number = e.attempts
WHERE e.state = 'in_flight' AND e.lease_until <= %(now)s ORDER BY e.account_id LIMIT %(limit)s

-- lost_of_last: how many of an effect's last attempts ended with their worker; one that answered late lived on
SELECT count(*) FILTER (WHERE code = %(code)s AND NOT facts ? 'late')
FROM (SELECT code, facts FROM attempt WHERE effect_id = %(effect)s ORDER BY number DESC LIMIT %(last)s) a

-- renew: still at it. Another's attempt at the same effect has a lease of its own, and one that we renew late, by a clock
-- that was read before we stood still, does not become shorter
UPDATE effect e SET lease_until = greatest(e.lease_until,
    CASE e.kind WHEN 'supply' THEN %(command_lease_until)s ELSE %(lease_until)s END)
FROM unnest(%(ids)s::bigint[], %(numbers)s::int[]) AS w (id, number)
WHERE e.id = w.id AND e.attempts = w.number AND e.state = 'in_flight'