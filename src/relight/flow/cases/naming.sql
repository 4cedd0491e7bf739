-- covered: claims of these steps whose late interest is counted, once for each step that covers them and stands: the
-- version of the policy that took it, and its name (both empty where none stands). What another system sent named none
SELECT DISTINCT c.id, o.version, o.step
FROM step_claim k
JOIN claim c ON c.id = k.claim_id AND c.interest_until IS NOT NULL
LEFT JOIN LATERAL (
    SELECT s.step, (SELECT max(v.id) FROM policy_version v WHERE v.hash = e.policy_hash) AS version
    FROM step_claim n
    JOIN step_taken s ON s.id = n.step_id AND s.voided_at IS NULL AND s.proof = ''
    JOIN case_event e ON e.partner_id = s.partner_id AND e.case_id = s.case_id AND e.number = s.number
    WHERE n.claim_id = c.id
) o ON true
WHERE k.step_id = ANY (%(steps)s::bigint[])
