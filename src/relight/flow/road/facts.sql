-- claim_due_bulk: lock the accounts of due cases; NO KEY so that an import's foreign-key locks do not hide them, and
-- skipping what others hold. Facts are read by later statements: this one sees only who is due. What comes before
-- `since` was turned and need not be walked past (searching.py); as a pair, it makes no planner believe that few are due.
SELECT c.id, c.account_id, c.wakes_at FROM dunning_case c JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
WHERE c.lane = 'bulk' AND c.wakes_at <= %(now)s
    AND (c.wakes_at, c.id) >= (%(since)s::timestamptz, %(since_id)s::bigint)
ORDER BY c.wakes_at, c.id LIMIT %(limit)s
FOR NO KEY UPDATE OF a SKIP LOCKED

-- claim_due_urgent: the same for the urgent lane, which has its own index
SELECT c.id, c.account_id, c.wakes_at FROM dunning_case c JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
WHERE c.lane = 'urgent' AND c.wakes_at <= %(now)s
    AND (c.wakes_at, c.id) >= (%(since)s::timestamptz, %(since_id)s::bigint)
ORDER BY c.wakes_at, c.id LIMIT %(limit)s
FOR NO KEY UPDATE OF a SKIP LOCKED

-- partner: what all cases share this turn; one unknown source makes the whole unknown
SELECT p.id, p.country, p.currency, p.time_zone, p.closed_dates, p.money_stale_after_hours, p.mode = 'shadow',
    p.stopped_at IS NOT NULL OR EXISTS (SELECT FROM installation i WHERE i.stopped_at IS NOT NULL),
    (SELECT CASE WHEN bool_and(s.complete_until IS NOT NULL) THEN min(s.complete_until) END
        FROM source s WHERE s.partner_id = p.id AND s.required),
    p.cuts_per_hour, p.cuts_per_day
FROM partner p WHERE p.id = %(partner)s

-- cases: their own rows, and whether a person approved an apology that is still to be sent
SELECT c.id, c.account_id, c.state, c.version, a.debtor, a.profile, a.credit, c.waits_for, c.services,
    c.policy_version_id, c.wakes_at,
    coalesce((SELECT max(u.undo_id) FROM undo_case u WHERE u.case_id = c.id AND u.apology = 'wanted'), 0)
FROM dunning_case c JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
WHERE c.id = ANY (%(cases)s::bigint[]) ORDER BY c.id

-- claims: open ones (late interest alone is nothing to act on) with what each service's lines still owe. Money already paid on a claim is taken to have paid the
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
WHERE c.account_id = ANY (%(accounts)s::bigint[]) AND c.state = 'open' AND c.principal + c.costs > 0
ORDER BY c.id

-- steps: taken and not voided, with their claims
SELECT s.case_id, s.id, s.number, s.step, s.decided_at, s.completed_at, s.pay_by_date,
    c.claims, c.principals, c.costs, c.raised
FROM step_taken s
LEFT JOIN LATERAL (
    SELECT array_agg(k.claim_id ORDER BY k.claim_id) AS claims, array_agg(k.principal ORDER BY k.claim_id) AS principals,
        array_agg(k.costs ORDER BY k.claim_id) AS costs, array_agg(k.raised ORDER BY k.claim_id) AS raised
    FROM step_claim k WHERE k.step_id = s.id
) c ON true
WHERE s.case_id = ANY (%(cases)s::bigint[]) AND s.voided_at IS NULL
ORDER BY s.case_id, s.number

-- effects: what became of the steps' effects. A letter that nobody reported on arrives five days after it was sent. What a
-- partner in shadow withholds would have been done; once it is live, it never was
SELECT e.case_id, e.step_number, e.id, e.part, e.kind, e.channel,
    CASE WHEN %(shadow)s AND e.state = 'withheld' AND e.why = 'shadow' THEN 'done' ELSE e.state END,
    e.due_at, e.template,
    coalesce(m.delivered_at, e.finished_at + CASE WHEN e.channel = 'letter' THEN interval '5 days' ELSE interval '0' END),
    m.undeliverable_at IS NOT NULL, e.service_id, e.generation, e.why
FROM effect e LEFT JOIN sent_message m ON m.partner_id = e.partner_id AND m.effect_id = e.id
WHERE e.case_id = ANY (%(cases)s::bigint[]) AND e.step_number IS NOT NULL
ORDER BY e.id

