-- version: one of a policy's, by its number
SELECT id, version, hash, text, cap FROM policy_version WHERE name = %(name)s AND version = %(version)s

-- under: versions of a policy that cases run under
SELECT v.version, count(*) FROM policy_version v
JOIN dunning_case c ON c.partner_id = v.partner_id AND c.policy_version_id = v.id
WHERE v.name = %(name)s AND c.state <> 'closed' GROUP BY v.version ORDER BY v.version

-- page: running cases of a version by id, a batch at a time; with `bulk` only those that this very move brought there
SELECT c.id, c.account_id FROM dunning_case c
WHERE c.policy_version_id = %(old)s AND c.state <> 'closed' AND c.id > %(after)s
    AND (%(cases)s::bigint[] IS NULL OR c.id = ANY (%(cases)s::bigint[]))
    AND (%(bulk)s::bigint IS NULL OR %(bulk)s::bigint = (
        SELECT e.bulk_id FROM case_event e WHERE e.case_id = c.id AND e.code = 'policy_moved'
        ORDER BY e.number DESC LIMIT 1))
ORDER BY c.id LIMIT %(limit)s

-- underway: what each has come to, read after its account was locked; what somebody else moved or closed is left out
SELECT c.id, s.steps, s.completed,
    ARRAY(SELECT p.step FROM approval p WHERE p.case_id = c.id AND p.kind = 'step'
        AND p.state IN ('requested', 'granted') ORDER BY p.id),
    EXISTS (SELECT FROM effect e WHERE e.case_id = c.id AND e.state IN ('pending', 'in_flight')),
    EXISTS (SELECT FROM dunning_case o WHERE o.account_id = c.account_id AND o.policy_version_id = %(new)s
        AND o.state <> 'closed')
FROM dunning_case c
LEFT JOIN LATERAL (
    SELECT array_agg(k.step ORDER BY k.number) AS steps,
        array_agg(k.completed_at IS NOT NULL ORDER BY k.number) AS completed
    FROM step_taken k WHERE k.case_id = c.id AND k.voided_at IS NULL
) s ON true
WHERE c.id = ANY (%(ids)s::bigint[]) AND c.policy_version_id = %(old)s AND c.state <> 'closed'
ORDER BY c.id

-- lock_version: so that nobody takes the room meanwhile; accounts are locked before
SELECT id FROM policy_version WHERE id = %(id)s FOR NO KEY UPDATE

-- room: how many more cases its cap lets run; nothing where it has none. In a statement after the lock: one that waits
-- for it would count what there was before
SELECT cap - (SELECT count(*) FROM dunning_case c WHERE c.policy_version_id = v.id AND c.state <> 'closed')
FROM policy_version v WHERE v.id = %(id)s

-- promised: days to pay that letters gave, of completed steps that nobody voided and that were not taken over, each with
-- the version that sent it: a case may have been moved before
SELECT k.id, v.id, k.step, (k.completed_at AT TIME ZONE p.time_zone)::date, k.pay_by_date
FROM step_taken k
JOIN partner p ON p.id = k.partner_id
JOIN case_event e ON e.partner_id = k.partner_id AND e.case_id = k.case_id AND e.number = k.number
JOIN LATERAL (
    SELECT max(v.id) AS id FROM policy_version v WHERE v.name = %(name)s AND v.hash = e.policy_hash
) v ON v.id IS NOT NULL
WHERE k.case_id = ANY (%(ids)s::bigint[]) AND k.voided_at IS NULL AND k.completed_at IS NOT NULL
    AND k.pay_by_date IS NOT NULL AND k.proof = ''

-- keep_promises: they go along, whatever the other version would give
UPDATE step_taken k SET pay_by_date = w.day FROM unnest(%(steps)s::bigint[], %(days)s::date[]) AS w (id, day)
WHERE k.id = w.id AND k.pay_by_date < w.day

-- move: to another version, each with its event, and think again now
WITH moved AS (
    UPDATE dunning_case SET policy_version_id = %(new)s, version = version + 1, wakes_at = least(wakes_at, %(now)s)
    WHERE id = ANY (%(ids)s::bigint[]) RETURNING partner_id, id, version
)
INSERT INTO case_event (partner_id, case_id, number, code, params, actor, cause, at, bulk_id, policy_hash)
SELECT partner_id, id, version, 'policy_moved', jsonb_build_object('policy', %(name)s::text, 'from', %(from)s::int,
    'to', %(to)s::int), %(actor)s, %(cause)s, %(now)s, %(bulk)s, %(hash)s
FROM moved ORDER BY id

-- act: a move on record, by its bulk id
SELECT name, version, params FROM policy_act WHERE id = %(bulk)s AND code = 'moving'
