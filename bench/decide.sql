-- written: what one side's turns left: cases that have taken a step or moved on, those put off, those still due, and the
-- rows with their weight. What the population brought is older than the turn; who sleeps beside has ids from `below` on.
SELECT
    count(*) FILTER (WHERE c.turned_at = %(now)s AND c.wakes_at > %(now)s AND e.events > 0),
    count(*) FILTER (WHERE c.turned_at = %(now)s AND c.wakes_at > %(now)s AND coalesce(e.events, 0) = 0),
    count(*) FILTER (WHERE c.turned_at <> %(now)s OR c.wakes_at <= %(now)s),
    coalesce(sum(e.events), 0)::bigint,
    (SELECT count(*) FROM step_taken s WHERE s.partner_id = ANY(%(partners)s::int[]) AND s.decided_at = %(now)s),
    (SELECT count(*) FROM effect f WHERE f.partner_id = ANY(%(partners)s::int[]) AND f.created_at = %(now)s),
    (coalesce(sum(pg_column_size(c.*)), 0) + coalesce(sum(e.bytes), 0)
        + (SELECT coalesce(sum(pg_column_size(f.*)), 0) FROM effect f
            WHERE f.partner_id = ANY(%(partners)s::int[]) AND f.created_at = %(now)s))::bigint
FROM dunning_case c
LEFT JOIN (
    SELECT partner_id, case_id, count(*) AS events, sum(pg_column_size(v.*)) AS bytes FROM case_event v
    WHERE v.partner_id = ANY(%(partners)s::int[]) AND v.at = %(now)s GROUP BY partner_id, case_id
) e ON e.partner_id = c.partner_id AND e.case_id = c.id
WHERE c.partner_id = ANY(%(partners)s::int[]) AND c.id < %(below)s
