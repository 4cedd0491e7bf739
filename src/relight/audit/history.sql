-- page: attempts at commands that left the customer with less than the last one that had succeeded, a page at a time by
-- id. What gives back, and what repeats what is so already, takes nothing away.
SELECT a.id AS attempt_id, a.number AS attempt_number, a.started_at, e.id AS effect_id, e.case_id, e.account_id,
    e.event_number, e.step_number, e.service_id, e.level, s.kind AS service_kind, s.ref AS service_ref,
    n.debtor, c.services, c.policy_version_id, v.policy_hash, v.facts, v.at AS decided_event_at,
    t.id AS step_id, t.step, t.decided_at, t.voided_at
FROM attempt a
JOIN effect e ON e.partner_id = a.partner_id AND e.id = a.effect_id
JOIN service s ON s.partner_id = e.partner_id AND s.id = e.service_id
JOIN account n ON n.partner_id = e.partner_id AND n.id = e.account_id
JOIN dunning_case c ON c.partner_id = e.partner_id AND c.id = e.case_id
LEFT JOIN step_taken t ON t.partner_id = e.partner_id AND t.case_id = e.case_id AND t.number = e.step_number
LEFT JOIN case_event v ON v.partner_id = e.partner_id AND v.case_id = e.case_id
    AND v.number = coalesce(t.number, e.event_number)
LEFT JOIN LATERAL (
    SELECT f.level FROM effect f JOIN attempt b ON b.partner_id = f.partner_id AND b.effect_id = f.id
    WHERE f.partner_id = e.partner_id AND f.service_id = e.service_id AND f.kind = 'supply' AND b.result = 'done'
        AND b.id < a.id
    ORDER BY b.id DESC LIMIT 1
) p ON true
WHERE a.partner_id = %(partner)s AND e.kind = 'supply' AND e.level <> 'full' AND a.id > %(after)s
    AND a.started_at >= %(since)s::timestamptz
    AND array_position(ARRAY['off', 'walled_garden', 'limited', 'full'], e.level)
        < array_position(ARRAY['off', 'walled_garden', 'limited', 'full'], coalesce(p.level, 'full'))
ORDER BY a.id LIMIT %(limit)s

-- asked: steps that ask people to take a service away or to hand over, a page at a time by id. There is no attempt: the
-- id of the step, below zero, stands for it.
SELECT -t.id AS attempt_id, 1 AS attempt_number, t.decided_at AS started_at, -t.id AS effect_id, t.case_id, c.account_id,
    t.number AS event_number, t.number AS step_number, NULL::bigint AS service_id, NULL AS level,
    NULL AS service_kind, n.ref AS service_ref, n.debtor, c.services, c.policy_version_id, v.policy_hash, v.facts,
    v.at AS decided_event_at, t.id AS step_id, t.step, t.decided_at, t.voided_at
FROM step_taken t
JOIN dunning_case c ON c.partner_id = t.partner_id AND c.id = t.case_id
JOIN account n ON n.partner_id = c.partner_id AND n.id = c.account_id
LEFT JOIN case_event v ON v.partner_id = t.partner_id AND v.case_id = t.case_id AND v.number = t.number
WHERE t.partner_id = %(partner)s AND t.step = ANY (%(names)s::text[]) AND t.proof = '' AND t.id > %(after)s
    AND t.decided_at >= %(since)s::timestamptz
ORDER BY t.id LIMIT %(limit)s

-- claims: what each cut's step rests on, with what was owed when it left, from the transfers alone. Both sides of the
-- moment are read, and the higher is what counts: for what came in the same moment nobody can say which was first.
SELECT x.attempt_id, k.claim_id, c.number, greatest(c.due_date, c.deferred_to) AS due_date, b.principal, b.costs,
    d.decided_before, d.decided_after, coalesce(h.held, 0) AS held, coalesce(h.held_then, 0) AS held_then,
    coalesce(l.lines, 0) AS lines_for_services, coalesce(l.ours, 0) AS lines_for_service
FROM unnest(%(attempts)s::bigint[], %(steps)s::bigint[], %(moments)s::timestamptz[], %(decided)s::timestamptz[],
    %(services)s::bigint[]) AS x (attempt_id, step_id, moment, decided_at, service_id)
