-- at_commit: what must hold at every commit, of all partners at once; a row is a violation
SELECT 'two_commands' AS code, 'service ' || service_id AS what FROM effect
WHERE kind = 'supply' AND state = 'in_flight' GROUP BY service_id HAVING count(*) > 1
UNION ALL
SELECT 'stuck', t.params ->> 'error' FROM task t WHERE t.code = 'case_stuck'
UNION ALL
SELECT 'claim_unbalanced', c.number FROM claim c
LEFT JOIN (SELECT claim_id, sum(CASE WHEN debit = 'receivable' THEN amount ELSE -amount END) AS moved FROM transfer
    WHERE 'receivable' IN (debit, credit) GROUP BY claim_id) t ON t.claim_id = c.id
WHERE c.principal + c.costs + c.interest <> coalesce(t.moved, 0)
UNION ALL
SELECT 'credit_unbalanced', a.ref FROM account a
LEFT JOIN (SELECT account_id, sum(CASE WHEN credit = 'customer' THEN amount ELSE -amount END) AS moved FROM transfer
    WHERE 'customer' IN (debit, credit) GROUP BY account_id) t ON t.account_id = a.id
WHERE a.credit <> coalesce(t.moved, 0)
UNION ALL
SELECT 'payment_counted_wrongly', p.ref FROM payment p
LEFT JOIN (SELECT payment_id,
        count(*) FILTER (WHERE kind = 'payment') AS times, count(*) FILTER (WHERE kind = 'return') AS back,
        coalesce(sum(CASE kind WHEN 'allocation' THEN amount WHEN 'release' THEN -amount END), 0) AS used
    FROM transfer GROUP BY payment_id) t ON t.payment_id = p.id
WHERE coalesce(t.times, 0) <> (p.state IN ('confirmed', 'booked', 'returned') AND p.account_id IS NOT NULL)::int
    OR coalesce(t.back, 0) > (p.state = 'returned')::int
    OR coalesce(t.used, 0) NOT BETWEEN 0 AND p.amount
UNION ALL
SELECT 'feed_gap', 'partner ' || h.partner_id FROM feed_head h
WHERE h.position <> (SELECT count(*) FROM feed f WHERE f.partner_id = h.partner_id)
    OR h.position <> (SELECT coalesce(max(f.position), 0) FROM feed f WHERE f.partner_id = h.partner_id)
UNION ALL
SELECT 'feed_miscounts', 'case events'
WHERE (SELECT count(*) FROM case_event)
    <> (SELECT count(*) FROM feed WHERE event_number IS NOT NULL)
    + (SELECT count(*) FROM feed_pending WHERE event_number IS NOT NULL)
UNION ALL
SELECT 'lease_ignored', 'attempt ' || a.id FROM attempt a JOIN effect e ON e.id = a.effect_id
WHERE a.code = 'lost' AND a.finished_at
    < a.started_at + CASE e.kind WHEN 'supply' THEN interval '7 seconds' ELSE interval '59 seconds' END

-- left: attempts that were put on record since, and what must not have been so at that commit. A cut is an effect of
-- the bulk lane that lowers a level.
SELECT a.id, e.id, e.kind, e.template, e.level, e.lane, e.account_id,
    EXISTS (SELECT FROM partner p WHERE p.id = e.partner_id AND p.stopped_at < a.started_at) AS stopped,
    EXISTS (SELECT FROM hold h WHERE h.account_id = e.account_id AND h.starts_at <= %(now)s
        AND (h.ends_at IS NULL OR h.ends_at > %(now)s) AND h.claim_id IS NULL AND h.service_id IS NULL
        AND (h.case_id IS NULL OR h.case_id = e.case_id)) AS held,
    EXISTS (SELECT FROM payment p WHERE p.account_id = e.account_id AND p.state IN ('ordered', 'authorised')) AS coming,
    EXISTS (SELECT FROM flag f WHERE f.account_id = e.account_id AND f.value = 'yes' AND f.starts_at <= %(now)s
        AND (f.ends_at IS NULL OR f.ends_at > %(now)s)) AS in_danger,
    EXISTS (SELECT FROM instalment_plan i WHERE i.case_id = e.case_id AND i.state IN ('agreed', 'running')) AS planned,
    coalesce((SELECT sum(c.principal) FROM step_taken s JOIN step_claim k ON k.step_id = s.id
        JOIN claim c ON c.id = k.claim_id
        WHERE s.case_id = e.case_id AND s.number = e.step_number AND s.voided_at IS NULL), 0) AS owed
