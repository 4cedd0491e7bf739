-- waiting: what waits for people, from the partial indexes of open tasks and approvals, sources that are late, and
-- drivers that rest after failures
SELECT t.open, t.urgent, (SELECT count(*) FROM approval WHERE state = 'requested'),
    (SELECT jsonb_agg(jsonb_build_array(s.name, s.complete_until) ORDER BY s.name) FROM source s
     WHERE s.required AND (s.complete_until IS NULL
         OR s.complete_until < %(now)s::timestamptz - make_interval(hours => %(hours)s))),
    (SELECT jsonb_agg(jsonb_build_array(r.name, r.failures, r.since) ORDER BY r.name) FROM driver_rest r
     WHERE r.state <> 'open')
FROM (SELECT count(*) AS open, count(*) FILTER (WHERE urgent) AS urgent FROM task WHERE state = 'open') t