-- charged: fees of the account in the last year that were not taken back. Of these, some law counts earlier cases'.
SELECT t.account_id, t.fee, c.number, t.value_date, t.amount, t.claim_id
FROM transfer t JOIN claim c ON c.partner_id = t.partner_id AND c.id = t.claim_id
WHERE t.account_id = ANY (%(accounts)s::bigint[]) AND t.fee <> '' AND t.posted_at > %(now)s - interval '1 year'
    AND NOT EXISTS (SELECT FROM transfer r WHERE r.claim_id = t.claim_id AND r.reverses_id = t.id)
ORDER BY t.id

-- step_tasks: what steps gave to people
SELECT case_id, step_number, part, code, state, done_at FROM task
WHERE case_id = ANY (%(cases)s::bigint[]) AND step_number IS NOT NULL ORDER BY id

-- services: of the accounts, with what they are to be and what was seen, and whether somebody else has moved in since
SELECT s.account_id, s.id, s.kind, coalesce(u.desired, 'full'), coalesce(u.generation, 0), u.desired_at, u.observed,
    u.observed_at, s.driver <> '', s.access_point_id IS NOT NULL AND EXISTS (
        SELECT FROM service o WHERE o.partner_id = s.partner_id AND o.access_point_id = s.access_point_id
            AND o.account_id <> s.account_id AND o.kind = s.kind AND (o.starts_at, o.id) > (s.starts_at, s.id)
            AND o.starts_at <= %(now)s AND (o.ends_at IS NULL OR o.ends_at > %(now)s))
FROM service s LEFT JOIN supply u ON u.service_id = s.id
WHERE s.account_id = ANY (%(accounts)s::bigint[]) AND s.starts_at <= %(now)s
    AND (s.ends_at IS NULL OR s.ends_at > %(now)s)
ORDER BY s.id

-- blocks: active ones of the accounts' services. Asked once for all: joined row by row they were read from end to end
-- for each service by whoever had planned the statement before there were any.
SELECT service_id, id, reason, level, case_id, step_number, starts_at FROM block
WHERE service_id = ANY (ARRAY(SELECT s.id FROM service s WHERE s.account_id = ANY (%(accounts)s::bigint[])))
    AND starts_at <= %(now)s AND (ends_at IS NULL OR ends_at > %(now)s)
ORDER BY id

-- commands: to the accounts' services, on their way or of the newest generation, and whether none was ever tried. One
-- that a guard withheld when nobody knew the level counts as given up, since asking the same again at once would never end.
SELECT e.service_id, array_agg(e.id ORDER BY e.id) FILTER (WHERE e.state = 'pending'),
    bool_or(e.state = 'in_flight'),
    coalesce(bool_or(e.generation = u.generation
        AND (e.state IN ('given_up', 'refused') OR (e.state = 'withheld' AND u.observed = ''))), false),
    NOT bool_or(e.attempts > 0)
FROM effect e
JOIN service s ON s.id = e.service_id AND s.account_id = e.account_id
LEFT JOIN supply u ON u.service_id = e.service_id
WHERE e.kind = 'supply'
    AND e.service_id = ANY (ARRAY(SELECT o.id FROM service o WHERE o.account_id = ANY (%(accounts)s::bigint[])))
GROUP BY e.service_id

-- holds: that cover this moment
SELECT account_id, case_id, id, reason, claim_id, service_id, amount, starts_at, ends_at, protective
FROM hold WHERE account_id = ANY (%(accounts)s::bigint[]) AND starts_at <= %(now)s
    AND (ends_at IS NULL OR ends_at > %(now)s)
ORDER BY id

-- pauses: holds that are over, of a case or of a whole claim; a promise whose day has passed lately and unseen is broken
SELECT account_id, case_id, id, claim_id, starts_at, ends_at,
    reason = 'promise' AND ended_by = '' AND noted_at IS NULL AND source NOT LIKE 'plan %%'
        AND ends_at > %(now)s - interval '14 days', protective, reason
FROM hold WHERE account_id = ANY (%(accounts)s::bigint[]) AND ends_at <= %(now)s AND ends_at > starts_at
    AND service_id IS NULL AND amount IS NULL
ORDER BY id

