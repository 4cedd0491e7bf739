-- observe: what a read-back saw of the newest command
UPDATE supply SET observed = %(level)s, observed_at = %(now)s, proof = %(proof)s, read_at = %(now)s
WHERE service_id = %(service)s

-- forget: nobody knows what it is; the next turn commands what is wanted, which reads back first
UPDATE supply SET observed = '', read_at = %(now)s WHERE service_id = %(service)s

-- looked: what a look saw of a service that still waits for the same button: a command that came meanwhile knows better
UPDATE supply SET observed = %(level)s, observed_at = %(now)s, proof = %(proof)s, read_at = %(now)s
WHERE service_id = %(service)s AND observed = 'ready' AND generation = %(generation)s

-- looked_in_vain: nothing was seen, and what was seen before stands
UPDATE supply SET read_at = %(now)s WHERE service_id = %(service)s AND observed = 'ready'

-- waiting_for_button: services that their customers can switch on, whoever was longest not looked at first; with
-- `patient`, the longer one waits the less often, down to once a minute
SELECT s.id, s.account_id, s.driver, u.generation, s.kind, s.address, s.full_profile, d.serial, d.address
FROM supply u JOIN service s ON s.partner_id = u.partner_id AND s.id = u.service_id
LEFT JOIN device d ON d.partner_id = s.partner_id AND d.access_point_id = s.access_point_id AND d.starts_at <= %(now)s
    AND (d.ends_at IS NULL OR d.ends_at > %(now)s)
WHERE u.observed = 'ready' AND u.desired = 'full' AND (u.read_at IS NULL OR u.read_at <= %(before)s
    AND (NOT %(patient)s
        OR u.read_at <= %(now)s - least(interval '1 minute', (%(now)s - coalesce(u.desired_at, %(now)s)) / 20)))
ORDER BY u.read_at NULLS FIRST LIMIT %(limit)s
