-- case: whose it is, under which policy, and the partner's own day
SELECT c.account_id, c.state, c.policy_version_id, p.country, p.time_zone,
    (%(now)s AT TIME ZONE p.time_zone)::date, a.currency
FROM dunning_case c
JOIN partner p ON p.id = c.partner_id
JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
WHERE c.id = %(case)s

-- owed: the case's overdue claims and what counts of each; disputed and held parts are left out, and costs go with
-- principal that counts
SELECT m.id, (CASE WHEN m.principal > m.disputed + h.held THEN m.principal - m.disputed - h.held + m.costs + m.interest
    WHEN m.principal = 0 THEN m.costs + m.interest ELSE 0 END)::bigint AS owed
FROM dunning_case c
JOIN claim m ON m.partner_id = c.partner_id AND m.account_id = c.account_id AND m.service_kind = ANY (c.services)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(coalesce(h.amount, m.principal)), 0)::bigint AS held FROM hold h
    WHERE h.partner_id = m.partner_id AND h.account_id = m.account_id AND h.claim_id = m.id AND h.starts_at <= %(now)s
        AND (h.ends_at IS NULL OR h.ends_at > %(now)s)
) h
WHERE c.id = %(case)s AND m.state = 'open' AND greatest(m.due_date, m.deferred_to) < %(today)s
ORDER BY greatest(m.due_date, m.deferred_to), m.id

-- current: the case's plan that was agreed and is not over, else its open offer, else what was last of it
SELECT p.id, p.case_id, p.state, p.name, p.months_min, p.months_max, p.months, p.amount, p.offered_at, p.offered_by,
    p.valid_until, p.agreed_at, p.agreed_by, p.source, p.told, p.started_at, p.ended_at, p.ended_by, p.note,
    i.parts, y.paid, k.claims
FROM instalment_plan p
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_array(i.number, i.due_date, i.amount, i.remind_date, i.late_date)
        ORDER BY i.number), '[]') AS parts
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
    SELECT coalesce(array_agg(m.number ORDER BY m.due_date, m.id), '{}') AS claims
    FROM plan_claim k JOIN claim m ON m.id = k.claim_id WHERE k.plan_id = p.id
) k
WHERE p.case_id = %(case)s AND (p.state <> 'offered' OR p.valid_until >= %(today)s) AND p.state <> 'withdrawn'
ORDER BY p.state NOT IN ('agreed', 'running'), p.state <> 'offered', p.id DESC LIMIT 1

-- withdraw_offers: a newer offer takes the place of what was offered before
UPDATE instalment_plan SET state = 'withdrawn', ended_at = %(now)s
WHERE case_id = ANY (%(cases)s::bigint[]) AND state = 'offered'

-- offer: plans to choose from, one open offer a case; nothing for a case that is in a plan
INSERT INTO instalment_plan (partner_id, account_id, case_id, name, state, step_number, months_min, months_max,
    offered_at, offered_by, valid_until)
SELECT c.partner_id, c.account_id, c.id, w.name, 'offered', w.number, w.months_min, w.months_max, %(now)s, %(actor)s,
    w.valid_until
FROM unnest(%(cases)s::bigint[], %(names)s::text[], %(numbers)s::int[], %(months_min)s::int[], %(months_max)s::int[],
    %(valid)s::date[]) AS w (case_id, name, number, months_min, months_max, valid_until)
JOIN dunning_case c ON c.id = w.case_id
WHERE NOT EXISTS (SELECT FROM instalment_plan p WHERE p.case_id = c.id AND p.state IN ('agreed', 'running'))
RETURNING id

-- agree: what was chosen, from the offer that was open; the account's last transfer tells what counts from now on
UPDATE instalment_plan p SET state = 'agreed', months = %(months)s, amount = %(amount)s, agreed_at = %(now)s,
    agreed_by = %(actor)s, source = %(source)s, hold_id = %(hold)s,
    after_transfer = coalesce((SELECT max(t.id) FROM transfer t WHERE t.account_id = p.account_id), 0)
WHERE p.id = %(plan)s AND p.state = 'offered'

