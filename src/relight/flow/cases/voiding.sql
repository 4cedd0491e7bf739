-- fees: what these steps charged and nobody has taken back
SELECT DISTINCT t.id FROM step_taken s
JOIN step_claim k ON k.step_id = s.id
JOIN transfer t ON t.claim_id = k.claim_id AND t.kind = 'fee' AND t.debit = 'receivable' AND t.posted_at = s.decided_at
WHERE s.id = ANY (%(steps)s::bigint[])
    AND NOT EXISTS (SELECT FROM transfer r WHERE r.claim_id = t.claim_id AND r.reverses_id = t.id)
