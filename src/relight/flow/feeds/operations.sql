-- head: the right to give positions; whoever holds it works, the others have nothing to do
INSERT INTO feed_head (partner_id) VALUES (%(partner)s) ON CONFLICT DO NOTHING

-- take_head: skipping, so that no sequencer waits for another
SELECT position, settled FROM feed_head WHERE partner_id = %(partner)s FOR UPDATE SKIP LOCKED

-- sequence: committed entries get the next positions, in the order of their identity; by their place in the table, since
-- a join would read all that waits for each batch. What was taken before leaves dead rows, which no vacuum removes while
-- somebody holds an old snapshot: so we begin where nothing can come late. A writer has its number before it draws an
-- identity (the triggers write after a row). So when a later transaction of ours has its own number (`seen_before`), all
-- who drew up to `seen` have lower ones; and when those have ended, none of them can come late.
WITH moved AS (
    DELETE FROM feed_pending WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM feed_pending WHERE id > %(settled)s ORDER BY id LIMIT %(limit)s))
    RETURNING id, topic, case_id, event_number, body, at
), placed AS (
    INSERT INTO feed (partner_id, position, topic, case_id, event_number, body, at)
    SELECT %(partner)s, %(position)s + row_number() OVER (ORDER BY id), topic, case_id, event_number, body, at FROM moved
    RETURNING 1
), taken AS (
    SELECT (SELECT count(*) FROM placed) AS n, count(*) < %(limit)s AS all_of_it, max(id) AS last,
        pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS ended_before,
        pg_current_xact_id()::text::bigint AS own
    FROM moved
), known AS (
    SELECT t.*, h.seen_before = 0 AS is_new,
        h.seen_before > 0 AND h.seen_before <= t.ended_before AND (t.all_of_it OR t.last >= h.seen) AS is_settled,
        h.seen_before > t.own AS is_of_another_server
    FROM taken t JOIN feed_head h ON h.partner_id = %(partner)s
)
UPDATE feed_head h SET position = h.position + k.n,
    settled = CASE WHEN k.is_settled THEN greatest(h.settled, h.seen) ELSE h.settled END,
    seen = CASE WHEN k.is_settled OR k.is_of_another_server THEN coalesce(k.last, h.seen) ELSE h.seen END,
    seen_before = CASE WHEN k.is_settled OR k.is_of_another_server THEN 0 WHEN k.is_new THEN k.own ELSE h.seen_before END
FROM known k WHERE h.partner_id = %(partner)s
RETURNING h.position

-- read: entries after a position, with what their events say. Looked up one by one: how many are asked for is not known
-- to a plan that is made once, which then reads the whole log for each page of a long feed (seconds). The
-- account's number comes from a place of its own: a row's wall lets no other function near its index.
SELECT f.position, f.topic, f.case_id, f.event_number, f.at, coalesce(e.params, f.body), e.actor, a.ref
FROM (SELECT * FROM feed WHERE position > %(after)s ORDER BY position LIMIT %(limit)s) f
LEFT JOIN LATERAL (
    SELECT v.params, v.actor FROM case_event v
    WHERE v.partner_id = f.partner_id AND v.case_id = f.case_id AND v.number = f.event_number LIMIT 1
) e ON true
CROSS JOIN LATERAL (
    SELECT coalesce(
        (SELECT x.account_id FROM dunning_case x WHERE x.partner_id = f.partner_id AND x.id = f.case_id),
        (f.body ->> 'account')::bigint) AS account_id OFFSET 0
) c
LEFT JOIN LATERAL (
    SELECT y.ref FROM account y WHERE y.partner_id = f.partner_id AND y.id = c.account_id LIMIT 1
) a ON true
ORDER BY f.position

-- reader: where a named reader stands
INSERT INTO feed_reader (partner_id, name) VALUES (%(partner)s, %(name)s)
ON CONFLICT (partner_id, name) DO UPDATE SET name = excluded.name RETURNING position

-- acknowledge: forwards only
UPDATE feed_reader SET position = greatest(position, %(position)s), acknowledged_at = %(now)s WHERE name = %(name)s
