-- pulse: a partner's figures as rows of (figure, its labels, value): ages in seconds, lengths counted up to ten thousand,
-- each by the index that the work itself is found by
SELECT 'queue_age', ARRAY['decide', 'urgent'], coalesce(extract(epoch FROM %(now)s - (
    SELECT min(c.wakes_at) FROM dunning_case c
    WHERE c.partner_id = %(partner)s AND c.lane = 'urgent' AND c.wakes_at <= %(now)s)), 0)::float8
UNION ALL
SELECT 'queue_age', ARRAY['decide', 'bulk'], coalesce(extract(epoch FROM %(now)s - (
    SELECT min(c.wakes_at) FROM dunning_case c
    WHERE c.partner_id = %(partner)s AND c.lane = 'bulk' AND c.wakes_at <= %(now)s)), 0)::float8
UNION ALL
SELECT 'queue_age', ARRAY['release', 'urgent'], coalesce(extract(epoch FROM %(now)s - (
    SELECT min(e.due_at) FROM effect e
    WHERE e.partner_id = %(partner)s AND e.state = 'pending' AND e.lane = 'urgent' AND e.due_at <= %(now)s)), 0)::float8
UNION ALL
SELECT 'queue_age', ARRAY['release', 'bulk'], coalesce(extract(epoch FROM %(now)s - (
    SELECT min(e.due_at) FROM effect e
    WHERE e.partner_id = %(partner)s AND e.state = 'pending' AND e.lane = 'bulk' AND e.due_at <= %(now)s)), 0)::float8
UNION ALL
SELECT 'queue_length', ARRAY['decide', 'urgent'], count(*)::float8 FROM (SELECT FROM dunning_case c
    WHERE c.partner_id = %(partner)s AND c.lane = 'urgent' AND c.wakes_at <= %(now)s LIMIT 10000) d
UNION ALL
SELECT 'queue_length', ARRAY['decide', 'bulk'], count(*)::float8 FROM (SELECT FROM dunning_case c
    WHERE c.partner_id = %(partner)s AND c.lane = 'bulk' AND c.wakes_at <= %(now)s LIMIT 10000) d
UNION ALL
SELECT 'queue_length', ARRAY['release', 'urgent'], count(*)::float8 FROM (SELECT FROM effect e
    WHERE e.partner_id = %(partner)s AND e.state = 'pending' AND e.lane = 'urgent' AND e.due_at <= %(now)s
    LIMIT 10000) d
UNION ALL
SELECT 'queue_length', ARRAY['release', 'bulk'], count(*)::float8 FROM (SELECT FROM effect e
    WHERE e.partner_id = %(partner)s AND e.state = 'pending' AND e.lane = 'bulk' AND e.due_at <= %(now)s
    LIMIT 10000) d
UNION ALL
SELECT 'in_flight', ARRAY[e.kind], count(*)::float8 FROM effect e
WHERE e.partner_id = %(partner)s AND e.state = 'in_flight' GROUP BY e.kind
UNION ALL
SELECT f.figure, ARRAY[r.kind, r.name], f.value FROM driver_rest r CROSS JOIN LATERAL (VALUES
    ('driver_failures', r.failures::float8), ('driver_rests', CASE r.state WHEN 'open' THEN 0 ELSE 1 END::float8))
    f (figure, value)
WHERE r.partner_id = %(partner)s
UNION ALL
SELECT 'feed_waits', '{}', coalesce(extract(epoch FROM %(now)s - (
    SELECT p.at FROM feed_pending p WHERE p.partner_id = %(partner)s ORDER BY p.id LIMIT 1)), 0)::float8
UNION ALL
SELECT 'reader_behind', ARRAY[r.name], greatest(h.position - r.position, 0)::float8
FROM feed_reader r JOIN feed_head h ON h.partner_id = r.partner_id WHERE r.partner_id = %(partner)s
UNION ALL
SELECT 'unmatched', '{}', count(*)::float8 FROM (SELECT FROM payment p
    WHERE p.partner_id = %(partner)s AND p.unmatched > 0
    LIMIT 10000) d
UNION ALL
SELECT 'unmatched_age', '{}', coalesce(extract(epoch FROM %(now)s - (SELECT min(p.received_at) FROM payment p
    WHERE p.partner_id = %(partner)s AND p.unmatched > 0)), 0)::float8
UNION ALL
SELECT 'source_age', ARRAY[s.name], extract(epoch FROM %(now)s - s.complete_until)::float8 FROM source s
WHERE s.partner_id = %(partner)s AND s.complete_until IS NOT NULL
UNION ALL
SELECT f.figure, f.labels, f.value FROM (
    SELECT r.* FROM (VALUES ('invoices'), ('payments'), ('cases')) k (kind) CROSS JOIN LATERAL (
        SELECT r.* FROM import_run r
        WHERE r.partner_id = %(partner)s AND r.kind = k.kind AND r.finished_at IS NOT NULL
        ORDER BY r.finished_at DESC LIMIT 1) r
) n CROSS JOIN LATERAL (VALUES
    ('import_age', ARRAY[n.kind], extract(epoch FROM %(now)s - n.finished_at)::float8),
    ('import_seconds', ARRAY[n.kind], extract(epoch FROM n.finished_at - n.started_at)::float8),
    ('import_rows', ARRAY[n.kind, 'accepted'], n.accepted::float8),
    ('import_rows', ARRAY[n.kind, 'unchanged'], n.unchanged::float8),
    ('import_rows', ARRAY[n.kind, 'other'], n.other::float8),
    ('import_rows', ARRAY[n.kind, 'rejected'], n.rejected::float8)) f (figure, labels, value)
UNION ALL
SELECT 'tasks', ARRAY[CASE WHEN t.urgent THEN 'urgent' ELSE 'other' END,
    CASE WHEN t.due_at <= %(now)s THEN 'late' ELSE 'in time' END], count(*)::float8
FROM task t WHERE t.partner_id = %(partner)s AND t.state = 'open' GROUP BY 1, 2
UNION ALL
(SELECT 'audit_age', '{}'::text[], extract(epoch FROM %(now)s - a.at)::float8 FROM audit_result a
WHERE a.partner_id = %(partner)s ORDER BY a.at DESC LIMIT 1)
UNION ALL
SELECT 'stopped', '{}', CASE WHEN coalesce(p.stopped_at, (SELECT i.stopped_at FROM installation i WHERE i.id = 1))
    IS NULL THEN 0 ELSE 1 END
FROM partner p WHERE p.id = %(partner)s
