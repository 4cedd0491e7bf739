-- keep: where a scheme's files go, from which hour on, and within how many working days somebody says that they came
INSERT INTO collecting_calendar (partner_id, scheme, folder, from_hour, receipt_days, is_on, noted_at, noted_by)
VALUES (%(partner)s, %(scheme)s, %(folder)s, %(hour)s, %(receipt_days)s, true, %(now)s, %(actor)s)
ON CONFLICT (partner_id, scheme) DO UPDATE SET folder = excluded.folder, from_hour = excluded.from_hour,
    receipt_days = excluded.receipt_days, is_on = true, noted_at = excluded.noted_at, noted_by = excluded.noted_by

-- turn_off: nothing more is written by itself; what was written still goes out
UPDATE collecting_calendar SET is_on = false, noted_at = %(now)s, noted_by = %(actor)s
WHERE scheme = %(scheme)s AND is_on

-- calendars: all of a partner
SELECT scheme, folder, from_hour, receipt_days, is_on, planned_on FROM collecting_calendar ORDER BY scheme

-- at_work: whether the partner's files may leave: it is live, and nobody has stopped it
SELECT p.mode <> 'shadow' AND p.stopped_at IS NULL AND NOT EXISTS (
    SELECT FROM installation i WHERE i.stopped_at IS NOT NULL)
FROM partner p WHERE p.id = %(partner)s

-- my_turn: the calendar of a scheme, locked; nothing when another worker has it
SELECT folder, from_hour, receipt_days, is_on, planned_on FROM collecting_calendar
WHERE scheme = %(scheme)s FOR NO KEY UPDATE SKIP LOCKED

-- planned: this day's plan is made
UPDATE collecting_calendar SET planned_on = %(today)s WHERE is_on AND planned_on IS DISTINCT FROM %(today)s

-- undelivered: files that the workers wrote and that do not lie in their folder yet, the oldest first
SELECT f.id, f.message FROM collection_file f
WHERE f.scheme = %(scheme)s AND f.written_by = 'worker'
    AND NOT EXISTS (SELECT FROM collection_delivery d WHERE d.file_id = f.id)
ORDER BY f.id

-- delivered: it lies there
INSERT INTO collection_delivery (partner_id, file_id, place, delivered_at)
VALUES (%(partner)s, %(file)s, %(place)s, %(now)s) ON CONFLICT (partner_id, file_id) DO NOTHING

-- unheard: files that were delivered up to a moment, and of which nobody has said anything
SELECT f.message, f.kind, d.delivered_at FROM collection_file f JOIN collection_delivery d ON d.file_id = f.id
WHERE f.scheme = %(scheme)s AND d.delivered_at < %(before)s
    AND NOT EXISTS (SELECT FROM collection_receipt r WHERE r.file_id = f.id)
ORDER BY f.id

-- heard: what the other side says of a file; the same again is not noted twice
INSERT INTO collection_receipt (partner_id, file_id, outcome, told, heard_at, heard_by)
SELECT f.partner_id, f.id, %(outcome)s, %(told)s, %(now)s, %(actor)s FROM collection_file f
WHERE f.message = %(message)s AND NOT EXISTS (
    SELECT FROM collection_receipt r WHERE r.file_id = f.id AND r.outcome = %(outcome)s)

-- is_ours: whether there is such a file
SELECT EXISTS (SELECT FROM collection_file WHERE message = %(message)s)

-- ask: a person looks after a file; once while the task is open
INSERT INTO task (partner_id, code, params, urgent, created_at, due_at, dedup)
VALUES (%(partner)s, %(code)s, %(params)s, true, %(now)s, %(due)s, %(dedup)s)
ON CONFLICT (partner_id, dedup) WHERE state = 'open' DO NOTHING

-- done: what the task was about has come
UPDATE task SET state = 'done', done_at = %(now)s, done_by = 'relight'
WHERE dedup = ANY (%(dedups)s::text[]) AND state = 'open'

-- coming: collections that no file has ordered yet, by day and scheme; `told` are those whose customers a message of
-- ours has reached
SELECT m.scheme, k.collect_date, k.currency, count(*), sum(k.amount)::bigint,
    count(*) FILTER (WHERE EXISTS (
        SELECT FROM collection_notice o JOIN effect e ON e.id = o.effect_id AND e.state = 'done'
        WHERE o.collection_id = k.id))
FROM collection k JOIN mandate m ON m.id = k.mandate_id
WHERE k.state = 'planned' AND (%(scheme)s::text = '' OR m.scheme = %(scheme)s)
GROUP BY 1, 2, 3 ORDER BY 2, 1, 3 LIMIT %(limit)s

-- partners: all of them
SELECT id FROM partner ORDER BY id
