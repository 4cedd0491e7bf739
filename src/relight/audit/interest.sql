-- bearing: claims whose late interest was named or booked, with every change of their principal. `from_the_first` is what
-- counts from the due date on: the bill itself, and what was taken off a bill that was too high. `unnamed`: steps covered
-- the claim, and every one of them was voided; those that were taken over from another system named nothing here.
SELECT c.id, c.account_id, c.number, c.currency, c.state, c.principal, c.disputed, a.debtor, c.interest_until AS until,
    greatest(c.due_date, c.deferred_to) AS due_date, h.booked, h.forgiven, h.days, h.amounts, h.from_the_first,
    (SELECT max(k.id) FROM dunning_case k WHERE k.partner_id = c.partner_id AND k.account_id = c.account_id
        AND c.service_kind = ANY (k.services)) AS case,
    coalesce((SELECT bool_and(s.voided_at IS NOT NULL) FROM step_claim k
        JOIN step_taken s ON s.partner_id = k.partner_id AND s.id = k.step_id
        WHERE k.partner_id = c.partner_id AND k.claim_id = c.id AND s.proof = ''), false) AS unnamed
FROM claim c
JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.signed) FILTER (WHERE x.kind = 'interest'), 0)::bigint AS booked,
        coalesce(-sum(x.signed) FILTER (WHERE x.kind IN ('write_off', 'remission') AND x.part = 'interest'), 0)::bigint
            AS forgiven,
        coalesce(array_agg(x.value_date ORDER BY x.id) FILTER (WHERE x.part = 'principal'), '{}') AS days,
        coalesce(array_agg(x.signed ORDER BY x.id) FILTER (WHERE x.part = 'principal'), '{}') AS amounts,
        coalesce(array_agg(x.kind = 'claim' OR (x.kind = 'correction' AND x.signed < 0) ORDER BY x.id)
            FILTER (WHERE x.part = 'principal'), '{}') AS from_the_first
    FROM (
        SELECT t.id, t.kind, t.part, t.value_date,
            CASE WHEN t.debit = 'receivable' THEN t.amount ELSE -t.amount END AS signed
        FROM transfer t
        WHERE t.partner_id = c.partner_id AND t.claim_id = c.id AND 'receivable' IN (t.debit, t.credit)
    ) x
) h
WHERE c.partner_id = %(partner)s AND (c.interest_until IS NOT NULL OR h.booked <> 0)
    AND (%(full)s OR c.account_id IN (SELECT t.account_id FROM transfer t
        WHERE t.partner_id = %(partner)s AND t.posted_at >= %(since)s::timestamptz))
ORDER BY c.id

-- answered: the rates that somebody of the partner answers for, in the order in which they were set
SELECT r.name, r.from_date, r.basis_points, r.set_at FROM confirmed_rate r
WHERE r.partner_id = %(partner)s ORDER BY r.id

-- debtors: what the account's debtor was taken for in its decisions
SELECT DISTINCT v.facts ->> 'debtor' AS debtor
FROM dunning_case k JOIN case_event v ON v.partner_id = k.partner_id AND v.case_id = k.id
WHERE k.partner_id = %(partner)s AND k.account_id = %(account)s AND v.facts ? 'debtor'
