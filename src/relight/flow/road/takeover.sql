-- time_zone: the partner's
SELECT time_zone FROM partner WHERE id = %(partner)s

-- find_accounts: by reference, to be locked before anything of theirs is read
SELECT ref, id FROM account WHERE ref = ANY (%(refs)s::text[])

-- claims: the accounts' claims with these numbers, each with the open case that follows its service up
SELECT k.account_id, k.number, k.id, k.state = 'open', greatest(k.due_date, k.deferred_to), c.id, c.policy_version_id
FROM claim k
LEFT JOIN LATERAL (
    SELECT c.id, c.policy_version_id FROM dunning_case c
    WHERE c.account_id = k.account_id AND c.state <> 'closed' AND k.service_kind = ANY (c.services)
    ORDER BY c.id LIMIT 1
) c ON true
WHERE k.account_id = ANY (%(accounts)s::bigint[]) AND k.number = ANY (%(numbers)s::text[])
ORDER BY k.id

-- steps: those that stand in these cases, with the claims they cover
SELECT s.case_id, s.step, s.decided_at, s.completed_at, ARRAY(SELECT k.claim_id FROM step_claim k WHERE k.step_id = s.id)
FROM step_taken s
WHERE s.case_id = ANY (%(cases)s::bigint[]) AND s.voided_at IS NULL
ORDER BY s.id

-- take_over: steps that were taken before Relight, on the log and in the case, with the claims and sums that they covered
WITH told AS (
    SELECT t.*, c.version + row_number() OVER (PARTITION BY t.case_id ORDER BY t.turn) AS number
    FROM unnest(%(cases)s::bigint[], %(steps)s::text[], %(completed)s::timestamptz[], %(pay_by)s::date[],
        %(proofs)s::text[], %(claims)s::jsonb[])
        WITH ORDINALITY AS t (case_id, step, completed_at, pay_by_date, proof, claims, turn)
    JOIN dunning_case c ON c.id = t.case_id
), named AS MATERIALIZED (
    SELECT t.turn, t.case_id, t.number, x.claim_id::bigint AS claim_id
    FROM told t CROSS JOIN LATERAL jsonb_array_elements_text(t.claims) x (claim_id)
), bumped AS (
    UPDATE dunning_case c SET version = c.version + w.steps
    FROM (SELECT case_id, count(*) AS steps FROM told GROUP BY case_id) w WHERE c.id = w.case_id
), logged AS (
    INSERT INTO case_event (partner_id, case_id, number, code, params, actor, at)
    SELECT %(partner)s, t.case_id, t.number, 'step_taken_over', jsonb_build_object('step', t.step, 'at', t.completed_at,
        'proof', t.proof, 'claims', (
            SELECT jsonb_agg(c.number ORDER BY c.number) FROM named n JOIN claim c ON c.id = n.claim_id
            WHERE n.turn = t.turn)),
        'import', %(now)s
    FROM told t
), taken AS (
    INSERT INTO step_taken (partner_id, case_id, number, step, decided_at, completed_at, pay_by_date, proof)
    SELECT %(partner)s, case_id, number, step, completed_at, completed_at, pay_by_date, proof FROM told ORDER BY turn
    RETURNING id, case_id, number
)
INSERT INTO step_claim (partner_id, step_id, claim_id, principal, costs)
SELECT %(partner)s, s.id, c.id, c.principal, c.costs
FROM taken s
JOIN named n ON n.case_id = s.case_id AND n.number = s.number
JOIN claim c ON c.id = n.claim_id
