-- claim_due_bulk: lock the accounts of due cases; NO KEY so that an import's foreign-key locks do not hide them, and
-- skipping what others hold. Facts are read by later statements: this one sees only who is due.
SELECT c.id, c.account_id FROM dunning_case c JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
WHERE c.lane = 'bulk' AND c.wakes_at <= %(now)s ORDER BY c.wakes_at LIMIT %(limit)s
FOR NO KEY UPDATE OF a SKIP LOCKED

-- claim_due_urgent: the same for the urgent lane, which has its own index
SELECT c.id, c.account_id FROM dunning_case c JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
WHERE c.lane = 'urgent' AND c.wakes_at <= %(now)s ORDER BY c.wakes_at LIMIT %(limit)s
FOR NO KEY UPDATE OF a SKIP LOCKED

-- partner: what all cases share this turn; one unknown source makes the whole unknown
SELECT p.id, p.country, p.currency, p.time_zone, p.closed_dates, p.money_stale_after_hours, p.mode = 'shadow',
    p.stopped_at IS NOT NULL OR EXISTS (SELECT FROM installation i WHERE i.stopped_at IS NOT NULL),
    (SELECT CASE WHEN bool_and(s.complete_until IS NOT NULL) THEN min(s.complete_until) END
        FROM source s WHERE s.partner_id = p.id AND s.required),
    p.cuts_per_hour, p.cuts_per_day
FROM partner p WHERE p.id = %(partner)s

-- cases: their own rows
SELECT c.id, c.account_id, c.state, c.version, a.debtor, a.profile, a.credit, c.waits_for, c.services,
    c.policy_version_id, c.wakes_at
FROM dunning_case c JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
WHERE c.id = ANY (%(cases)s::bigint[]) ORDER BY c.id

-- claims: open ones with what each service's lines still owe. Money already paid on a claim is taken to have paid the
-- lines that could cut first: nobody is cut for what may be paid.
SELECT c.account_id, c.service_kind, c.id, c.number, c.principal, c.costs, c.disputed,
    greatest(c.due_date, c.deferred_to), l.services, l.amounts
FROM claim c
LEFT JOIN LATERAL (
    SELECT array_agg(x.service_id) AS services, array_agg(x.owed) AS amounts FROM (
        SELECT l.service_id,
            greatest(0, (sum(l.amount - l.disputed) FILTER (WHERE l.counts_for_cut)) - (c.amount - c.principal))::bigint
                AS owed
        FROM claim_line l WHERE l.claim_id = c.id AND l.service_id IS NOT NULL
        GROUP BY l.service_id ORDER BY l.service_id) x WHERE x.owed IS NOT NULL
) l ON true
WHERE c.account_id = ANY (%(accounts)s::bigint[]) AND c.state = 'open'
ORDER BY c.id

-- steps: taken and not voided, with their claims
SELECT s.case_id, s.id, s.number, s.step, s.decided_at, s.completed_at, s.pay_by_date,
    c.claims, c.principals, c.costs
FROM step_taken s
LEFT JOIN LATERAL (
    SELECT array_agg(k.claim_id ORDER BY k.claim_id) AS claims, array_agg(k.principal ORDER BY k.claim_id) AS principals,
        array_agg(k.costs ORDER BY k.claim_id) AS costs
    FROM step_claim k WHERE k.step_id = s.id
) c ON true
WHERE s.case_id = ANY (%(cases)s::bigint[]) AND s.voided_at IS NULL
ORDER BY s.case_id, s.number

-- effects: what became of the steps' effects. A letter that nobody reported on arrives five days after it was sent.
SELECT e.case_id, e.step_number, e.id, e.part, e.kind, e.channel, e.state, e.due_at, e.template,
    coalesce(m.delivered_at, e.finished_at + CASE WHEN e.channel = 'letter' THEN interval '5 days' ELSE interval '0' END),
    m.undeliverable_at IS NOT NULL, e.service_id, e.generation, e.why
FROM effect e LEFT JOIN sent_message m ON m.partner_id = e.partner_id AND m.effect_id = e.id
WHERE e.case_id = ANY (%(cases)s::bigint[]) AND e.step_number IS NOT NULL
ORDER BY e.id

-- step_tasks: what steps gave to people
SELECT case_id, step_number, part, state, done_at FROM task
WHERE case_id = ANY (%(cases)s::bigint[]) AND step_number IS NOT NULL ORDER BY id

-- services: of the accounts, with supply, active blocks and commands on their way. A command that a guard withheld when
-- nobody knew the level counts as given up: asking the same again at once would never end.
SELECT s.account_id, s.id, s.kind, coalesce(u.desired, 'full'), coalesce(u.generation, 0), u.desired_at, u.observed,
    u.observed_at, s.driver <> '', b.blocks, e.unsent, e.in_flight, e.gave_up, s.access_point_id