JOIN step_claim k ON k.partner_id = %(partner)s AND k.step_id = x.step_id
JOIN step_taken w ON w.partner_id = k.partner_id AND w.id = k.step_id
JOIN dunning_case y ON y.partner_id = w.partner_id AND y.id = w.case_id
JOIN claim c ON c.partner_id = k.partner_id AND c.id = k.claim_id
CROSS JOIN LATERAL (
    SELECT greatest(sum(t.signed) FILTER (WHERE t.part = 'principal' AND t.posted_at <= x.moment),
            sum(t.signed) FILTER (WHERE t.part = 'principal' AND t.posted_at < x.moment - %(tolerance)s::interval), 0)
            ::bigint AS principal,
        greatest(sum(t.signed) FILTER (WHERE t.part = 'costs' AND t.posted_at <= x.moment),
            sum(t.signed) FILTER (WHERE t.part = 'costs' AND t.posted_at < x.moment - %(tolerance)s::interval), 0)
            ::bigint AS costs
    FROM (SELECT t.part, t.posted_at, CASE WHEN t.debit = 'receivable' THEN t.amount ELSE -t.amount END AS signed
        FROM transfer t WHERE t.partner_id = %(partner)s AND t.claim_id = k.claim_id
            AND 'receivable' IN (t.debit, t.credit)) t
) b
CROSS JOIN LATERAL (
    SELECT coalesce(sum(CASE WHEN t.debit = 'receivable' THEN t.amount ELSE -t.amount END)
            FILTER (WHERE t.posted_at < x.decided_at - %(tolerance)s::interval), 0)::bigint AS decided_before,
        coalesce(sum(CASE WHEN t.debit = 'receivable' THEN t.amount ELSE -t.amount END)
            FILTER (WHERE t.posted_at <= x.decided_at + %(tolerance)s::interval), 0)::bigint AS decided_after
    FROM transfer t WHERE t.partner_id = %(partner)s AND t.claim_id = k.claim_id AND t.part = 'principal'
        AND 'receivable' IN (t.debit, t.credit)
) d
LEFT JOIN LATERAL (
    SELECT sum(coalesce(h.amount, c.amount)) FILTER (WHERE h.starts_at < x.moment - %(tolerance)s::interval
            AND (h.ends_at IS NULL OR h.ends_at > x.moment))::bigint AS held,
        sum(coalesce(h.amount, c.amount)) FILTER (WHERE h.starts_at < x.decided_at - %(tolerance)s::interval
            AND (h.ends_at IS NULL OR h.ends_at > x.decided_at))::bigint AS held_then
    FROM hold h WHERE h.partner_id = %(partner)s AND h.account_id = c.account_id AND h.claim_id = k.claim_id
) h ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE l.service_id IS NOT NULL) AS lines,
        count(*) FILTER (WHERE l.counts_for_cut
            AND (l.service_id = x.service_id OR (x.service_id IS NULL AND v.kind = ANY (y.services)))) AS ours
    FROM claim_line l LEFT JOIN service v ON v.partner_id = l.partner_id AND v.id = l.service_id
    WHERE l.partner_id = %(partner)s AND l.claim_id = k.claim_id
) l ON true
ORDER BY x.attempt_id, k.claim_id

-- earlier: the steps that these claims had been through before, with the messages that left and what became of them
SELECT x.attempt_id, k.claim_id, s.number, s.step, s.decided_at, s.completed_at, s.pay_by_date, s.proof, v.policy_hash,
    coalesce(m.sent, '[]'::jsonb) AS sent, coalesce(t.tasks, '[]'::jsonb) AS tasks
FROM unnest(%(attempts)s::bigint[], %(steps)s::bigint[], %(moments)s::timestamptz[]) AS x (attempt_id, step_id, moment)
JOIN step_taken cut ON cut.partner_id = %(partner)s AND cut.id = x.step_id
JOIN step_claim o ON o.partner_id = %(partner)s AND o.step_id = cut.id
JOIN step_claim k ON k.partner_id = %(partner)s AND k.claim_id = o.claim_id
JOIN step_taken s ON s.partner_id = %(partner)s AND s.id = k.step_id AND s.case_id = cut.case_id
    AND s.number < cut.number AND (s.voided_at IS NULL OR s.voided_at > x.moment - %(tolerance)s::interval)
