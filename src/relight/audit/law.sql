-- fees: what was charged, with the step that charged it, and the fees before it that still stood: those of the claim, and
-- those of the other claims of the same arrears, which are the case's
SELECT s.case_id AS case, s.number AS event, t.fee, t.amount AS amount, t.currency, t.posted_at, c.number AS claim,
    greatest(c.due_date, c.deferred_to) AS due_date, s.step, k.policy_version_id, v.policy_hash, a.debtor,
    coalesce((SELECT jsonb_agg(jsonb_build_array(o.fee, o.claim_id = t.claim_id, o.posted_at) ORDER BY o.id)
        FROM transfer o JOIN claim oc ON oc.partner_id = o.partner_id AND oc.id = o.claim_id
        WHERE o.partner_id = t.partner_id AND o.account_id = t.account_id AND o.kind = 'fee' AND o.reverses_id IS NULL
            AND o.id < t.id
            AND (o.claim_id = t.claim_id OR o.posted_at >= k.opened_at AND oc.service_kind = ANY (k.services))
            AND NOT EXISTS (SELECT FROM transfer b
                WHERE b.partner_id = o.partner_id AND b.reverses_id = o.id AND b.posted_at < t.posted_at)), '[]')
        AS earlier
FROM transfer t
JOIN claim c ON c.partner_id = t.partner_id AND c.id = t.claim_id
JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
JOIN step_claim x ON x.partner_id = t.partner_id AND x.claim_id = t.claim_id
JOIN step_taken s ON s.partner_id = x.partner_id AND s.id = x.step_id AND s.decided_at = t.posted_at
JOIN dunning_case k ON k.partner_id = s.partner_id AND k.id = s.case_id
LEFT JOIN case_event v ON v.partner_id = s.partner_id AND v.case_id = s.case_id AND v.number = s.number
WHERE t.partner_id = %(partner)s AND t.kind = 'fee' AND t.reverses_id IS NULL
    AND t.posted_at >= %(since)s::timestamptz
ORDER BY t.id