FROM attempt a JOIN effect e ON e.partner_id = a.partner_id AND e.id = a.effect_id
WHERE a.id > %(after)s ORDER BY a.id

-- seen: what Relight believes of each line
SELECT s.ref, s.address ->> 'device', u.observed, u.desired FROM supply u JOIN service s ON s.id = u.service_id
WHERE u.observed <> '' AND NOT EXISTS (SELECT FROM effect e WHERE e.service_id = s.id AND e.state = 'in_flight')
ORDER BY s.id

-- at_rest: what must hold when nothing is due and nobody is at anything; a row is a violation. Who owes nothing has a
-- line that is on, or that a person was told of.
SELECT 'unseen_payment' AS code, p.ref AS what FROM payment p
WHERE p.noted_at IS NULL AND p.state IN ('confirmed', 'booked', 'returned')
    AND EXISTS (SELECT FROM dunning_case c WHERE c.account_id = p.account_id AND c.state <> 'closed')
    AND p.received_at < %(now)s - interval '1 minute'
UNION ALL
SELECT 'not_restored', s.ref FROM service s JOIN supply u ON u.service_id = s.id
WHERE NOT EXISTS (SELECT FROM claim c WHERE c.account_id = s.account_id AND c.state = 'open')
    AND EXISTS (SELECT FROM payment p WHERE p.account_id = s.account_id AND p.state IN ('confirmed', 'booked')
        AND coalesce(p.confirmed_at, p.received_at) < %(now)s - interval '1 minute')
    AND (u.desired <> 'full' OR u.observed NOT IN ('full', 'ready'))
    AND NOT EXISTS (SELECT FROM effect e WHERE e.service_id = s.id AND e.state IN ('pending', 'in_flight'))
    AND NOT EXISTS (SELECT FROM task t WHERE t.account_id = s.account_id AND t.urgent)
UNION ALL
SELECT 'left_lying', 'effect ' || e.id FROM effect e
WHERE e.state = 'pending' AND e.due_at < %(now)s - interval '10 minutes'
        AND (e.lane = 'urgent' OR NOT EXISTS (SELECT FROM partner WHERE stopped_at IS NOT NULL))
    OR e.state = 'in_flight' AND e.lease_until < %(now)s - interval '10 minutes'
UNION ALL
SELECT 'case_left_lying', 'case ' || c.id FROM dunning_case c WHERE c.wakes_at < %(now)s - interval '10 minutes'

-- due: which loops have work at this moment
SELECT EXISTS (SELECT FROM dunning_case WHERE wakes_at <= %(now)s),
    EXISTS (SELECT FROM effect WHERE state = 'pending' AND due_at <= %(now)s),
    EXISTS (SELECT FROM effect WHERE state = 'in_flight' AND lease_until <= %(now)s)
        OR EXISTS (SELECT FROM feed_pending)

-- next_due: when something is due next
SELECT min(at) FROM (
    SELECT wakes_at AS at FROM dunning_case UNION ALL
    SELECT CASE state WHEN 'pending' THEN due_at ELSE lease_until END FROM effect WHERE state IN ('pending', 'in_flight')
) d WHERE at > %(now)s

-- coming: the accounts for which a step that takes something away, or its command, is due at a moment
SELECT a.ref FROM account a JOIN dunning_case c ON c.account_id = a.id
WHERE c.wakes_at <= %(at)s AND c.next_step IN ('limit', 'cut') AND c.next_at <= %(at)s::timestamptz + interval '10 minutes'
UNION
SELECT a.ref FROM account a JOIN effect e ON e.account_id = a.id
WHERE e.kind = 'supply' AND (e.state = 'pending' AND e.due_at <= %(at)s OR e.state = 'in_flight')
ORDER BY 1
