-- head: the case, its account, and how the debtor is reached
SELECT c.id, c.account_id, a.ref, a.debtor, a.profile, a.currency, a.credit, r.name AS creditor, b.name AS brand,
    c.state, c.lane, c.version, c.opened_at, c.closed_at, c.arrears, c.step, c.next_step, c.next_at, c.waits_for,
    c.wakes_at, v.name, v.version, c.services,
    debtor.name, debtor.ref, debtor.kind, debtor.language,
    (SELECT jsonb_agg(jsonb_build_array(p.channel, p.value, p.ends_at IS NULL, p.ended_because)
        ORDER BY p.ends_at IS NOT NULL, p.channel DESC, p.id)
     FROM contact_point p WHERE p.party_id = debtor.id)
FROM dunning_case c
JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
JOIN creditor r ON r.partner_id = a.partner_id AND r.id = a.creditor_id
JOIN brand b ON b.partner_id = a.partner_id AND b.id = a.brand_id
JOIN policy_version v ON v.partner_id = c.partner_id AND v.id = c.policy_version_id
LEFT JOIN LATERAL (
    SELECT p.id, p.name, p.ref, p.kind, p.language
    FROM account_role o JOIN party p ON p.partner_id = o.partner_id AND p.id = o.party_id
    WHERE o.account_id = a.id AND o.role = 'debtor' AND o.ends_at IS NULL ORDER BY o.id LIMIT 1
) debtor ON true
WHERE c.id = %(case)s

-- events: the newest first, with what a step gave as its term and whether it still counts
SELECT e.number, e.code, e.params, e.reasons, e.actor, e.at, e.voids, e.facts IS NOT NULL, e.policy_hash, s.step,
    s.completed_at, s.pay_by_date, s.voided_at
FROM case_event e
LEFT JOIN step_taken s ON s.partner_id = e.partner_id AND s.case_id = e.case_id AND s.number = e.number
WHERE e.case_id = %(case)s ORDER BY e.number DESC LIMIT %(limit)s

-- claims: what is owed and what was, with lines, and how far each claim has come with this case
SELECT m.id, m.number, m.reference, m.service_kind, m.amount, m.principal, m.costs, m.interest, m.disputed,
    m.issued_date, m.due_date, m.deferred_to, m.state, m.settled_at,
    (SELECT jsonb_agg(jsonb_build_array(l.text, l.kind, l.amount, l.vat, l.disputed, l.counts_for_cut)
        ORDER BY l.number) FROM claim_line l WHERE l.claim_id = m.id),
    last.step, last.pay_by_date
FROM claim m
LEFT JOIN LATERAL (
    SELECT k.step, k.pay_by_date FROM step_claim o JOIN step_taken k ON k.partner_id = o.partner_id AND k.id = o.step_id
    WHERE o.claim_id = m.id AND k.case_id = %(case)s AND k.voided_at IS NULL ORDER BY k.number DESC LIMIT 1
) last ON true
WHERE m.account_id = %(account)s
ORDER BY m.state <> 'open', m.due_date DESC, m.id DESC LIMIT 100

-- services: level wanted and seen, and who blocks it since when
SELECT s.id, s.kind, s.product, s.ref, s.driver, s.ends_at, coalesce(u.desired, 'full'), coalesce(u.generation, 0),
    u.desired_at, coalesce(u.observed, ''), u.observed_at, coalesce(u.proof, ''), m.street, m.postcode, m.city,
    d.serial,
    (SELECT jsonb_agg(jsonb_build_array(k.reason, k.level, k.starts_at, k.case_id) ORDER BY k.starts_at)
     FROM block k WHERE k.service_id = s.id AND k.ends_at IS NULL)
FROM service s
LEFT JOIN supply u ON u.partner_id = s.partner_id AND u.service_id = s.id
LEFT JOIN access_point p ON p.partner_id = s.partner_id AND p.id = s.access_point_id
LEFT JOIN premises m ON m.partner_id = p.partner_id AND m.id = p.premises_id
LEFT JOIN device d ON d.partner_id = p.partner_id AND d.access_point_id = p.id AND d.ends_at IS NULL
WHERE s.account_id = %(account)s ORDER BY s.ends_at IS NOT NULL, s.id LIMIT 40

