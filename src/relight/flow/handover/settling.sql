-- agency: by its name
SELECT id, title FROM agency WHERE name = %(name)s

-- known_before: a settlement of that number, and the file that it was
SELECT sha256 FROM agency_settlement WHERE agency_id = %(agency)s AND ref = %(ref)s

-- lock_agency: two readings of one settlement meet here
SELECT id FROM agency WHERE id = %(agency)s FOR NO KEY UPDATE

-- cases: the hand-overs that the lines speak of
SELECT h.ref, h.id, h.case_id, h.account_id, n.ref, h.currency,
    coalesce((SELECT c.number FROM handover_claim k JOIN claim c ON c.id = k.claim_id
        WHERE k.handover_id = h.id ORDER BY c.state <> 'open', c.due_date, c.id LIMIT 1), '')
FROM handover h JOIN account n ON n.id = h.account_id
WHERE h.agency_id = %(agency)s AND h.ref = ANY (%(refs)s::text[])

-- fees: what was agreed by the day of the settlement, the newest agreement only
SELECT f.least, f.basis_points, f.amount FROM agency_fee f
WHERE f.agency_id = %(agency)s AND f.from_date = (
    SELECT max(x.from_date) FROM agency_fee x WHERE x.agency_id = f.agency_id AND x.from_date <= %(day)s)
ORDER BY f.least DESC

-- settled_before: payments of the agency that an earlier settlement paid over
SELECT l.payment_ref FROM agency_settlement_line l JOIN agency_settlement s ON s.id = l.settlement_id
WHERE s.agency_id = %(agency)s AND l.payment_ref = ANY (%(payments)s::text[]) AND l.wrong <> 'settled_before'

-- keep: the settlement
INSERT INTO agency_settlement (partner_id, agency_id, ref, file_name, sha256, currency, settled_date, received, fee,
    paid_over, posted_at)
VALUES (%(partner)s, %(agency)s, %(ref)s, %(file)s, %(sha256)s, %(currency)s, %(day)s, %(received)s, %(fee)s,
    %(paid_over)s, %(now)s)
RETURNING id

-- keep_lines: its payments, with what was agreed and what is wrong
INSERT INTO agency_settlement_line (partner_id, settlement_id, handover_id, payment_id, case_ref, payment_ref, direct,
    received, fee, agreed, wrong)
SELECT %(partner)s, %(settlement)s, x.handover_id, x.payment_id, x.case_ref, x.payment_ref, x.direct, x.received, x.fee,
    x.agreed, x.wrong
FROM unnest(%(handovers)s::bigint[], %(paid)s::bigint[], %(case_refs)s::text[], %(payment_refs)s::text[],
    %(directs)s::boolean[], %(receiveds)s::bigint[], %(fees)s::bigint[], %(agreeds)s::bigint[], %(wrongs)s::text[])
    AS x (handover_id, payment_id, case_ref, payment_ref, direct, received, fee, agreed, wrong)

-- post: what the agency pays over is on its way to the bank, and its fee is ours to bear, as far as it was agreed; the
-- rest stays what the agency owes us. Its fee on what was paid to us is kept from what it pays over.
INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date, posted_at)
SELECT %(partner)s, x.account_id, x.payment_id, 'settlement', y.debit, y.credit, y.amount, %(currency)s, %(day)s, %(now)s
FROM unnest(%(accounts)s::bigint[], %(paid)s::bigint[], %(overs)s::bigint[], %(borne)s::bigint[])
    AS x (account_id, payment_id, over, borne)
CROSS JOIN LATERAL (VALUES ('settlement', 'agency', x.over), ('agency', 'settlement', -x.over),
    ('agency_fee', 'agency', x.borne)) y (debit, credit, amount)
WHERE y.amount > 0 AND x.account_id IS NOT NULL
ORDER BY x.account_id

-- add_loose_task: work for a person about a settlement
INSERT INTO task (partner_id, code, params, urgent, created_at, due_at, dedup)
VALUES (%(partner)s, %(code)s, %(params)s, false, %(now)s, %(due_at)s, %(dedup)s)
ON CONFLICT (partner_id, dedup) WHERE state = 'open' DO NOTHING
