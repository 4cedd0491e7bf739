-- remember: the newest span that woke each case of these accounts; the next decision goes on from it
INSERT INTO case_trace (partner_id, case_id, event_number, traceparent, at)
SELECT c.partner_id, c.id, 0, %(traceparent)s, %(now)s FROM dunning_case c
WHERE c.account_id = ANY (%(accounts)s::bigint[]) AND c.wakes_at IS NOT NULL
ORDER BY c.id
ON CONFLICT (partner_id, case_id, event_number) DO UPDATE SET traceparent = excluded.traceparent, at = excluded.at

-- woken: what woke these cases, by the unique key; taken away, since it is decided upon now
DELETE FROM case_trace WHERE case_id = ANY (%(cases)s::bigint[]) AND event_number = 0 RETURNING case_id, traceparent

-- decided: the span of each new event, for the effects that come from it
INSERT INTO case_trace (partner_id, case_id, event_number, traceparent, at)
SELECT %(partner)s, w.case_id, w.number, w.traceparent, %(now)s
FROM unnest(%(cases)s::bigint[], %(numbers)s::integer[], %(traceparents)s::text[]) AS w (case_id, number, traceparent)
ON CONFLICT (partner_id, case_id, event_number) DO NOTHING

-- forget: traces whose story is long over, by the index on their moment
DELETE FROM case_trace WHERE at < %(before)s