-- plans: agreed and running ones with their parts and what was paid of their claims since, payment by payment, net of
-- what was taken back; by the index of what is not over, since most cases have none
SELECT p.case_id, p.id, p.state, p.told, p.confirmed_at IS NOT NULL, i.parts, y.paid, k.is_open
FROM instalment_plan p
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(
        jsonb_build_array(i.number, i.due_date, i.amount, i.remind_date, i.late_date) ORDER BY i.number), '[]') AS parts
    FROM plan_part i WHERE i.plan_id = p.id
) i
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_array(y.day, y.amount) ORDER BY y.first_id), '[]') AS paid FROM (
        SELECT min(t.value_date) AS day, min(t.id) AS first_id,
            sum(CASE WHEN t.credit = 'receivable' THEN t.amount ELSE -t.amount END)::bigint AS amount
        FROM plan_claim k JOIN transfer t ON t.claim_id = k.claim_id AND t.id > p.after_transfer
            AND (t.kind = 'release' OR (t.credit = 'receivable' AND t.kind <> 'interest'))
        WHERE k.plan_id = p.id GROUP BY coalesce(t.payment_id, -t.id)
        HAVING sum(CASE WHEN t.credit = 'receivable' THEN t.amount ELSE -t.amount END) > 0) y
) y
CROSS JOIN LATERAL (
    SELECT coalesce(bool_or(m.state = 'open'), false) AS is_open
    FROM plan_claim k JOIN claim m ON m.id = k.claim_id WHERE k.plan_id = p.id
) k
WHERE p.case_id = ANY (%(cases)s::bigint[]) AND p.state IN ('agreed', 'running')
ORDER BY p.id

-- payments: not seen by a decision yet, or on their way; of one that a person shared out, each account's own part
SELECT account_id, id, amount, state, received_at, noted_at IS NOT NULL FROM payment
WHERE account_id = ANY (%(accounts)s::bigint[])
    AND (state IN ('ordered', 'authorised') OR (noted_at IS NULL AND state IN ('confirmed', 'booked', 'returned')))
UNION ALL
SELECT account_id, payment_id, amount, 'confirmed', placed_at, false FROM payment_share
WHERE account_id = ANY (%(accounts)s::bigint[]) AND noted_at IS NULL
ORDER BY 2

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

-- contacts: messages of the last seven days that count towards the cap, by their effects: one whose attempt was lost
-- is among them, and may go again
SELECT account_id, effect_id, released_at FROM sent_message
WHERE account_id = ANY (%(accounts)s::bigint[]) AND released_at > %(now)s - interval '7 days'
    AND template <> ALL (%(uncounted)s::text[]) ORDER BY released_at

-- agencies: of the partner, with the last day that a look into the register is believed
SELECT a.name, a.title, a.kind, c.valid_until, a.ended_at IS NOT NULL
FROM agency a
LEFT JOIN LATERAL (
    SELECT c.valid_until FROM agency_check c WHERE c.agency_id = a.id ORDER BY c.id DESC LIMIT 1
) c ON true
ORDER BY a.id

-- handovers: of the cases, with what is owed now, by how much it became less other than through the agency, and what of
-- that the agency was told; claims as of their own transfers, so that a payment that went back counts as well
SELECT h.case_id, h.id, a.name, a.title, h.state, h.step_number, h.wanted_back, k.claims, k.owed, l.lessened, e.told,
    h.state NOT IN ('recalled', 'refused', 'uncollectable', 'paid', 'failed') AS is_open,
    f.state IN ('pending', 'in_flight') AS is_leaving, h.state = 'sending' AND f.state = 'withheld' AS was_withheld,
    e.recall_sent
FROM handover h
JOIN agency a ON a.id = h.agency_id
JOIN effect f ON f.id = h.effect_id
JOIN LATERAL (
    SELECT array_agg(c.id ORDER BY c.id) AS claims, sum(c.principal + c.costs + c.interest)::bigint AS owed
    FROM handover_claim k JOIN claim c ON c.id = k.claim_id WHERE k.handover_id = h.id
) k ON true
JOIN LATERAL (
    SELECT coalesce(sum(CASE WHEN t.credit = 'receivable' THEN t.amount ELSE -t.amount END), 0)::bigint AS lessened
    FROM transfer t LEFT JOIN payment p ON p.id = t.payment_id LEFT JOIN source s ON s.id = p.source_id
    WHERE t.claim_id = ANY (k.claims) AND t.id > h.after_transfer
        AND t.kind IN ('allocation', 'release', 'correction', 'write_off', 'remission')
        AND s.name IS DISTINCT FROM 'agency ' || a.name
) l ON true
JOIN LATERAL (
    SELECT coalesce((array_agg((e.params ->> 'lessened')::bigint ORDER BY e.id DESC))[1], 0) AS told,
        coalesce(bool_or(e.template = 'recall'), false) AS recall_sent
    FROM effect e WHERE e.case_id = h.case_id AND e.kind = 'handover' AND e.template <> 'place'
        AND (e.params ->> 'handover')::bigint = h.id AND e.state NOT IN ('cancelled', 'withheld')
) e ON true
WHERE h.case_id = ANY (%(cases)s::bigint[])
ORDER BY h.id
