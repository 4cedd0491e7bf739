-- queues: seconds for which the oldest due thing of each queue has waited
SELECT name, extract(epoch FROM greatest(interval '0', clock_timestamp() - coalesce(since, clock_timestamp())))::numeric(12, 3)
FROM (
    SELECT 'decide ' || lane AS name,
        (SELECT min(wakes_at) FROM dunning_case c WHERE c.partner_id = %(partner)s AND c.lane = l.lane) AS since
    FROM (VALUES ('urgent'), ('bulk')) AS l (lane)
    UNION ALL
    SELECT 'release ' || lane,
        (SELECT min(due_at) FROM effect e WHERE e.partner_id = %(partner)s AND e.lane = l.lane AND e.state = 'pending')
    FROM (VALUES ('urgent'), ('bulk')) AS l (lane)
    UNION ALL
    SELECT 'feed', (SELECT min(at) FROM feed_pending WHERE partner_id = %(partner)s)
) q

-- behind: entries that the slowest reader has not acknowledged
SELECT coalesce(max(h.position - r.position), 0) FROM feed_reader r JOIN feed_head h ON h.partner_id = r.partner_id
WHERE r.partner_id = %(partner)s

-- tables: dead and live rows, and megabytes with indexes, of all tables
SELECT coalesce(sum(n_dead_tup), 0), coalesce(sum(n_live_tup), 0), coalesce(sum(pg_total_relation_size(relid)), 0) / 1048576
FROM pg_stat_user_tables
