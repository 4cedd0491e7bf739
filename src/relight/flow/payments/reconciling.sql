-- due: for each provider that the partner has, the last day that was compared, if any
SELECT x.name, (SELECT max(d.day) FROM settled_day d WHERE d.provider = x.name) FROM unnest(%(names)s::text[]) AS x (name)

-- known: which of these payments we have as money that came
SELECT p.ref FROM payment p JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id
WHERE s.name = %(provider)s AND p.ref = ANY (%(refs)s::text[]) AND p.state IN ('confirmed', 'booked', 'returned')

-- keep: the day was compared; once more, and the later comparison stands
INSERT INTO settled_day (partner_id, provider, day, read_at, told, found, differing)
VALUES (%(partner)s, %(provider)s, %(day)s, %(now)s, %(told)s, %(found)s, %(differing)s)
ON CONFLICT (partner_id, provider, day) DO UPDATE SET read_at = excluded.read_at, told = excluded.told,
    found = settled_day.found + excluded.found, differing = settled_day.differing + excluded.differing

-- not_settled: payments that the provider confirmed and has not settled for so long, since its settlements are read
SELECT p.id, p.ref, p.amount, p.currency, p.account_id FROM payment p
JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id
WHERE s.name = %(provider)s AND p.state = 'confirmed' AND p.value_date <= %(until)s
    AND p.value_date >= (SELECT min(d.day) FROM settled_day d WHERE d.provider = %(provider)s)
    AND NOT EXISTS (SELECT FROM task t WHERE t.partner_id = p.partner_id AND t.dedup = 'payment_not_settled-' || p.id)
ORDER BY p.id LIMIT %(limit)s
