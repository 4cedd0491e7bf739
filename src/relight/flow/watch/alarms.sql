-- alarms: what is late or wrong at a partner: how much of it (at most a thousand of each) and since when. Each part reads
-- by a partial index that holds only what is open, and names the partner, so that the index begins with it. OFFSET 0
-- keeps a look-up for each unfinished import: as a join all that were ever finished would be read
WITH reading AS MATERIALIZED (
    SELECT r.position + 1 AS next FROM feed_reader r WHERE r.partner_id = %(partner)s
), me AS (
    SELECT p.id, p.mode, p.created_at, p.stopped_at, p.money_stale_after_hours FROM partner p
    WHERE p.id = %(partner)s
), restores AS (
    (SELECT e.created_at AS at FROM effect e
    WHERE e.partner_id = %(partner)s AND e.state = 'pending' AND e.lane = 'urgent' AND e.kind = 'supply'
        AND e.created_at <= %(now)s::timestamptz - %(restore)s::interval LIMIT 1000)
    UNION ALL
    (SELECT e.created_at FROM effect e
    WHERE e.partner_id = %(partner)s AND e.state = 'in_flight' AND e.lane = 'urgent' AND e.kind = 'supply'
        AND e.created_at <= %(now)s::timestamptz - %(restore)s::interval LIMIT 1000)
), urgent AS (
    (SELECT c.wakes_at AS at FROM dunning_case c
    WHERE c.partner_id = %(partner)s AND c.lane = 'urgent' AND c.wakes_at <= %(now)s::timestamptz - %(urgent)s::interval
    ORDER BY c.wakes_at LIMIT 1000)
    UNION ALL
    (SELECT e.due_at FROM effect e
    WHERE e.partner_id = %(partner)s AND e.state = 'pending' AND e.lane = 'urgent'
        AND e.due_at <= %(now)s::timestamptz - %(urgent)s::interval ORDER BY e.due_at LIMIT 1000)
), bulk AS (
    (SELECT c.wakes_at AS at FROM dunning_case c
    WHERE c.partner_id = %(partner)s AND c.lane = 'bulk' AND c.wakes_at <= %(now)s::timestamptz - %(bulk)s::interval
    ORDER BY c.wakes_at LIMIT 1000)
    UNION ALL
    (SELECT e.due_at FROM effect e
    WHERE e.partner_id = %(partner)s AND e.state = 'pending' AND e.lane = 'bulk'
        AND e.due_at <= %(now)s::timestamptz - %(bulk)s::interval ORDER BY e.due_at LIMIT 1000)
), unknown AS (
    (SELECT e.created_at AS at FROM effect e
    JOIN attempt a ON a.partner_id = e.partner_id AND a.effect_id = e.id AND a.number = e.attempts
    WHERE e.partner_id = %(partner)s AND e.state = 'pending' AND e.attempts > 0 AND a.result = 'unknown'
        AND e.created_at <= %(now)s::timestamptz - %(unknown)s::interval LIMIT 1000)
    UNION ALL
    (SELECT e.lease_until FROM effect e
    WHERE e.partner_id = %(partner)s AND e.state = 'in_flight'
        AND e.lease_until <= %(now)s::timestamptz - %(lease)s::interval LIMIT 1000)
), imports AS (
    SELECT r.started_at AS at FROM import_run r
    WHERE r.partner_id = %(partner)s AND r.finished_at IS NULL
        AND r.started_at <= %(now)s::timestamptz - %(import)s::interval
        AND r.started_at > %(now)s::timestamptz - interval '7 days'
        AND NOT EXISTS (SELECT FROM import_run n WHERE n.partner_id = r.partner_id AND n.id > r.id AND n.kind = r.kind
            AND n.sha256 = r.sha256 AND n.finished_at IS NOT NULL OFFSET 0)
), stale AS (
    SELECT coalesce(s.complete_until, me.created_at) AS at FROM me JOIN source s ON s.partner_id = me.id
    WHERE s.required AND me.mode = 'live'
        AND coalesce(s.complete_until, me.created_at)
            <= %(now)s::timestamptz - make_interval(hours => me.money_stale_after_hours)
), behind AS (
    SELECT f.at FROM reading r JOIN feed f ON f.position = r.next
    WHERE f.partner_id = %(partner)s AND f.at <= %(now)s::timestamptz - %(reader)s::interval
), loose AS (
    SELECT p.received_at AS at FROM payment p
    WHERE p.partner_id = %(partner)s AND p.unmatched > 0
        AND p.received_at <= %(now)s::timestamptz - %(unmatched)s::interval LIMIT 1000
), tasks AS (
    SELECT t.code, t.urgent, t.due_at FROM task t
    WHERE t.partner_id = %(partner)s AND t.state = 'open' AND t.due_at <= %(now)s
), audit AS (
    SELECT a.at FROM audit_result a WHERE a.partner_id = %(partner)s ORDER BY a.at DESC LIMIT 1
), violations AS (
    SELECT a.at, a.violations FROM audit_result a
    WHERE a.partner_id = %(partner)s AND a.violations > 0 AND NOT EXISTS (
        SELECT FROM audit_result n
        WHERE n.partner_id = a.partner_id AND n.at > a.at AND n.is_full AND n.violations = 0)
    ORDER BY a.at DESC LIMIT 1
)
SELECT 'restore_overdue', count(*), min(at) FROM restores
UNION ALL SELECT 'restore_failed', count(*), min(due_at) FROM tasks
    WHERE urgent AND code IN ('given_up', 'not_restored')
