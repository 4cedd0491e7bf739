-- cases: one row each; the version must be the one that was read, or the batch is wrong and rolls back
UPDATE dunning_case c SET
    state = w.state, wakes_at = w.wakes_at, turned_at = %(now)s, lane = 'bulk', version = c.version + w.events,
    arrears = w.arrears, step = w.step, next_step = w.next_step, next_at = w.next_at, waits_for = w.waits_for,
    closed_at = CASE WHEN w.state = 'closed' THEN coalesce(c.closed_at, %(now)s) END
FROM unnest(%(ids)s::bigint[], %(versions)s::int[], %(states)s::text[], %(wakes)s::timestamptz[], %(counts)s::int[],
    %(arrears)s::bigint[], %(steps)s::text[], %(next_steps)s::text[], %(next_ats)s::timestamptz[], %(waits)s::text[])
    AS w (id, version, state, wakes_at, events, arrears, step, next_step, next_at, waits_for)
WHERE c.id = w.id AND c.version = w.version

-- events: added, never changed; the trigger puts them in the feed
INSERT INTO case_event (partner_id, case_id, number, code, params, reasons, actor, cause, at, policy_hash, law_hash,
    calendar_hash, facts_hash, facts)
SELECT %(partner)s, w.case_id, w.number, w.code, w.params, w.reasons, 'relight', '', %(now)s, w.policy_hash, w.law_hash,
    %(calendar)s, w.facts_hash, w.facts
FROM unnest(%(cases)s::bigint[], %(numbers)s::int[], %(codes)s::text[], %(params)s::jsonb[], %(reasons)s::jsonb[],
    %(policies)s::text[], %(laws)s::text[], %(hashes)s::text[], %(facts)s::jsonb[])
    AS w (case_id, number, code, params, reasons, policy_hash, law_hash, facts_hash, facts)

-- steps: taken in this turn, with the claims and sums that they cover
WITH taken AS (
    INSERT INTO step_taken (partner_id, case_id, number, step, decided_at, pay_by_date)
    SELECT %(partner)s, w.case_id, w.number, w.step, %(now)s, w.pay_by
    FROM unnest(%(cases)s::bigint[], %(numbers)s::int[], %(steps)s::text[], %(pay_by)s::date[])
        AS w (case_id, number, step, pay_by)
    RETURNING id, case_id, number
)
INSERT INTO step_claim (partner_id, step_id, claim_id, principal, costs)
SELECT %(partner)s, t.id, w.claim_id, w.principal, w.costs
FROM unnest(%(of_cases)s::bigint[], %(of_numbers)s::int[], %(claims)s::bigint[], %(principals)s::bigint[],
    %(costs)s::bigint[]) AS w (case_id, number, claim_id, principal, costs)
JOIN taken t ON t.case_id = w.case_id AND t.number = w.number

-- complete_steps: all their parts are done
UPDATE step_taken s SET completed_at = w.at FROM unnest(%(ids)s::bigint[], %(ats)s::timestamptz[]) AS w (id, at)
WHERE s.id = w.id AND s.completed_at IS NULL

-- void_steps: out of counts and clocks
UPDATE step_taken SET voided_at = %(now)s WHERE id = ANY (%(ids)s::bigint[]) AND voided_at IS NULL

-- effects: into the outbox
INSERT INTO effect (partner_id, case_id, account_id, event_number, step_number, part, key, kind, lane, channel, template,
    service_id, level, generation, params, due_at, created_at)
SELECT %(partner)s, w.* , %(now)s FROM unnest(%(cases)s::bigint[], %(accounts)s::bigint[], %(numbers)s::int[],
    %(steps)s::int[], %(parts)s::int[], %(keys)s::text[], %(kinds)s::text[], %(lanes)s::text[], %(channels)s::text[],
    %(templates)s::text[], %(services)s::bigint[], %(levels)s::text[], %(generations)s::int[], %(params)s::jsonb[],
    %(due)s::timestamptz[]) AS w

-- cancel_effects: what a newer decision took over from, unless it has left
UPDATE effect SET state = 'cancelled', why = 'superseded', finished_at = %(now)s
WHERE id = ANY (%(ids)s::bigint[]) AND state = 'pending'

-- blocks: reasons why services are below full
INSERT INTO block (partner_id, service_id, case_id, step_number, reason, level, starts_at, source)
SELECT %(partner)s, w.service_id, w.case_id, w.number, 'arrears', w.level, %(now)s, 'policy'
FROM unnest(%(services)s::bigint[], %(cases)s::bigint[], %(numbers)s::int[], %(levels)s::text[])
    AS w (service_id, case_id, number, level)
ON CONFLICT DO NOTHING

-- lift_blocks: our own, no others
UPDATE block SET ends_at = %(now)s WHERE id = ANY (%(ids)s::bigint[]) AND ends_at IS NULL AND reason = 'arrears'

-- supplies: what services are to be from now on
INSERT INTO supply (partner_id, service_id, desired, generation, desired_at)
SELECT %(partner)s, w.service_id, w.desired, w.generation, %(now)s
FROM unnest(%(services)s::bigint[], %(desired)s::text[], %(generations)s::int[]) AS w (service_id, desired, generation)
ON CONFLICT (service_id) DO UPDATE SET
    desired = excluded.desired, generation = excluded.generation, desired_at = excluded.desired_at

-- tasks: work for people, once
INSERT INTO task (partner_id, account_id, case_id, step_number, part, code, params, urgent, created_at, due_at, dedup)
SELECT %(partner)s, w.account_id, w.case_id, w.number, w.part, w.code, w.params, w.urgent, %(now)s, w.due_at, w.dedup
FROM unnest(%(accounts)s::bigint[], %(cases)s::bigint[], %(numbers)s::int[], %(parts)s::int[], %(codes)s::text[],
    %(params)s::jsonb[], %(urgent)s::bool[], %(due)s::timestamptz[], %(dedups)s::text[])
    AS w (account_id, case_id, number, part, code, params, urgent, due_at, dedup)
ON CONFLICT (partner_id, dedup) WHERE state = 'open' DO NOTHING

-- approvals: a yes that a step needs
INSERT INTO approval (partner_id, kind, case_id, step, claims, needs, requested_at, requested_by)
SELECT %(partner)s, 'step', w.case_id, w.step, ARRAY(SELECT jsonb_array_elements_text(w.claims)::bigint), w.needs,
    %(now)s, 'relight'
FROM unnest(%(cases)s::bigint[], %(steps)s::text[], %(claims)s::jsonb[], %(needs)s::int[])
    AS w (case_id, step, claims, needs)
ON CONFLICT DO NOTHING

-- approvals_become: spent by the step that rested on them, or lapsed
UPDATE approval SET state = %(state)s WHERE id = ANY (%(ids)s::bigint[]) AND state IN ('requested', 'granted')

-- payments: a decision has seen them
UPDATE payment SET noted_at = %(now)s WHERE id = ANY (%(ids)s::bigint[]) AND noted_at IS NULL

-- shares: and what their accounts were given of them
UPDATE payment_share s SET noted_at = %(now)s
FROM unnest(%(ids)s::bigint[], %(accounts)s::bigint[]) AS x (payment_id, account_id)
WHERE s.payment_id = x.payment_id AND s.account_id = x.account_id AND s.noted_at IS NULL

-- apologies: they are in the outbox; an older one that was still to come goes with the newest
UPDATE undo_case u SET apology = 'told' FROM unnest(%(cases)s::bigint[], %(undos)s::bigint[]) AS w (case_id, undo_id)
WHERE u.case_id = w.case_id AND u.undo_id <= w.undo_id AND u.apology = 'wanted'
