-- went: the agency has it now; a word of the agency that came before our own outcome stands
UPDATE handover SET placed_at = coalesce(placed_at, %(now)s), state = CASE WHEN state IN ('sending', 'failed') THEN 'placed'
    ELSE state END
WHERE ref = (SELECT e.key FROM effect e WHERE e.id = %(effect)s)

-- failed: it never arrived, as far as anybody knows
UPDATE handover SET state = 'failed', ended_at = %(now)s
WHERE ref = (SELECT e.key FROM effect e WHERE e.id = %(effect)s) AND state = 'sending'

-- of_effect: the hand-over that a recall is about
SELECT h.id, h.case_id, h.account_id, a.title FROM effect e
JOIN handover h ON h.id = (e.params ->> 'handover')::bigint
JOIN agency a ON a.id = h.agency_id
WHERE e.id = %(effect)s

-- never_had: called back from an agency that knows nothing of it
UPDATE handover SET state = 'recalled', ended_at = %(now)s
WHERE id = %(handover)s AND state NOT IN ('recalled', 'refused', 'uncollectable', 'paid', 'failed')

-- want_back: somebody asks for what an agency has: of the whole case, or of some steps
UPDATE handover h SET wanted_back = %(why)s, wanted_by = %(actor)s FROM agency a
WHERE h.case_id = %(case)s AND h.wanted_back = '' AND a.id = h.agency_id
    AND (%(steps)s::int[] IS NULL OR h.step_number = ANY (%(steps)s::int[]))
    AND h.state NOT IN ('recalled', 'refused', 'uncollectable', 'paid', 'failed')
RETURNING h.id, a.title

-- account_of: whose case it is
SELECT account_id FROM dunning_case WHERE id = %(case)s

-- agency: by its name
SELECT id, title, kind, ended_at FROM agency WHERE name = %(name)s

-- add_agency: once by its name
INSERT INTO agency (partner_id, name, kind, title, org_number, created_at)
VALUES (%(partner)s, %(name)s, %(kind)s, %(title)s, %(org_number)s, %(now)s)
ON CONFLICT (partner_id, name) DO NOTHING RETURNING id

-- add_check: what was seen in a register, by whom
INSERT INTO agency_check (partner_id, agency_id, register, number, source, checked_date, valid_until, checked_by, noted_at)
VALUES (%(partner)s, %(agency)s, %(register)s, %(number)s, %(source)s, %(checked)s, %(until)s, %(by)s, %(now)s)

-- add_fee: what was agreed, from a day on
INSERT INTO agency_fee (partner_id, agency_id, from_date, least, basis_points, amount, noted_at, noted_by)
VALUES (%(partner)s, %(agency)s, %(from)s, %(least)s, %(basis_points)s, %(amount)s, %(now)s, %(by)s)
ON CONFLICT (partner_id, agency_id, from_date, least) DO NOTHING RETURNING id

-- end_agency: nothing more is given to it; what it has goes on
UPDATE agency SET ended_at = %(now)s WHERE id = %(agency)s AND ended_at IS NULL

-- wake_with: cases that wait for something at an agency: what is noted of it may let them go on
SELECT DISTINCT c.account_id FROM dunning_case c
WHERE c.state <> 'closed' AND c.waits_for ~ 'guard\.agency_|law\.requires_state'

-- recall_done: whoever was to see that it is confirmed need not any more
UPDATE task SET state = 'done', done_at = %(now)s, done_by = 'relight'
WHERE state = 'open' AND dedup = 'agency_recall-' || %(handover)s::text

-- list: agencies, the newest look into the register, and how many cases each has
SELECT a.name, a.title, a.kind, a.org_number, a.ended_at, c.register, c.number, c.checked_date, c.valid_until, c.checked_by,
    (SELECT count(*) FROM handover h WHERE h.agency_id = a.id
        AND h.state NOT IN ('recalled', 'refused', 'uncollectable', 'paid', 'failed'))
FROM agency a
LEFT JOIN LATERAL (SELECT * FROM agency_check c WHERE c.agency_id = a.id ORDER BY c.id DESC LIMIT 1) c ON true
ORDER BY a.name
