-- hashes: the contents of a policy's versions, by which decisions name them
SELECT array_agg(DISTINCT hash) FROM policy_version
WHERE name = %(name)s AND (%(version)s::int IS NULL OR version = %(version)s)

-- import_run: whether there was such an import of invoices
SELECT id FROM import_run WHERE id = %(run)s AND kind = 'invoices'

-- bulk: whether there was such a move
SELECT id FROM policy_act WHERE id = %(bulk)s AND code = 'moving'

-- page: cases that took a step in that time, a batch by id; the key of steps (case, number) is in this order already
SELECT s.case_id, c.account_id
FROM step_taken s JOIN dunning_case c ON c.partner_id = s.partner_id AND c.id = s.case_id
WHERE s.case_id > %(after)s AND s.decided_at >= %(since)s AND s.decided_at <= %(until)s AND s.voided_at IS NULL
    AND s.step <> 'restore'
GROUP BY s.case_id, c.account_id ORDER BY s.case_id LIMIT %(limit)s

-- steps: of these cases what was wrong, and what came after it for the same claims: it rested on it. Restores are the
-- engine's own and stay, and so does what was done before Relight. A move answers for its cases until they are moved
-- again, be it back.
WITH wrong AS (
    SELECT s.id, s.case_id, s.number FROM step_taken s
    JOIN case_event e ON e.partner_id = s.partner_id AND e.case_id = s.case_id AND e.number = s.number
    WHERE s.case_id = ANY (%(cases)s::bigint[]) AND s.voided_at IS NULL AND s.step <> 'restore' AND s.proof = ''
        AND s.decided_at >= %(since)s AND s.decided_at <= %(until)s
        AND (%(hashes)s::text[] IS NULL OR e.policy_hash = ANY (%(hashes)s::text[]))
        AND (%(run)s::bigint IS NULL OR EXISTS (
            SELECT FROM step_claim k JOIN claim m ON m.id = k.claim_id WHERE k.step_id = s.id AND m.run_id = %(run)s))
        AND (%(bulk)s::bigint IS NULL OR EXISTS (
            SELECT FROM case_event b WHERE b.case_id = s.case_id AND b.bulk_id = %(bulk)s AND b.number < s.number
                AND NOT EXISTS (SELECT FROM case_event o WHERE o.case_id = s.case_id AND o.code = 'policy_moved'
                    AND o.number > b.number AND o.number < s.number)))
)
SELECT s.id FROM step_taken s
WHERE s.case_id = ANY (%(cases)s::bigint[]) AND s.voided_at IS NULL AND s.step <> 'restore' AND s.proof = ''
    AND (s.id IN (SELECT id FROM wrong) OR EXISTS (
        SELECT FROM wrong w JOIN step_claim a ON a.step_id = w.id
        JOIN step_claim b ON b.claim_id = a.claim_id AND b.step_id = s.id
        WHERE w.case_id = s.case_id AND w.number < s.number))
ORDER BY s.id

-- harm: what these steps did, case by case: fees that stand, services that are below full for their sake, messages and
-- commands that have left, what is still in the outbox, and what people carried out
SELECT w.case_id, c.account_id, w.numbers, w.names, f.fees, b.services, e.messages, e.letters, e.stopped, e.commands,
    h.handovers, p.by_hand
