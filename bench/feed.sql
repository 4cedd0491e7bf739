-- lock: the accounts of a slice, as every writer of facts takes them
SELECT id FROM account WHERE id BETWEEN %(first)s AND %(last)s ORDER BY id FOR NO KEY UPDATE

-- write: one event on each case of a slice, numbered after its last one, as a turn writes them
WITH moved AS (
    UPDATE dunning_case SET version = version + 1 WHERE account_id BETWEEN %(first)s AND %(last)s RETURNING id, version
)
INSERT INTO case_event (partner_id, case_id, number, code, actor, at, params)
SELECT %(partner)s, id, version, 'note', 'bench', %(now)s, '{"text": "the line was looked at, and is well"}' FROM moved

-- head: the last position that was given, and how many entries wait for theirs
SELECT coalesce((SELECT position FROM feed_head WHERE partner_id = %(partner)s), 0),
    (SELECT count(*) FROM feed_pending WHERE partner_id = %(partner)s)

-- written: how many events there are to tell of
SELECT count(*) FROM case_event e WHERE e.partner_id = %(partner)s AND e.code = 'note'

-- raw: the same rows once more, for another partner, by the tables' owner in one statement
INSERT INTO feed (partner_id, position, topic, case_id, event_number, body, at)
SELECT %(other)s, position, topic, case_id, event_number, body, at FROM feed
WHERE partner_id = %(partner)s AND position > %(after)s

-- waiting: how many of the writers wait for somebody's lock at this moment; a file that grows is nobody's
SELECT count(*) FROM pg_stat_activity WHERE application_name = 'relight-bench-writer' AND wait_event_type = 'Lock'
    AND wait_event <> 'extend'
