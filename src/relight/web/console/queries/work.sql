-- tasks: open work, urgent first, then by deadline; a page at a time
SELECT t.id, t.code, t.params, t.urgent, t.created_at, t.due_at, t.case_id, a.ref, a.currency, r.text, debtor.name
FROM task t
LEFT JOIN account a ON a.partner_id = t.partner_id AND a.id = t.account_id
LEFT JOIN received_message r ON t.code = 'read_message' AND r.id = (t.params ->> 'message')::bigint
LEFT JOIN LATERAL (
    SELECT p.name FROM account_role r JOIN party p ON p.partner_id = r.partner_id AND p.id = r.party_id
    WHERE r.account_id = a.id AND r.role = 'debtor' AND r.ends_at IS NULL ORDER BY r.id LIMIT 1
) debtor ON true
WHERE t.state = 'open' AND (%(code)s = '' OR t.code = %(code)s)
    AND (%(due)s = '' OR (%(due)s = 'late' AND t.due_at <= %(now)s)
        OR (%(due)s = 'week' AND t.due_at <= %(now)s::timestamptz + interval '7 days')
        OR (%(due)s = 'urgent' AND t.urgent))
ORDER BY t.urgent DESC, t.due_at, t.id LIMIT %(size)s OFFSET %(offset)s

-- task_counts: how much of what there is to do
SELECT t.code, count(*), count(*) FILTER (WHERE t.due_at <= %(now)s),
    count(*) FILTER (WHERE t.due_at <= %(now)s::timestamptz + interval '7 days'), count(*) FILTER (WHERE t.urgent)
FROM task t WHERE t.state = 'open' GROUP BY t.code ORDER BY 2 DESC, 1

-- task: one, to act on
SELECT t.id, t.code, t.params, t.urgent, t.created_at, t.due_at, t.case_id, a.ref, a.currency, r.text, debtor.name
FROM task t
LEFT JOIN account a ON a.partner_id = t.partner_id AND a.id = t.account_id
LEFT JOIN received_message r ON t.code = 'read_message' AND r.id = (t.params ->> 'message')::bigint
LEFT JOIN LATERAL (
    SELECT p.name FROM account_role r JOIN party p ON p.partner_id = r.partner_id AND p.id = r.party_id
    WHERE r.account_id = a.id AND r.role = 'debtor' AND r.ends_at IS NULL ORDER BY r.id LIMIT 1
) debtor ON true
WHERE t.id = %(task)s

-- approvals: steps that wait for a yes, the oldest first
SELECT p.id, p.case_id, c.version, a.ref, debtor.name, p.step, p.needs, p.requested_at, p.requested_by, p.decided_by,
    c.arrears, a.currency, a.profile, cardinality(p.claims), c.services
FROM approval p
JOIN dunning_case c ON c.partner_id = p.partner_id AND c.id = p.case_id
JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
LEFT JOIN LATERAL (
    SELECT y.name FROM account_role r JOIN party y ON y.partner_id = r.partner_id AND y.id = r.party_id
    WHERE r.account_id = a.id AND r.role = 'debtor' AND r.ends_at IS NULL ORDER BY r.id LIMIT 1
) debtor ON true
WHERE p.state = 'requested' AND (%(step)s = '' OR p.step = %(step)s)
    AND (%(ids)s::bigint[] IS NULL OR p.id = ANY(%(ids)s::bigint[]))
ORDER BY p.requested_at, p.id LIMIT %(size)s

-- approval_steps: how many wait for each step
SELECT p.step, count(*) FROM approval p WHERE p.state = 'requested' AND p.case_id IS NOT NULL
GROUP BY p.step ORDER BY 2 DESC, 1

-- overview: the small front page in one pass each
SELECT
    (SELECT count(*) FROM dunning_case WHERE state = 'active'),
    (SELECT coalesce(sum(arrears), 0) FROM dunning_case WHERE state = 'active'),
    (SELECT count(*) FROM dunning_case WHERE state = 'watching'),
    (SELECT count(DISTINCT h.account_id) FROM hold h
     WHERE h.starts_at <= %(now)s AND (h.ends_at IS NULL OR h.ends_at > %(now)s)),
    (SELECT jsonb_object_agg(desired, n) FROM (
        SELECT desired, count(*) AS n FROM supply WHERE desired <> 'full' GROUP BY desired) l),
    (SELECT count(*) FROM supply WHERE desired = 'full' AND observed NOT IN ('', 'full', 'ready')),
    (SELECT jsonb_object_agg(step, n) FROM (
        SELECT step, count(*) AS n FROM dunning_case WHERE state = 'active' GROUP BY step) s)

-- restored: restores that were read back within the last day, and how long they took from decision to proof
SELECT count(*), percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
    ORDER BY extract(epoch FROM f.finished_at - f.created_at)::float8)
FROM effect f
WHERE f.kind = 'supply' AND f.lane = 'urgent' AND f.state = 'done'
    AND f.finished_at > %(now)s::timestamptz - interval '24 hours'
