-- blocked: when services were below full, by reason, whatever of it lies within the days; the day's bounds are the
-- partner's own midnights
SELECT s.ref, a.ref, s.kind, a.debtor, b.reason, b.level, b.starts_at, b.ends_at, p.time_zone, p.country
FROM block b
JOIN service s ON s.partner_id = b.partner_id AND s.id = b.service_id
JOIN account a ON a.partner_id = s.partner_id AND a.id = s.account_id
JOIN partner p ON p.id = b.partner_id
WHERE b.starts_at < (%(last)s::date + 1)::timestamp AT TIME ZONE p.time_zone
    AND (b.ends_at IS NULL OR b.ends_at > %(first)s::date::timestamp AT TIME ZONE p.time_zone)
ORDER BY s.ref, b.starts_at, b.id