UNION ALL SELECT 'case_stuck', count(*), min(due_at) FROM tasks WHERE urgent AND code = 'case_stuck'
UNION ALL SELECT 'urgent_waits', count(*), min(at) FROM urgent
UNION ALL SELECT 'sequencer_stopped', count(*), min(at) FROM (
    SELECT p.at FROM feed_pending p WHERE p.partner_id = %(partner)s ORDER BY p.id LIMIT 1) oldest
    WHERE at <= %(now)s::timestamptz - %(feed)s::interval
UNION ALL SELECT 'audit_violation', coalesce(sum(violations), 0), min(at) FROM violations
UNION ALL SELECT 'task_urgent_late', count(*), min(due_at) FROM tasks
    WHERE urgent AND due_at <= %(now)s::timestamptz - %(task_urgent)s::interval
        AND code NOT IN ('given_up', 'not_restored', 'case_stuck')
UNION ALL SELECT 'effect_unknown', count(*), min(at) FROM unknown
UNION ALL SELECT 'bulk_waits', count(*), min(at) FROM bulk
UNION ALL SELECT 'source_stale', count(*), min(at) FROM stale
UNION ALL SELECT 'import_unfinished', count(*), min(at) FROM imports
UNION ALL SELECT 'payments_unmatched', count(*), min(at) FROM loose
UNION ALL SELECT 'task_late', count(*), min(due_at) FROM tasks
    WHERE NOT urgent AND due_at <= %(now)s::timestamptz - %(task)s::interval
UNION ALL SELECT 'reader_behind', count(*), min(at) FROM behind
UNION ALL SELECT 'audit_old', count(*), min(at) FROM (
    SELECT coalesce((SELECT at FROM audit), me.created_at) AS at FROM me WHERE me.mode = 'live') last
    WHERE at <= %(now)s::timestamptz - %(audit)s::interval
UNION ALL SELECT 'stopped', count(*), min(at) FROM (
    SELECT coalesce(me.stopped_at, (SELECT i.stopped_at FROM installation i WHERE i.id = 1)) AS at FROM me) since
    WHERE at <= %(now)s::timestamptz - %(stopped)s::interval

-- log_slot: the slot by which the server's log is written down elsewhere: whether somebody fetches it, and else since when
-- nobody does. PostgreSQL keeps that from 17 on; of one before, it is taken to be since the server's start
SELECT s.active AND coalesce(s.wal_status, '') <> 'lost',
    coalesce((to_jsonb(s) ->> 'inactive_since')::timestamptz, pg_postmaster_start_time())
FROM pg_replication_slots s WHERE s.slot_name = 'relight_backup'
