-- dismiss: nobody is to do by hand what a step that is voided wanted to be cut, ended or handed over
UPDATE task k SET state = 'dismissed', done_at = %(now)s, done_by = %(actor)s
FROM step_taken s
WHERE s.id = ANY (%(steps)s::bigint[]) AND k.case_id = s.case_id AND k.step_number = s.number AND k.state = 'open'
    AND k.code IN ('request_to_grid', 'contract_terminate', 'handover', 'work_order')

-- done: what people carried out for these steps, with the version of the policy that says what it was
SELECT s.case_id, c.account_id, s.number, s.step, k.part, v.id
FROM step_taken s
JOIN dunning_case c ON c.partner_id = s.partner_id AND c.id = s.case_id
JOIN task k ON k.partner_id = s.partner_id AND k.case_id = s.case_id AND k.step_number = s.number
JOIN case_event e ON e.partner_id = s.partner_id AND e.case_id = s.case_id AND e.number = s.number
JOIN LATERAL (SELECT max(v.id) AS id FROM policy_version v WHERE v.hash = e.policy_hash) v ON v.id IS NOT NULL
WHERE s.id = ANY (%(steps)s::bigint[]) AND k.state = 'done' AND k.part IS NOT NULL
    AND k.code IN ('request_to_grid', 'contract_terminate', 'handover')
ORDER BY s.id, k.part