LEFT JOIN case_event v ON v.partner_id = s.partner_id AND v.case_id = s.case_id AND v.number = s.number
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(e.template, e.channel, e.part, m.sent_at, coalesce(m.delivered_at, m.sent_at
            + CASE WHEN e.channel = 'letter' THEN interval '5 days' ELSE interval '0' END)) ORDER BY m.id) AS sent
    FROM effect e JOIN sent_message m ON m.partner_id = e.partner_id AND m.effect_id = e.id
    WHERE e.partner_id = %(partner)s AND e.case_id = cut.case_id AND e.step_number = s.number AND e.kind = 'message'
        AND m.sent_at <= x.moment
        AND (m.undeliverable_at IS NULL OR m.undeliverable_at > x.moment - %(tolerance)s::interval)
) m ON true
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(d.code, d.part, d.done_at) ORDER BY d.done_at) AS tasks FROM (
        SELECT t.code, t.part, t.done_at FROM task t
        WHERE t.partner_id = %(partner)s AND t.case_id = cut.case_id AND t.step_number = s.number AND t.state = 'done'
            AND t.done_at <= x.moment
        UNION ALL
        SELECT 'plan_offer', NULL, p.offered_at FROM instalment_plan p
        WHERE p.partner_id = %(partner)s AND p.case_id = cut.case_id AND p.step_number = s.number
            AND p.offered_at <= x.moment
    ) d
) t ON true
ORDER BY x.attempt_id, k.claim_id, s.number

-- flags: what was known at the moment, about the account, its people, its services and their premises; each by its own
-- index. What the partner had seen of the agency that a step hands over to counts as one.
WITH x AS (
    SELECT * FROM unnest(%(attempts)s::bigint[], %(accounts)s::bigint[], %(moments)s::timestamptz[])
        AS x (attempt_id, account_id, moment)
), f AS (
    SELECT x.attempt_id, x.moment, f.name, f.value, f.starts_at, f.ends_at FROM x
    JOIN flag f ON f.partner_id = %(partner)s AND f.account_id = x.account_id
    UNION ALL
    SELECT x.attempt_id, x.moment, f.name, f.value, f.starts_at, f.ends_at FROM x
    JOIN account_role r ON r.partner_id = %(partner)s AND r.account_id = x.account_id AND r.starts_at <= x.moment
        AND (r.ends_at IS NULL OR r.ends_at > x.moment)
    JOIN flag f ON f.partner_id = %(partner)s AND f.party_id = r.party_id
    UNION ALL
    SELECT x.attempt_id, x.moment, f.name, f.value, f.starts_at, f.ends_at FROM x
    JOIN service s ON s.partner_id = %(partner)s AND s.account_id = x.account_id
    JOIN flag f ON f.partner_id = %(partner)s AND f.service_id = s.id
    UNION ALL
    SELECT x.attempt_id, x.moment, f.name, f.value, f.starts_at, f.ends_at FROM x
    JOIN service s ON s.partner_id = %(partner)s AND s.account_id = x.account_id
    JOIN access_point p ON p.partner_id = s.partner_id AND p.id = s.access_point_id
    JOIN flag f ON f.partner_id = %(partner)s AND f.premises_id = p.premises_id
)
SELECT x.attempt_id, 'agency_is_registered' AS name, 'yes' AS value
FROM unnest(%(attempts)s::bigint[], %(steps)s::bigint[], %(moments)s::timestamptz[]) AS x (attempt_id, step_id, moment)
JOIN step_taken s ON s.partner_id = %(partner)s AND s.id = x.step_id
JOIN effect e ON e.partner_id = s.partner_id AND e.case_id = s.case_id AND e.step_number = s.number
    AND e.kind = 'handover' AND e.template = 'place'
JOIN agency a ON a.partner_id = e.partner_id AND a.name = e.channel
JOIN partner p ON p.id = a.partner_id
WHERE a.kind = 'attorney' OR EXISTS (
    SELECT FROM agency_check c WHERE c.partner_id = a.partner_id AND c.agency_id = a.id
        AND c.noted_at <= x.moment + %(tolerance)s::interval
        AND (x.moment AT TIME ZONE p.time_zone)::date BETWEEN c.checked_date AND c.valid_until)
UNION
SELECT DISTINCT f.attempt_id, f.name, f.value FROM f
WHERE f.starts_at < f.moment - %(tolerance)s::interval AND (f.ends_at IS NULL OR f.ends_at > f.moment)
ORDER BY attempt_id, name

