-- note: what an audit came to; rows are added and never changed
INSERT INTO audit_result (partner_id, at, violations, by_invariant, is_full)
VALUES (%(partner)s, %(now)s, %(violations)s, %(by_invariant)s, %(is_full)s)

-- begin: this partner's audit, unless somebody else is at it
SELECT pg_try_advisory_xact_lock(8211, %(partner)s)

-- hold: an audit takes minutes, and the role's sessions may be idle in a transaction for seconds only
SET LOCAL idle_in_transaction_session_timeout = 0

-- due: whether the partner's next audit is, by the last one's age and the partner's own clock, and whether it is to be of
-- everything. A partner's first day needs none.
SELECT p.slug, coalesce(a.whole, p.created_at) <= %(now)s::timestamptz - interval '7 days' AS whole
FROM partner p
CROSS JOIN LATERAL (
    SELECT max(r.at) AS last, max(r.at) FILTER (WHERE r.is_full) AS whole FROM audit_result r WHERE r.partner_id = p.id
) a
CROSS JOIN LATERAL (SELECT %(now)s::timestamptz - coalesce(a.last, p.created_at) AS age) o
WHERE p.id = %(partner)s AND p.mode = 'live' AND (o.age >= interval '26 hours' OR (o.age >= interval '20 hours'
    AND extract(hour FROM %(now)s::timestamptz AT TIME ZONE p.time_zone) BETWEEN 1 AND 4))
