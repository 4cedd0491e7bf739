-- rest_case: it is looked at again later; nothing else of it changes
UPDATE dunning_case SET wakes_at = %(until)s, turned_at = %(now)s, lane = 'bulk'
WHERE id = %(case)s AND wakes_at <= %(now)s

-- lock_account: of an effect that is tried by itself
SELECT a.id FROM effect e JOIN account a ON a.partner_id = e.partner_id AND a.id = e.account_id
WHERE e.id = %(effect)s FOR NO KEY UPDATE OF a

-- rest_effect: it stays in the outbox
UPDATE effect SET due_at = %(until)s, why = 'stuck' WHERE id = %(effect)s AND state = 'pending'
RETURNING case_id, account_id
