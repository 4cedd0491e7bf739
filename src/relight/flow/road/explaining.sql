-- head: the case, whom it is about and who asks; by the case's key
SELECT c.id, c.account_id, a.ref, a.currency, c.state, c.arrears, c.next_step, c.next_at, c.waits_for, c.wakes_at,
    v.name, v.version, c.policy_version_id, r.name, b.phone, p.country, p.language, coalesce(debtor.name, ''),
    coalesce(debtor.language, '')
FROM dunning_case c
JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
JOIN creditor r ON r.partner_id = a.partner_id AND r.id = a.creditor_id
JOIN brand b ON b.partner_id = a.partner_id AND b.id = a.brand_id
JOIN policy_version v ON v.partner_id = c.partner_id AND v.id = c.policy_version_id
JOIN partner p ON p.id = c.partner_id
LEFT JOIN LATERAL (
    SELECT p.name, p.language FROM account_role o JOIN party p ON p.partner_id = o.partner_id AND p.id = o.party_id
    WHERE o.account_id = a.id AND o.role = 'debtor' AND o.starts_at <= %(now)s
        AND (o.ends_at IS NULL OR o.ends_at > %(now)s) ORDER BY o.id LIMIT 1
) debtor ON true
WHERE c.id = %(case)s

-- log: the newest entries, oldest first, which were taken back, and for which services the bills of their step are; by the
-- keys of log and step. An entry that tells of an earlier step names its number.
SELECT e.number, e.at, e.code, e.params, e.reasons, e.actor, s.number = e.number AND s.voided_at IS NOT NULL, l.services
FROM (SELECT * FROM case_event WHERE case_id = %(case)s ORDER BY number DESC LIMIT %(limit)s) e
LEFT JOIN step_taken s ON s.partner_id = e.partner_id AND s.case_id = e.case_id
    AND s.number = CASE WHEN jsonb_typeof(e.params -> 'number') = 'number' THEN (e.params ->> 'number')::int
        ELSE e.number END
LEFT JOIN LATERAL (
    SELECT array_agg(DISTINCT c.service_id ORDER BY c.service_id) AS services FROM step_claim k
    JOIN claim_line c ON c.partner_id = k.partner_id AND c.claim_id = k.claim_id
    WHERE k.step_id = s.id AND c.service_id IS NOT NULL
) l ON true
ORDER BY e.number

-- services: what the account's services are, also those that have ended: the log speaks of them
SELECT id, kind FROM service WHERE account_id = %(account)s
