-- accounts: the partner's accounts under a policy's services and kind of debtor, with reach, profile and known flags
SELECT a.id, a.profile,
    ARRAY(SELECT DISTINCT p.channel FROM account_role r
        JOIN contact_point p ON p.partner_id = r.partner_id AND p.party_id = r.party_id
        WHERE r.account_id = a.id AND r.role = 'debtor' AND r.ends_at IS NULL AND p.ends_at IS NULL),
    ARRAY(SELECT f.name || '=' || f.value FROM flag f
        WHERE f.account_id = a.id AND f.starts_at <= %(now)s AND (f.ends_at IS NULL OR f.ends_at > %(now)s)
        ORDER BY f.name)
FROM account a
WHERE a.debtor = %(debtor)s
    AND EXISTS (SELECT FROM claim c WHERE c.account_id = a.id AND c.service_kind = ANY (%(services)s))
ORDER BY a.id LIMIT %(limit)s

-- zone: whose days are counted
SELECT time_zone FROM partner WHERE id = %(partner)s

-- claims: their bills of the last year and all that are still open, with the local day on which each was settled
SELECT c.account_id, c.id, coalesce(c.issued_date, c.due_date - 14), c.due_date, c.amount, c.principal + c.costs,
    (c.settled_at AT TIME ZONE %(zone)s)::date, c.state
FROM claim c
WHERE c.account_id = ANY (%(accounts)s) AND c.service_kind = ANY (%(services)s) AND c.amount > 0
    AND c.state <> 'cancelled' AND (c.state = 'open' OR c.due_date > %(today)s::date - 365)
ORDER BY c.account_id, c.due_date, c.id