FROM (
    SELECT case_id, array_agg(id) AS ids, array_agg(number ORDER BY number) AS numbers,
        array_agg(step ORDER BY number) AS names
    FROM step_taken WHERE id = ANY (%(steps)s::bigint[]) AND voided_at IS NULL GROUP BY case_id
) w
JOIN dunning_case c ON c.id = w.case_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.amount), 0)::bigint AS fees FROM transfer t WHERE t.id IN (
        SELECT x.id FROM step_taken s JOIN step_claim k ON k.step_id = s.id
        JOIN transfer x ON x.claim_id = k.claim_id AND x.kind = 'fee' AND x.debit = 'receivable'
            AND x.posted_at = s.decided_at
        WHERE s.id = ANY (w.ids)
            AND NOT EXISTS (SELECT FROM transfer r WHERE r.claim_id = x.claim_id AND r.reverses_id = x.id))
) f
CROSS JOIN LATERAL (
    SELECT count(DISTINCT b.service_id)::int AS services
    FROM service s JOIN block b ON b.service_id = s.id
    WHERE s.account_id = c.account_id AND b.case_id = c.id AND b.reason = 'arrears' AND b.step_number = ANY (w.numbers)
        AND (b.ends_at IS NULL OR b.ends_at > %(now)s)
) b
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE e.kind = 'message' AND e.attempts > 0)::int AS messages,
        count(*) FILTER (WHERE e.kind = 'message' AND e.attempts > 0 AND e.channel = 'letter')::int AS letters,
        count(*) FILTER (WHERE e.state = 'pending' AND e.attempts = 0)::int AS stopped,
        count(*) FILTER (WHERE e.kind = 'supply' AND e.attempts > 0)::int AS commands
    FROM effect e WHERE e.case_id = c.id AND e.step_number = ANY (w.numbers)
) e
CROSS JOIN LATERAL (
    SELECT count(*)::int AS handovers FROM handover h
    WHERE h.case_id = c.id AND h.step_number = ANY (w.numbers) AND h.wanted_back = ''
        AND h.state NOT IN ('recalled', 'refused', 'uncollectable', 'paid', 'failed')
) h
CROSS JOIN LATERAL (
    SELECT count(*)::int AS by_hand FROM task k
    WHERE k.case_id = c.id AND k.step_number = ANY (w.numbers) AND k.state = 'done'
        AND k.code IN ('request_to_grid', 'contract_terminate', 'handover')
) p
ORDER BY w.case_id

-- void: out of counts and clocks, each with its event; the case is held, so that a person can mend what was wrong. What
-- had not left does not leave (an attempt that was made is asked about at its release), what people were asked lapses.
WITH voided AS (
    UPDATE step_taken SET voided_at = %(now)s WHERE id = ANY (%(steps)s::bigint[]) AND voided_at IS NULL
    RETURNING id, case_id, number, step
), bumped AS (
    UPDATE dunning_case c SET version = c.version + w.steps + CASE WHEN c.state = 'closed' THEN 0 ELSE 1 END
    FROM (SELECT case_id, count(*)::int AS steps FROM voided GROUP BY case_id) w WHERE c.id = w.case_id
    RETURNING c.id, c.account_id, c.state, w.steps,
        c.version - w.steps - CASE WHEN c.state = 'closed' THEN 0 ELSE 1 END AS version
), held AS (
    INSERT INTO hold (partner_id, account_id, case_id, reason, note, starts_at, ends_at, source, placed_by)
    SELECT %(partner)s, account_id, id, 'manual', %(why)s, %(now)s, %(hold_until)s, %(cause)s, %(actor)s
    FROM bumped WHERE state <> 'closed' RETURNING id, case_id
), logged AS (
    INSERT INTO case_event (partner_id, case_id, number, code, params, actor, cause, at, voids, bulk_id)
    SELECT %(partner)s, v.case_id, b.version + row_number() OVER (PARTITION BY v.case_id ORDER BY v.number),
        'step_voided', jsonb_build_object('step', v.step, 'number', v.number, 'note', %(why)s::text), %(actor)s,
        %(cause)s, %(now)s, v.number, %(act)s::bigint
    FROM voided v JOIN bumped b ON b.id = v.case_id
    UNION ALL
    SELECT %(partner)s, h.case_id, b.version + b.steps + 1,
        'hold_placed', jsonb_build_object('hold', h.id, 'reason', 'manual', 'until', %(until_text)s::text,
            'claim', NULL::bigint), %(actor)s, %(cause)s, %(now)s, NULL::int, %(act)s::bigint
    FROM held h JOIN bumped b ON b.id = h.case_id
), stopped AS (
    UPDATE effect e SET state = 'cancelled', why = 'step_voided', finished_at = %(now)s
    FROM voided v
    WHERE e.case_id = v.case_id AND e.step_number = v.number AND e.state = 'pending' AND e.attempts = 0
), lapsed AS (
    UPDATE approval p SET state = 'lapsed' FROM bumped b
    WHERE p.case_id = b.id AND p.kind = 'step' AND p.state IN ('requested', 'granted')
        AND p.claims && ARRAY(SELECT k.claim_id FROM voided v JOIN step_claim k ON k.step_id = v.id)
    RETURNING p.case_id, p.step
), dismissed AS (
    UPDATE task k SET state = 'dismissed', done_at = %(now)s, done_by = %(actor)s
    WHERE k.state = 'open' AND k.case_id IN (SELECT id FROM bumped) AND (
        EXISTS (SELECT FROM voided v WHERE v.case_id = k.case_id AND v.number = k.step_number)
        OR EXISTS (SELECT FROM lapsed l WHERE k.dedup = 'approve-' || l.case_id || '-' || l.step))
)
SELECT account_id FROM bumped ORDER BY account_id

