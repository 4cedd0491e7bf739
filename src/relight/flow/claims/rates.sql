-- confirmed: the rates that the partner answers for; of several for one day the one set last
SELECT DISTINCT ON (name, from_date) name, from_date, basis_points, set_at, set_by
FROM confirmed_rate ORDER BY name, from_date, id DESC

-- add: one more; what held before stays on record
INSERT INTO confirmed_rate (partner_id, name, from_date, basis_points, set_at, set_by)
VALUES (%(partner)s, %(name)s, %(from_date)s, %(basis_points)s, %(now)s, %(by)s)

-- country: whose law counts
SELECT country FROM partner WHERE id = %(partner)s

-- named: whether any claim's late interest was ever named, so that a rate that is missing matters
SELECT EXISTS (SELECT FROM claim WHERE interest_until IS NOT NULL)
