-- rests: drivers that take nothing now
SELECT kind, name FROM driver_rest WHERE state <> 'open' AND rest_until > %(now)s

-- over: drivers whose rest is over: one attempt is let through, and nobody else's for as long as its end may take
UPDATE driver_rest SET state = 'probing', rest_until = %(until)s WHERE state <> 'open' AND rest_until <= %(now)s
RETURNING kind, name

-- failed: one more failure in a row. Enough of them begin a rest, and a probe that failed a longer one; what fails while
-- it rests left before the rest began
INSERT INTO driver_rest AS r (partner_id, kind, name, failures, code, since)
VALUES (%(partner)s, %(kind)s, %(name)s, 1, %(code)s, %(now)s)
ON CONFLICT (partner_id, kind, name) DO UPDATE SET
    failures = r.failures + 1, code = excluded.code,
    since = CASE WHEN r.failures = 0 THEN excluded.since ELSE r.since END,
    state = CASE WHEN r.state = 'probing' OR (r.state = 'open' AND r.failures + 1 >= %(most)s) THEN 'resting' ELSE r.state END,
    rests = r.rests + CASE WHEN r.state = 'probing' OR (r.state = 'open' AND r.failures + 1 >= %(most)s) THEN 1 ELSE 0 END,
    rest_until = CASE WHEN r.state = 'probing' OR (r.state = 'open' AND r.failures + 1 >= %(most)s)
        THEN %(now)s + least(%(first)s::interval * power(2, least(r.rests, 20)), %(longest)s::interval) ELSE r.rest_until END

-- answered: the other side is there; written only where it had failed before
UPDATE driver_rest SET state = 'open', failures = 0, rests = 0, rest_until = NULL, code = '', since = %(now)s
WHERE kind = %(kind)s AND name = %(name)s AND failures > 0

-- how_they_are: drivers that failed lately
SELECT kind, name, state, failures, rests, rest_until, code, since FROM driver_rest WHERE failures > 0 ORDER BY kind, name

-- in_flight: attempts under way, by kind and channel or driver; by the index of leases, which holds only these
SELECT e.kind, CASE e.kind WHEN 'supply' THEN s.driver ELSE e.channel END, count(*)
FROM effect e LEFT JOIN service s ON s.partner_id = e.partner_id AND s.id = e.service_id
WHERE e.state = 'in_flight' GROUP BY 1, 2 ORDER BY 1, 2
