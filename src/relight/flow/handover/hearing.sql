-- agency: by its name
SELECT id, title FROM agency WHERE name = %(name)s

-- cases: the hand-overs that statuses speak of, with their accounts, which are locked before anything is read for good
SELECT h.account_id FROM handover h WHERE h.agency_id = %(agency)s AND h.ref = ANY (%(refs)s::text[])

-- known: the hand-overs after the lock, with the claim that its money pays first
SELECT h.ref, h.id, h.case_id, h.account_id, n.ref, h.state, h.word_at, h.currency,
    coalesce((SELECT c.number FROM handover_claim k JOIN claim c ON c.id = k.claim_id
        WHERE k.handover_id = h.id ORDER BY c.state <> 'open', c.due_date, c.id LIMIT 1), '')
FROM handover h JOIN account n ON n.id = h.account_id
WHERE h.agency_id = %(agency)s AND h.ref = ANY (%(refs)s::text[])

-- told_before: messages of the agency that are on record already
SELECT message_id, body FROM agency_notice WHERE agency_id = %(agency)s AND message_id = ANY (%(ids)s::text[])

-- keep: word for word, with what became of it
INSERT INTO agency_notice (partner_id, agency_id, handover_id, message_id, status, said_at, received_at, way, body, verdict)
VALUES (%(partner)s, %(agency)s, %(handover)s, %(id)s, %(status)s, %(said_at)s, %(now)s, %(way)s, %(body)s, %(verdict)s)
ON CONFLICT (partner_id, agency_id, message_id) DO NOTHING RETURNING id

-- becomes: a newer word of the agency's; a state in which nothing is left to collect keeps its first moment
UPDATE handover SET state = %(state)s, word_at = %(said_at)s, placed_at = coalesce(placed_at, %(said_at)s),
    agency_case = coalesce(nullif(%(agency_case)s, ''), agency_case),
    ended_at = CASE WHEN %(ended)s THEN coalesce(ended_at, %(now)s) END
WHERE id = %(handover)s

-- held: the agency has money that counts as the customer's payment: once a payment
INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date, posted_at)
SELECT p.partner_id, p.account_id, p.id, 'settlement', 'agency', 'settlement', p.amount, p.currency, p.value_date, %(now)s
FROM payment p
WHERE p.id = %(payment)s AND p.state IN ('confirmed', 'booked') AND p.account_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM transfer t WHERE t.account_id = p.account_id AND t.payment_id = p.id AND t.kind = 'settlement'
        AND t.debit = 'agency')

-- given_back: money that the agency gave back to the payer; once a payment
INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date, posted_at,
    reverses_id)
SELECT t.partner_id, t.account_id, t.payment_id, 'settlement', 'settlement', 'agency', t.amount, t.currency,
    t.value_date, %(now)s, t.id
FROM payment p
JOIN transfer t ON t.account_id = p.account_id AND t.payment_id = p.id AND t.kind = 'settlement' AND t.debit = 'agency'
WHERE p.id = %(payment)s AND p.state = 'returned' AND NOT EXISTS (SELECT FROM transfer r WHERE r.partner_id = t.partner_id AND r.account_id = t.account_id AND r.reverses_id = t.id)

-- finish_paid: nothing is owed on what it was given, and all of it came through the agency; where some came to us, the
-- agency has to be told, and the next turn calls the case back
UPDATE handover h SET state = 'paid', ended_at = %(now)s
WHERE h.id = %(handover)s AND h.state NOT IN ('recalled', 'refused', 'uncollectable', 'paid') AND NOT EXISTS (
    SELECT FROM handover_claim k JOIN claim c ON c.id = k.claim_id
    WHERE k.handover_id = h.id AND c.principal + c.costs + c.interest > 0)
AND NOT EXISTS (
    SELECT FROM handover_claim k JOIN transfer t ON t.claim_id = k.claim_id AND t.id > h.after_transfer
    LEFT JOIN payment p ON p.id = t.payment_id
    WHERE k.handover_id = h.id AND t.credit = 'receivable' AND p.source_id IS DISTINCT FROM %(source)s)
RETURNING h.id

-- reopen_paid: a payment went back, so the agency has it again
UPDATE handover SET state = 'accepted', ended_at = NULL WHERE id = %(handover)s AND state = 'paid'

-- recall_done: whoever was to see that it is confirmed need not any more
UPDATE task SET state = 'done', done_at = %(now)s, done_by = 'relight'
WHERE state = 'open' AND dedup = 'agency_recall-' || %(handover)s::text

-- add_loose_task: work for a person about a case that we do not know
INSERT INTO task (partner_id, code, params, urgent, created_at, due_at, dedup)
VALUES (%(partner)s, %(code)s, %(params)s, false, %(now)s, %(due_at)s, %(dedup)s)
ON CONFLICT (partner_id, dedup) WHERE state = 'open' DO NOTHING