-- effects: everything that was to be done outside, one row an attempt
SELECT f.id, f.event_number, f.step_number, f.kind, f.channel, f.template, f.service_id, f.level, f.generation, f.state,
    f.why, f.due_at, f.finished_at, f.key, t.number, t.driver, t.started_at, t.finished_at, t.result, t.code, t.detail
FROM (SELECT * FROM effect WHERE case_id = %(case)s ORDER BY id DESC LIMIT %(limit)s) f
LEFT JOIN attempt t ON t.partner_id = f.partner_id AND t.effect_id = f.id
ORDER BY f.id DESC, t.number

-- messages: as sent, in the words that the customer read
SELECT m.id, m.channel, m.template, m.language, m.amount, m.released_at, m.sent_at, m.delivered_at, m.undeliverable_at,
    f.event_number, coalesce(b.recipient, ''), coalesce(b.subject, ''), b.text, b.pdf IS NOT NULL
FROM sent_message m
JOIN effect f ON f.partner_id = m.partner_id AND f.id = m.effect_id
LEFT JOIN message_body b ON b.partner_id = m.partner_id AND b.message_id = m.id
WHERE m.case_id = %(case)s ORDER BY m.released_at DESC, m.id DESC LIMIT %(limit)s

-- answers: what the customer wrote
SELECT r.id, r.channel, r.sender, r.text, r.meaning, r.received_at FROM received_message r
WHERE r.account_id = %(account)s ORDER BY r.received_at DESC LIMIT 50

-- holds: running ones first
SELECT h.id, h.reason, h.note, h.starts_at, h.ends_at, h.review_date, h.protective, h.placed_by, h.ended_by, h.amount,
    m.number, s.kind, (h.starts_at <= %(now)s AND (h.ends_at IS NULL OR h.ends_at > %(now)s)) AS runs
FROM hold h
LEFT JOIN claim m ON m.partner_id = h.partner_id AND m.id = h.claim_id
LEFT JOIN service s ON s.partner_id = h.partner_id AND s.id = h.service_id
WHERE h.account_id = %(account)s AND (h.case_id IS NULL OR h.case_id = %(case)s)
ORDER BY runs DESC, h.starts_at DESC LIMIT 50

-- approvals: asked and answered
SELECT p.id, p.step, p.needs, p.state, p.requested_at, p.requested_by, p.decided_at, p.decided_by, p.note
FROM approval p WHERE p.case_id = %(case)s ORDER BY p.requested_at DESC, p.id DESC LIMIT 20

-- tasks: open ones first
SELECT t.id, t.code, t.params, t.state, t.urgent, t.created_at, t.due_at, t.done_at, t.done_by, t.note
FROM task t WHERE t.case_id = %(case)s ORDER BY t.state <> 'open', t.due_at LIMIT 50

-- payments: as the sources told them; of one that a person placed, what lies here of it
SELECT p.id, x.amount, p.currency, p.state, p.value_date, p.received_at, p.confirmed_at, p.booked_at, p.returned_at,
    s.name, p.ref, p.payer_name
FROM payment p JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN p.by_hand AND p.state <> 'returned' THEN coalesce((
        SELECT sum(CASE WHEN t.credit = 'customer' THEN t.amount ELSE -t.amount END) FROM transfer t
        WHERE t.account_id = %(account)s AND t.payment_id = p.id AND t.kind IN ('payment', 'move')), 0)
    ELSE p.amount END::bigint AS amount
) x
WHERE p.id IN (
    SELECT id FROM payment WHERE account_id = %(account)s
    UNION SELECT payment_id FROM payment_share WHERE account_id = %(account)s
) AND x.amount > 0
ORDER BY p.received_at DESC, p.id DESC LIMIT 50

-- letter: the pages that were posted
SELECT b.pdf FROM sent_message m JOIN message_body b ON b.partner_id = m.partner_id AND b.message_id = m.id
WHERE m.id = %(message)s AND m.case_id = %(case)s AND b.pdf IS NOT NULL

-- account_of: whose lock an act on the case takes
SELECT account_id FROM dunning_case WHERE id = %(case)s

-- version: how far the case's log has come; a statement of its own, after the lock, so that it sees what was waited for
SELECT version FROM dunning_case WHERE id = %(case)s
