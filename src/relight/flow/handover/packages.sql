-- place: what is given away, kept before anything leaves, with the account's last posting. A second attempt finds the row
-- of the first: an agency that got both keeps the first, so both say the same.
WITH made AS (
    INSERT INTO handover (partner_id, agency_id, case_id, account_id, effect_id, ref, step_number, currency,
        after_transfer, created_at)
    SELECT %(partner)s, a.id, e.case_id, e.account_id, e.id, e.key, e.step_number, n.currency,
        coalesce((SELECT max(t.id) FROM transfer t WHERE t.account_id = e.account_id), 0), %(now)s
    FROM effect e JOIN agency a ON a.name = e.channel JOIN account n ON n.id = e.account_id
    WHERE e.id = ANY (%(effects)s::bigint[])
    ORDER BY e.id
    ON CONFLICT (partner_id, ref) DO NOTHING
    RETURNING id, effect_id
)
INSERT INTO handover_claim (partner_id, handover_id, claim_id, principal, costs, interest)
SELECT %(partner)s, m.id, c.id, w.principal, c.costs, c.interest
FROM unnest(%(of_effects)s::bigint[], %(claims)s::bigint[], %(principals)s::bigint[]) AS w (effect_id, claim_id, principal)
JOIN made m ON m.effect_id = w.effect_id JOIN claim c ON c.id = w.claim_id
ORDER BY c.id

-- heads: whose case it is, one row an effect: a placing one by its own hand-over, the others by the one they name
SELECT e.id, h.id, h.ref, h.created_at, h.currency, h.agency_case, g.title, p.name, p.country, r.name, r.org_number,
    r.bank_account, a.ref, a.debtor, v.name, c.services
FROM effect e
JOIN handover h ON h.id = CASE WHEN e.template = 'place' THEN (SELECT x.id FROM handover x WHERE x.ref = e.key)
    ELSE (e.params ->> 'handover')::bigint END
JOIN agency g ON g.id = h.agency_id
JOIN dunning_case c ON c.id = h.case_id
JOIN policy_version v ON v.id = c.policy_version_id
JOIN account a ON a.id = h.account_id
JOIN creditor r ON r.id = a.creditor_id
JOIN partner p ON p.id = h.partner_id
WHERE e.id = ANY (%(effects)s::bigint[])

-- claims: as they were handed over, with their lines, and what is owed on each now
SELECT k.handover_id, c.number, c.reference, c.service_kind, c.issued_date, c.due_date, c.amount, k.principal, k.costs,
    k.interest, (c.principal + c.costs + c.interest)::bigint AS owed,
    (SELECT jsonb_agg(jsonb_build_object('number', l.number, 'text', l.text, 'kind', l.kind, 'amount', l.amount,
        'vat', l.vat, 'disputed', l.disputed) ORDER BY l.number) FROM claim_line l WHERE l.claim_id = c.id)
FROM handover_claim k JOIN claim c ON c.id = k.claim_id
WHERE k.handover_id = ANY (%(handovers)s::bigint[])
ORDER BY k.handover_id, c.due_date, c.id

-- people: who owes, or answers for whoever does, and how they are reached
SELECT h.id, o.role, y.name, y.kind, y.org_number, y.language,
    (SELECT jsonb_agg(jsonb_build_object('channel', t.channel, 'value', t.value) ORDER BY t.channel, t.id)
        FROM contact_point t WHERE t.party_id = y.id AND t.starts_at <= %(now)s
            AND (t.ends_at IS NULL OR t.ends_at > %(now)s))
FROM handover h
JOIN account_role o ON o.account_id = h.account_id AND o.role IN ('debtor', 'co_debtor', 'guardian', 'estate')
    AND o.starts_at <= %(now)s AND (o.ends_at IS NULL OR o.ends_at > %(now)s)
JOIN party y ON y.id = o.party_id
WHERE h.id = ANY (%(handovers)s::bigint[])
ORDER BY h.id, o.id

-- notices: the messages of steps that named these claims, with what became of each, and the words where they are kept
SELECT h.id, m.id, s.step, m.template, m.channel, m.language, m.amount, s.pay_by_date, m.released_at, m.sent_at,
    m.delivered_at, m.undeliverable_at, m.provider_ids, coalesce(b.recipient, ''), coalesce(b.subject, ''), b.text, b.pdf
FROM handover h
JOIN step_taken s ON s.case_id = h.case_id AND s.number < h.step_number AND s.voided_at IS NULL
    AND EXISTS (SELECT FROM step_claim k JOIN handover_claim w ON w.claim_id = k.claim_id AND w.handover_id = h.id
        WHERE k.step_id = s.id)
JOIN effect e ON e.case_id = s.case_id AND e.step_number = s.number AND e.kind = 'message'
JOIN sent_message m ON m.effect_id = e.id
LEFT JOIN message_body b ON b.message_id = m.id
WHERE h.id = ANY (%(handovers)s::bigint[])
ORDER BY h.id, m.id

-- taken_over: notices that another system gave before the case came here, with the proof that it left
SELECT h.id, s.step, s.decided_at, s.completed_at, s.pay_by_date, s.proof
FROM handover h
JOIN step_taken s ON s.case_id = h.case_id AND s.number < h.step_number AND s.voided_at IS NULL AND s.proof <> ''
    AND EXISTS (SELECT FROM step_claim k JOIN handover_claim w ON w.claim_id = k.claim_id AND w.handover_id = h.id
        WHERE k.step_id = s.id)
WHERE h.id = ANY (%(handovers)s::bigint[])
ORDER BY h.id, s.number

-- payments: what was paid on the claims since they were handed over, other than through the agency
SELECT h.id, p.ref, p.value_date,
    sum(CASE WHEN t.kind = 'allocation' THEN t.amount ELSE -t.amount END)::bigint
FROM handover h
JOIN agency g ON g.id = h.agency_id
JOIN handover_claim k ON k.handover_id = h.id
JOIN transfer t ON t.claim_id = k.claim_id AND t.id > h.after_transfer AND t.kind IN ('allocation', 'release')
JOIN payment p ON p.id = t.payment_id
JOIN source s ON s.id = p.source_id AND s.name <> 'agency ' || g.name
WHERE h.id = ANY (%(handovers)s::bigint[])
GROUP BY h.id, p.id, p.ref, p.value_date ORDER BY h.id, p.value_date, p.id