-- spare_tasks: nobody is to do what was given up, or to mend a message, where no step stands that still wants it
WITH about AS (
    SELECT e.case_id, s.voided_at, CASE WHEN e.state = 'given_up'
            THEN 'given_up-' || coalesce(e.service_id::text, 'effect-' || e.id)
        ELSE 'unfit-' || e.template || '-' || e.channel || '-' || e.case_id END AS dedup
    FROM effect e LEFT JOIN step_taken s ON s.case_id = e.case_id AND s.number = e.step_number
    WHERE e.case_id = ANY (%(cases)s::bigint[]) AND (e.state = 'given_up' OR e.why = 'unfit_message')
)
UPDATE task k SET state = 'dismissed', done_at = %(now)s, done_by = %(actor)s
FROM (SELECT case_id, dedup FROM about GROUP BY case_id, dedup HAVING bool_and(voided_at IS NOT NULL)) a
WHERE k.case_id = a.case_id AND k.dedup = a.dedup AND k.state = 'open'

-- note: what was done, case by case
INSERT INTO undo_case (partner_id, undo_id, case_id, account_id, steps, fees, services, messages, letters, stopped,
    handovers, reached, apology, at)
SELECT %(partner)s, %(undo)s, w.case_id, w.account_id, ARRAY(SELECT jsonb_array_elements_text(w.steps)::int), w.fees,
    w.services, w.messages, w.letters, w.stopped, w.handovers, w.reached, CASE WHEN w.reached THEN 'draft' ELSE '' END,
    %(now)s
FROM unnest(%(cases)s::bigint[], %(accounts)s::bigint[], %(numbers)s::jsonb[], %(fees)s::bigint[], %(services)s::int[],
    %(messages)s::int[], %(letters)s::int[], %(stopped)s::int[], %(handovers)s::int[], %(reached)s::bool[])
    AS w (case_id, account_id, steps, fees, services, messages, letters, stopped, handovers, reached)
ON CONFLICT (partner_id, undo_id, case_id) DO NOTHING

-- ask: on record, with what was found
INSERT INTO undo (partner_id, policy, version, import_run_id, bulk, since, why, found, needs, asked_at, asked_by)
VALUES (%(partner)s, %(policy)s, %(version)s, %(run)s, %(bulk)s, %(since)s, %(why)s, %(found)s, %(needs)s, %(now)s,
    %(actor)s) RETURNING id

-- lock: one at a time goes on with it; whoever waited finds how far it has come
SELECT id FROM undo WHERE id = %(undo)s FOR UPDATE

-- one: as it stands, with the sums of what was done; an apology is a customer's, not a case's
SELECT u.id, u.policy, u.version, u.import_run_id, u.bulk, u.since, u.until, u.why, u.state, u.found, u.needs,
    u.asked_at, u.asked_by, u.answered_at, u.answered_by, u.started_at, u.finished_at, u.after_case, u.act, u.apology,
    u.apology_by, d.done
FROM undo u
CROSS JOIN LATERAL (
    SELECT jsonb_build_object('cases', count(*), 'steps', coalesce(sum(cardinality(k.steps)), 0),
        'fees', coalesce(sum(k.fees), 0), 'services', coalesce(sum(k.services), 0),
        'messages', coalesce(sum(k.messages), 0), 'letters', coalesce(sum(k.letters), 0),
        'stopped', coalesce(sum(k.stopped), 0), 'handovers', coalesce(sum(k.handovers), 0),
        'reached', count(DISTINCT k.account_id) FILTER (WHERE k.reached),
        'sorry', count(DISTINCT k.account_id) FILTER (WHERE k.apology IN ('wanted', 'told'))) AS done
    FROM undo_case k WHERE k.undo_id = u.id
) d
WHERE (%(undo)s::bigint IS NULL OR u.id = %(undo)s) ORDER BY u.id DESC LIMIT %(limit)s

