-- withdraw: a notice was false when its invoice is cancelled, when it named more than was owed then less the correction
-- (what was disputed had not been named), when it went out before what is the due date now, or when the invoice is for a
-- service now that it was not for. From the first false one of a claim, every later step that covers the claim goes too:
-- it rested on it.
WITH corrected AS (
    SELECT claim_id, sum(less) AS less, max(services) AS services
    FROM unnest(%(claims)s::bigint[], %(less)s::bigint[], %(services)s::text[]) AS x (claim_id, less, services)
    GROUP BY claim_id
), false_ones AS (
    SELECT s.case_id, k.claim_id, min(s.number) AS number
    FROM corrected x
    JOIN claim c ON c.id = x.claim_id
    JOIN partner p ON p.id = c.partner_id
    JOIN step_claim k ON k.claim_id = c.id
    JOIN step_taken s ON s.id = k.step_id AND s.voided_at IS NULL
    CROSS JOIN LATERAL (
        SELECT greatest(k.principal, coalesce(sum(CASE WHEN t.debit = 'receivable' THEN t.amount ELSE -t.amount END), 0))
            AS owed
        FROM transfer t
        WHERE t.claim_id = c.id AND t.part = 'principal' AND t.posted_at <= s.decided_at AND t.posted_at < %(now)s
            AND 'receivable' IN (t.debit, t.credit)
    ) b
    WHERE c.state = 'cancelled'
        OR greatest(c.due_date, c.deferred_to) >= (s.decided_at AT TIME ZONE p.time_zone)::date
        OR (x.less > 0 AND k.principal > b.owed - x.less)
        OR (x.services <> '{}' AND NOT x.services::bigint[] @> ARRAY(
            SELECT l.service_id FROM claim_line l WHERE l.claim_id = c.id AND l.service_id IS NOT NULL))
    GROUP BY s.case_id, k.claim_id
), withdrawn AS (
    UPDATE step_taken s SET voided_at = %(now)s
    FROM false_ones f JOIN step_claim k ON k.claim_id = f.claim_id
    WHERE s.case_id = f.case_id AND s.number >= f.number AND k.step_id = s.id AND s.voided_at IS NULL
    RETURNING s.id, s.case_id, s.number, s.step
), bumped AS (
    UPDATE dunning_case c SET version = c.version + w.steps
    FROM (SELECT case_id, count(*) AS steps FROM withdrawn GROUP BY case_id) w WHERE c.id = w.case_id
    RETURNING c.id, c.account_id, c.version - w.steps AS version
), logged AS (
    INSERT INTO case_event (partner_id, case_id, number, code, params, reasons, actor, at, voids)
    SELECT %(partner)s, w.case_id, b.version + row_number() OVER (PARTITION BY w.case_id ORDER BY w.number),
        'step_withdrawn', jsonb_build_object('step', w.step, 'number', w.number),
        jsonb_build_array(jsonb_build_object('code', 'withdrawn.corrected', 'params', jsonb_build_object('claims', (
            SELECT jsonb_agg(c.number ORDER BY c.number) FROM false_ones f JOIN claim c ON c.id = f.claim_id
            WHERE f.case_id = w.case_id AND f.number <= w.number
        )))),
        'import', %(now)s, w.number
    FROM withdrawn w JOIN bumped b ON b.id = w.case_id
), lapsed AS (
    UPDATE approval p SET state = 'lapsed'
    FROM bumped b
    WHERE p.case_id = b.id AND p.kind = 'step' AND p.state IN ('requested', 'granted')
        AND p.claims && ARRAY(SELECT claim_id FROM false_ones)
    RETURNING p.case_id, p.step
), dismissed AS (
    UPDATE task k SET state = 'dismissed', done_at = %(now)s, done_by = 'import'
    FROM lapsed l
    WHERE k.case_id = l.case_id AND k.state = 'open' AND k.dedup = 'approve-' || l.case_id || '-' || l.step
)
SELECT w.id, b.account_id FROM withdrawn w JOIN bumped b ON b.id = w.case_id ORDER BY w.id

-- grown: by how much invoices have grown since notices named them. These stand, for what they named (core/standing.py)
UPDATE step_claim k SET raised = k.raised + x.raised
FROM (
    SELECT claim_id, sum(raised)::bigint AS raised
    FROM unnest(%(claims)s::bigint[], %(raised)s::bigint[]) AS y (claim_id, raised) GROUP BY claim_id
) x
WHERE k.claim_id = x.claim_id AND x.raised > 0