FROM service s
LEFT JOIN supply u ON u.service_id = s.id
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(b.id, b.reason, b.level, b.case_id, b.step_number, b.starts_at) ORDER BY b.id)
        AS blocks
    FROM block b
    WHERE b.service_id = s.id AND b.starts_at <= %(now)s AND (b.ends_at IS NULL OR b.ends_at > %(now)s)
) b ON true
LEFT JOIN LATERAL (
    SELECT array_agg(e.id) FILTER (WHERE e.state = 'pending') AS unsent,
        bool_or(e.state = 'in_flight') AS in_flight,
        bool_or(e.generation = u.generation
            AND (e.state IN ('given_up', 'refused') OR (e.state = 'withheld' AND u.observed = ''))) AS gave_up
    FROM effect e WHERE e.account_id = s.account_id AND e.service_id = s.id AND e.kind = 'supply'
        AND (e.state IN ('pending', 'in_flight') OR e.generation = u.generation)
) e ON true
WHERE s.account_id = ANY (%(accounts)s::bigint[]) AND s.starts_at <= %(now)s
    AND (s.ends_at IS NULL OR s.ends_at > %(now)s)
ORDER BY s.id

-- holds: that cover this moment
SELECT account_id, case_id, id, reason, claim_id, service_id, amount, starts_at, ends_at, protective
FROM hold WHERE account_id = ANY (%(accounts)s::bigint[]) AND starts_at <= %(now)s
    AND (ends_at IS NULL OR ends_at > %(now)s)
ORDER BY id

-- payments: not seen by a decision yet, or on their way
SELECT account_id, id, amount, state, received_at, noted_at IS NOT NULL FROM payment
WHERE account_id = ANY (%(accounts)s::bigint[])
    AND (state IN ('ordered', 'authorised') OR (noted_at IS NULL AND state IN ('confirmed', 'booked', 'returned')))
ORDER BY id

-- approvals: asked for, given or refused, and not spent
SELECT case_id, id, step, state, claims, decided_at FROM approval
WHERE case_id = ANY (%(cases)s::bigint[]) AND state IN ('requested', 'granted', 'refused') ORDER BY id

-- flags: of account, its parties, its premises and services, at this moment
SELECT f.account_id, f.name, f.value FROM flag f
WHERE f.account_id = ANY (%(accounts)s::bigint[]) AND f.starts_at <= %(now)s AND (f.ends_at IS NULL OR f.ends_at > %(now)s)
UNION
SELECT r.account_id, f.name, f.value FROM account_role r JOIN flag f ON f.partner_id = r.partner_id AND f.party_id = r.party_id
WHERE r.account_id = ANY (%(accounts)s::bigint[]) AND r.starts_at <= %(now)s AND (r.ends_at IS NULL OR r.ends_at > %(now)s)
    AND f.starts_at <= %(now)s AND (f.ends_at IS NULL OR f.ends_at > %(now)s)
UNION
SELECT s.account_id, f.name, f.value FROM service s JOIN flag f ON f.partner_id = s.partner_id AND f.service_id = s.id
WHERE s.account_id = ANY (%(accounts)s::bigint[]) AND f.starts_at <= %(now)s AND (f.ends_at IS NULL OR f.ends_at > %(now)s)
UNION
SELECT s.account_id, f.name, f.value FROM service s
JOIN access_point p ON p.partner_id = s.partner_id AND p.id = s.access_point_id
JOIN flag f ON f.partner_id = p.partner_id AND f.premises_id = p.premises_id
WHERE s.account_id = ANY (%(accounts)s::bigint[]) AND f.starts_at <= %(now)s AND (f.ends_at IS NULL OR f.ends_at > %(now)s)

-- reach: the channels on which the debtor can be reached
SELECT r.account_id, array_agg(DISTINCT p.channel) FROM account_role r
JOIN contact_point p ON p.partner_id = r.partner_id AND p.party_id = r.party_id
WHERE r.account_id = ANY (%(accounts)s::bigint[]) AND r.role = 'debtor' AND r.starts_at <= %(now)s
    AND (r.ends_at IS NULL OR r.ends_at > %(now)s) AND p.starts_at <= %(now)s AND (p.ends_at IS NULL OR p.ends_at > %(now)s)
GROUP BY r.account_id

-- contacts: messages of the last seven days that count towards the cap
SELECT account_id, released_at FROM sent_message
WHERE account_id = ANY (%(accounts)s::bigint[]) AND released_at > %(now)s - interval '7 days'
    AND template <> ALL (%(uncounted)s::text[]) ORDER BY released_at