-- answer: a person's yes or no
UPDATE undo SET state = %(state)s, answered_at = %(now)s, answered_by = %(actor)s WHERE id = %(undo)s

-- start: nothing that is taken later belongs to it. One that nobody else agreed to is about what its asker was shown, so
-- that it cannot come to more cases than one person may undo.
UPDATE undo SET state = 'running', started_at = %(now)s, until = CASE WHEN needs = 1 THEN asked_at ELSE %(now)s END,
    act = %(act)s
WHERE id = %(undo)s

-- come_to: how far it is
UPDATE undo SET after_case = %(after)s WHERE id = %(undo)s

-- finish: with an apology to be approved where anybody noticed anything
UPDATE undo SET state = 'done', finished_at = %(now)s, apology = CASE WHEN EXISTS (
    SELECT FROM undo_case k WHERE k.undo_id = undo.id AND k.reached) THEN 'draft' ELSE '' END
WHERE id = %(undo)s

-- waiting: what a worker goes on with
SELECT id, state IN ('granted', 'running') FROM undo
WHERE state IN ('granted', 'running') OR (apology = 'draft' AND apology_by <> '') ORDER BY id

-- approve_apology: a person's yes; it goes out batch by batch
UPDATE undo SET apology_by = %(actor)s, apology_at = %(now)s WHERE id = %(undo)s

-- drop_apology: nobody is written to
UPDATE undo SET apology = 'dropped', apology_by = %(actor)s, apology_at = %(now)s WHERE id = %(undo)s

-- apologies_to_come: a batch of those that wait for the approval
SELECT case_id, account_id FROM undo_case WHERE undo_id = %(undo)s AND apology = 'draft' ORDER BY case_id LIMIT %(limit)s

-- want_apologies: one case of a customer sends it at its next turn, a closed one takes one more turn for it; with that
-- the customer's other cases are told. An account's cases are found by its index: this goes on for many batches.
WITH first AS (
    SELECT DISTINCT ON (k.account_id) k.case_id FROM undo_case k
    WHERE k.undo_id = %(undo)s AND k.case_id = ANY (%(cases)s::bigint[]) AND k.apology = 'draft' AND NOT EXISTS (
        SELECT FROM dunning_case o JOIN undo_case p ON p.partner_id = o.partner_id AND p.case_id = o.id
        WHERE o.account_id = k.account_id AND p.undo_id = %(undo)s AND p.apology IN ('wanted', 'told'))
    ORDER BY k.account_id, k.case_id
), answered AS (
    UPDATE undo_case k SET apology = CASE WHEN k.case_id IN (SELECT case_id FROM first) THEN 'wanted' ELSE 'told' END
    WHERE k.undo_id = %(undo)s AND k.case_id = ANY (%(cases)s::bigint[]) AND k.apology = 'draft'
    RETURNING k.case_id, k.apology
)
UPDATE dunning_case c SET wakes_at = least(c.wakes_at, %(now)s) FROM answered w
WHERE c.id = w.case_id AND w.apology = 'wanted'

-- apologies_out: all are on their way
UPDATE undo SET apology = 'approved' WHERE id = %(undo)s

-- languages: in which the customers that noticed something are written to
SELECT y.language, count(DISTINCT k.account_id)
FROM undo_case k
JOIN account_role r ON r.partner_id = k.partner_id AND r.account_id = k.account_id AND r.role = 'debtor'
    AND r.starts_at <= %(now)s AND (r.ends_at IS NULL OR r.ends_at > %(now)s)
JOIN party y ON y.partner_id = r.partner_id AND y.id = r.party_id
WHERE k.undo_id = %(undo)s AND k.reached GROUP BY y.language ORDER BY 2 DESC, 1

-- sender: in whose name the draft is shown
SELECT p.country, p.currency, b.name, coalesce(nullif(b.site, ''), p.site), b.phone, b.colour
FROM partner p JOIN brand b ON b.partner_id = p.id WHERE p.id = %(partner)s ORDER BY b.id LIMIT 1

-- running_under: cases that would take the same steps again when their hold ends
SELECT count(*) FROM dunning_case c JOIN policy_version v ON v.partner_id = c.partner_id AND v.id = c.policy_version_id
WHERE c.state <> 'closed' AND v.name = %(name)s AND (%(version)s::int IS NULL OR v.version = %(version)s)