-- holds: pauses of the whole case or of the service that covered the moment, and of another case of the account where
-- they protect its person; of a cut by people, of any service that its claims are for. A plan pauses its case by itself, from the agreement until it is over, whatever its hold says.
SELECT x.attempt_id, h.reason, h.service_id IS NOT NULL AS of_service, h.starts_at, h.placed_by
FROM unnest(%(attempts)s::bigint[], %(accounts)s::bigint[], %(cases)s::bigint[], %(services)s::bigint[],
    %(moments)s::timestamptz[], %(steps)s::bigint[]) AS x (attempt_id, account_id, case_id, service_id, moment, step_id)
JOIN hold h ON h.partner_id = %(partner)s AND h.account_id = x.account_id AND h.claim_id IS NULL
    AND (h.case_id IS NULL OR h.case_id = x.case_id OR h.service_id IS NOT NULL OR (h.protective AND h.reason
        IN ('medical', 'deceased', 'debt_help', 'breathing_space', 'municipality', 'wrong_person')))
    AND (h.service_id IS NULL OR h.service_id = x.service_id OR (x.service_id IS NULL AND EXISTS (
        SELECT FROM step_claim k JOIN claim_line l ON l.partner_id = k.partner_id AND l.claim_id = k.claim_id
        WHERE k.partner_id = %(partner)s AND k.step_id = x.step_id AND l.service_id = h.service_id)))
    AND h.starts_at < x.moment - %(tolerance)s::interval AND (h.ends_at IS NULL OR h.ends_at > x.moment)
UNION ALL
SELECT x.attempt_id, 'plan', false, p.agreed_at, p.agreed_by
FROM unnest(%(attempts)s::bigint[], %(cases)s::bigint[], %(moments)s::timestamptz[]) AS x (attempt_id, case_id, moment)
JOIN instalment_plan p ON p.partner_id = %(partner)s AND p.case_id = x.case_id
    AND p.agreed_at < x.moment - %(tolerance)s::interval AND (p.ended_at IS NULL OR p.ended_at > x.moment)
ORDER BY 1, 4

-- money: payments that were on their way, and what the account had in credit, at the moment
SELECT x.attempt_id, p.ref, p.received_at, NULL::bigint AS credit
FROM unnest(%(attempts)s::bigint[], %(accounts)s::bigint[], %(moments)s::timestamptz[])
    AS x (attempt_id, account_id, moment)
JOIN payment p ON p.partner_id = %(partner)s AND p.account_id = x.account_id AND p.state <> 'failed'
    AND p.received_at < x.moment - %(tolerance)s::interval
    AND coalesce(p.confirmed_at, p.returned_at, 'infinity') > x.moment + %(tolerance)s::interval
UNION ALL
SELECT x.attempt_id, '', NULL, b.credit
FROM unnest(%(attempts)s::bigint[], %(accounts)s::bigint[], %(moments)s::timestamptz[])
    AS x (attempt_id, account_id, moment)
CROSS JOIN LATERAL (
    SELECT least(
        coalesce(sum(t.signed) FILTER (WHERE t.posted_at <= x.moment), 0),
        coalesce(sum(t.signed) FILTER (WHERE t.posted_at < x.moment - %(tolerance)s::interval), 0))::bigint AS credit
    FROM (SELECT t.posted_at, CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END AS signed
        FROM transfer t WHERE t.partner_id = %(partner)s AND t.account_id = x.account_id
            AND 'customer' IN (t.debit, t.credit)) t
) b
WHERE b.credit > 0
ORDER BY attempt_id

-- approvals: who had said yes to the step before it was taken
SELECT x.attempt_id, p.claims, p.needs, p.requested_by, p.decided_by
FROM unnest(%(attempts)s::bigint[], %(cases)s::bigint[], %(names)s::text[], %(decided)s::timestamptz[])
    AS x (attempt_id, case_id, step, decided_at)
JOIN approval p ON p.partner_id = %(partner)s AND p.case_id = x.case_id AND p.step = x.step AND p.kind = 'step'
    AND p.state IN ('granted', 'spent') AND p.decided_at <= x.decided_at
ORDER BY x.attempt_id, p.id

-- heard_until: up to when each source that must be heard of is complete by now; it only ever moves forwards
SELECT s.name, s.complete_until FROM source s
WHERE s.partner_id = %(partner)s AND s.required AND s.complete_until IS NOT NULL ORDER BY s.id
