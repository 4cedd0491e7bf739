-- head: the right to give positions; whoever holds it works, the others have nothing to do
INSERT INTO feed_head (partner_id) VALUES (%(partner)s) ON CONFLICT DO NOTHING

-- take_head: skipping, so that no sequencer waits for another
SELECT position FROM feed_head WHERE partner_id = %(partner)s FOR UPDATE SKIP LOCKED

-- sequence: committed entries get the next positions, in the order of their identity
WITH moved AS (
    DELETE FROM feed_pending WHERE id IN (SELECT id FROM feed_pending ORDER BY id LIMIT %(limit)s)
    RETURNING id, topic, case_id, event_number, body, at
), placed AS (
    INSERT INTO feed (partner_id, position, topic, case_id, event_number, body, at)
    SELECT %(partner)s, %(position)s + row_number() OVER (ORDER BY id), topic, case_id, event_number, body, at FROM moved
    RETURNING 1
)
UPDATE feed_head SET position = position + (SELECT count(*) FROM placed) WHERE partner_id = %(partner)s
RETURNING position

-- read: entries after a position, with what their events say
SELECT f.position, f.topic, f.case_id, f.event_number, f.at, coalesce(e.params, f.body), e.actor, a.ref
FROM feed f
LEFT JOIN case_event e ON e.partner_id = f.partner_id AND e.case_id = f.case_id AND e.number = f.event_number
LEFT JOIN dunning_case c ON c.partner_id = f.partner_id AND c.id = f.case_id
LEFT JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
WHERE f.position > %(after)s ORDER BY f.position LIMIT %(limit)s

-- reader: where a named reader stands
INSERT INTO feed_reader (partner_id, name) VALUES (%(partner)s, %(name)s)
ON CONFLICT (partner_id, name) DO UPDATE SET name = excluded.name RETURNING position

-- acknowledge: forwards only
UPDATE feed_reader SET position = greatest(position, %(position)s), acknowledged_at = %(now)s WHERE name = %(name)s