-- add_claims: what the plan is about
INSERT INTO plan_claim (partner_id, plan_id, claim_id, amount)
SELECT %(partner)s, %(plan)s, w.claim_id, w.amount
FROM unnest(%(claims)s::bigint[], %(amounts)s::bigint[]) AS w (claim_id, amount)

-- add_parts: when how much is due
INSERT INTO plan_part (partner_id, plan_id, number, due_date, amount, remind_date, late_date)
SELECT %(partner)s, %(plan)s, w.number, w.due_date, w.amount, w.remind_date, w.late_date
FROM unnest(%(numbers)s::int[], %(due)s::date[], %(amounts)s::bigint[], %(remind)s::date[], %(late)s::date[])
    AS w (number, due_date, amount, remind_date, late_date)

-- move: what decisions make of plans; with a new state its pause ends
WITH wanted AS (
    SELECT * FROM unnest(%(plans)s::bigint[], %(states)s::text[], %(told)s::int[], %(confirmed)s::bool[])
        AS w (id, state, told, confirmed)
), moved AS (
    UPDATE instalment_plan p SET
        state = coalesce(nullif(w.state, ''), p.state), told = greatest(p.told, w.told),
        confirmed_at = CASE WHEN w.confirmed THEN coalesce(p.confirmed_at, %(now)s) ELSE p.confirmed_at END,
        started_at = CASE WHEN w.state = 'running' THEN %(now)s ELSE p.started_at END,
        ended_at = CASE WHEN w.state IN ('', 'running') THEN p.ended_at ELSE %(now)s END,
        ended_by = CASE WHEN w.state IN ('', 'running') THEN p.ended_by ELSE %(actor)s END
    FROM wanted w WHERE p.id = w.id AND p.state IN ('agreed', 'running')
    RETURNING p.hold_id, w.state
)
UPDATE hold h SET ends_at = %(now)s, ended_by = %(actor)s FROM moved m
WHERE h.id = m.hold_id AND m.state <> '' AND (h.ends_at IS NULL OR h.ends_at > %(now)s)

-- hold_running: a plan that runs holds its case for as long as it does
WITH placed AS (
    INSERT INTO hold (partner_id, account_id, case_id, reason, starts_at, source, placed_by)
    SELECT p.partner_id, p.account_id, p.case_id, 'plan', %(now)s, 'plan ' || p.id, 'relight'
    FROM instalment_plan p WHERE p.id = ANY (%(plans)s::bigint[]) AND p.state = 'running'
    RETURNING id, case_id
)
UPDATE instalment_plan p SET hold_id = h.id FROM placed h
WHERE p.id = ANY (%(plans)s::bigint[]) AND p.case_id = h.case_id AND p.state = 'running'

-- plan: whose it is
SELECT p.case_id, p.account_id, p.state FROM instalment_plan p WHERE p.id = %(plan)s

-- note: why a person ended it
UPDATE instalment_plan SET note = %(note)s WHERE id = %(plan)s

-- promises: how many the case has had, and until when one is open; the wait for a plan's first part is none
SELECT count(*), max(ends_at) FILTER (WHERE starts_at <= %(now)s AND ends_at > %(now)s)
FROM dunning_case c JOIN hold h ON h.partner_id = c.partner_id AND h.account_id = c.account_id AND h.case_id = c.id
WHERE c.id = %(case)s AND h.reason = 'promise' AND h.source NOT LIKE 'plan %%'

-- note_holds: a decision has seen that these are over
UPDATE hold SET noted_at = %(now)s WHERE id = ANY (%(holds)s::bigint[]) AND noted_at IS NULL

-- untold: word of a plan, or of its part that was told of last, reached nobody: the case tells it again, another way
UPDATE instalment_plan p SET
    confirmed_at = CASE WHEN e.template = 'plan_agreed' THEN NULL ELSE p.confirmed_at END,
    told = CASE WHEN e.template = 'plan_reminder' THEN p.told - 1 ELSE p.told END
FROM effect e
WHERE e.id = %(effect)s AND p.case_id = e.case_id AND p.state IN ('agreed', 'running')
    AND (e.template = 'plan_agreed' OR e.template = 'plan_reminder' AND EXISTS (
        SELECT FROM plan_part x WHERE x.plan_id = p.id AND x.number = p.told
            AND x.due_date = (e.params -> 'part' ->> 'due')::date))
