-- watch_groups: in FreeRADIUS's database: the first moment at which each customer's group is touched
CREATE TABLE bench_touched (username text PRIMARY KEY, at timestamptz NOT NULL);
CREATE FUNCTION bench_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO bench_touched VALUES (coalesce(new.username, old.username), clock_timestamp()) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER bench_touch AFTER INSERT OR UPDATE OR DELETE ON radusergroup FOR EACH ROW EXECUTE FUNCTION bench_touch();

-- groups_touched: those moments
SELECT username, at FROM bench_touched

-- due: how many of the load's cases wait to be decided; by the bulk lane's own index
SELECT count(*) FROM dunning_case
WHERE partner_id = %(partner)s AND lane = 'bulk' AND wakes_at <= clock_timestamp()
    AND account_id BETWEEN %(first)s AND %(last)s

-- is_due: whether the load goes on, and the moment; asked right before each payment
SELECT clock_timestamp(), EXISTS (SELECT FROM dunning_case
    WHERE partner_id = %(partner)s AND lane = 'bulk' AND wakes_at <= clock_timestamp())

-- wake_again: a slice of the load thinks anew; like every writer of facts it locks the accounts first
WITH ours AS (
    SELECT id FROM account WHERE partner_id = %(partner)s AND id BETWEEN %(first)s AND %(last)s
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE dunning_case c SET wakes_at = clock_timestamp() FROM ours
WHERE c.partner_id = %(partner)s AND c.account_id = ours.id AND c.lane = 'bulk' AND c.state <> 'closed'
    AND c.wakes_at > clock_timestamp()

-- restores: each payment's way: heard, released, proven; an attempt that had to be repeated counts to its last end
SELECT k.account_id, n.received_at, min(t.started_at),
    max(t.finished_at) FILTER (WHERE t.result = 'done' AND t.facts ->> 'proof' LIKE %(proof)s
        AND t.facts ->> 'observed' = ANY(%(observed)s::text[])),
    count(t.id)
FROM checkout k
JOIN provider_notice n ON n.partner_id = k.partner_id AND n.provider_ref = k.provider_ref
LEFT JOIN effect e ON e.partner_id = k.partner_id AND e.case_id = k.account_id AND e.kind = 'supply' AND e.level = 'full'
LEFT JOIN attempt t ON t.partner_id = e.partner_id AND t.effect_id = e.id
WHERE k.partner_id = %(partner)s AND k.account_id = ANY(%(accounts)s::bigint[])
GROUP BY k.account_id, n.received_at

-- unfinished: payments whose service is not yet seen to be back (or ready for its button)
SELECT count(*) FROM checkout k JOIN supply u ON u.partner_id = k.partner_id AND u.service_id = k.account_id
WHERE k.partner_id = %(partner)s AND k.account_id = ANY(%(accounts)s::bigint[])
    AND coalesce(u.observed, '') NOT IN ('full', 'ready')

-- messages: what else the workers did in that time
SELECT count(*) FROM attempt t JOIN effect e ON e.partner_id = t.partner_id AND e.id = t.effect_id
WHERE t.partner_id = %(partner)s AND e.kind = 'message' AND t.started_at >= %(since)s

-- move_to: another time zone, by which quiet hours are counted
UPDATE partner SET time_zone = %(zone)s WHERE id = %(partner)s

-- bare_update: the one row of the bare loop, and the moment; committed before the driver's command goes out
UPDATE supply SET desired_at = clock_timestamp() WHERE service_id = %(service)s RETURNING desired_at
