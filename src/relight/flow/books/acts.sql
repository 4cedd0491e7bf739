-- claim: what is asked about, by its number or reference: whose, and what is owed on it
SELECT c.id, c.account_id, c.number, c.currency, c.costs, c.interest, c.principal, c.state
FROM claim c JOIN creditor r ON r.id = c.creditor_id
WHERE c.number = %(number)s AND (%(creditor)s = '' OR r.name = %(creditor)s) ORDER BY c.id LIMIT 2

-- ask: the act waits for another person's yes
WITH asked AS (
    INSERT INTO approval (partner_id, kind, claims, requested_at, requested_by)
    VALUES (%(partner)s, %(kind)s, ARRAY[%(claim)s::bigint], %(now)s, %(actor)s) RETURNING id
)
INSERT INTO books_act (partner_id, kind, account_id, claim_id, approval_id, amount, currency, reason)
SELECT %(partner)s, %(kind)s, %(account)s, %(claim)s, id, %(amount)s, %(currency)s, %(reason)s FROM asked
RETURNING id

-- is_asked: one open question a claim
SELECT 1 FROM books_act WHERE claim_id = %(claim)s AND state = 'requested'

-- act: one, with its question and its claim as they are now
SELECT b.id, b.kind, b.state, b.amount, b.currency, b.reason, b.account_id, a.ref, b.claim_id, c.number,
    p.requested_by, p.requested_at, p.decided_by, b.posted_at, b.undone_by, b.undone_at
FROM books_act b
JOIN approval p ON p.id = b.approval_id
JOIN account a ON a.id = b.account_id
LEFT JOIN claim c ON c.id = b.claim_id
WHERE b.id = %(act)s

-- acts: the newest first; those that wait for an answer, or all
SELECT b.id, b.kind, b.state, b.amount, b.currency, b.reason, b.account_id, a.ref, b.claim_id, c.number,
    p.requested_by, p.requested_at, p.decided_by, b.posted_at, b.undone_by, b.undone_at
FROM books_act b
JOIN approval p ON p.id = b.approval_id
JOIN account a ON a.id = b.account_id
LEFT JOIN claim c ON c.id = b.claim_id
WHERE (b.state = 'requested' OR NOT %(waiting)s) AND (%(account)s::bigint IS NULL OR b.account_id = %(account)s)
ORDER BY b.id DESC LIMIT %(limit)s

-- answer: yes or no, once
WITH answered AS (
    UPDATE approval p SET state = CASE WHEN %(granted)s THEN 'granted' ELSE 'refused' END, decided_at = %(now)s,
        decided_by = ARRAY[%(actor)s::text], note = %(note)s
    FROM books_act b WHERE b.id = %(act)s AND p.id = b.approval_id AND p.state = 'requested'
    RETURNING p.id
)
UPDATE books_act b SET state = CASE WHEN %(granted)s THEN 'posted' ELSE 'refused' END,
    posted_at = CASE WHEN %(granted)s THEN %(now)s::timestamptz END
FROM answered x WHERE b.approval_id = x.id
RETURNING b.id

-- post: off the claim, costs before interest before principal; what the claim owes falls in the same statement
WITH wanted AS (
    SELECT b.kind, b.amount AS taken, c.partner_id, c.account_id, c.id, c.currency, c.costs, c.interest, c.principal
    FROM books_act b JOIN claim c ON c.id = b.claim_id WHERE b.id = %(act)s
), parts AS (
    SELECT x.part, x.turn,
        least(x.owed, w.taken - (sum(x.owed) OVER (ORDER BY x.turn) - x.owed))::bigint AS amount
    FROM wanted w
    CROSS JOIN LATERAL (VALUES (1, 'costs', w.costs), (2, 'interest', w.interest), (3, 'principal', w.principal))
        x (turn, part, owed)
), posted AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency, value_date,
        posted_at)
    SELECT w.partner_id, w.account_id, w.id, w.kind, CASE w.kind WHEN 'write_off' THEN 'written_off' ELSE 'forgiven' END,
        'receivable', p.part, p.amount, w.currency, %(today)s, %(now)s
    FROM wanted w CROSS JOIN parts p
    WHERE p.amount > 0 ORDER BY p.turn
    RETURNING partner_id, id, part, amount
), linked AS (
    INSERT INTO books_act_transfer (partner_id, act_id, transfer_id) SELECT partner_id, %(act)s, id FROM posted
), sums AS (
    SELECT coalesce(sum(amount) FILTER (WHERE part = 'costs'), 0) AS costs,
        coalesce(sum(amount) FILTER (WHERE part = 'interest'), 0) AS interest,
        coalesce(sum(amount) FILTER (WHERE part = 'principal'), 0) AS principal, sum(amount) AS amount
    FROM posted
)
UPDATE claim c SET costs = c.costs - s.costs, interest = c.interest - s.interest, principal = c.principal - s.principal,
    state = CASE WHEN c.costs + c.interest + c.principal = s.amount THEN 'settled' ELSE c.state END,
    settled_at = CASE WHEN c.costs + c.interest + c.principal = s.amount THEN %(now)s ELSE c.settled_at END
FROM wanted w CROSS JOIN sums s WHERE c.id = w.id

-- room: the principal that an act took, and how much the claim may owe again by what its invoice says now
SELECT coalesce((SELECT sum(t.amount) FROM books_act_transfer x JOIN transfer t ON t.id = x.transfer_id
        WHERE x.act_id = b.id AND t.part = 'principal'), 0)::bigint,
    CASE WHEN c.state = 'cancelled' THEN -1 ELSE c.amount - c.principal - coalesce(sum(
    CASE WHEN t.debit = 'receivable' THEN -t.amount ELSE t.amount END), 0) END::bigint
FROM books_act b
JOIN claim c ON c.id = b.claim_id
LEFT JOIN transfer t ON t.claim_id = c.id AND t.part = 'principal' AND 'receivable' IN (t.debit, t.credit)
    AND 'revenue' NOT IN (t.debit, t.credit)
    AND NOT EXISTS (SELECT FROM books_act_transfer x WHERE x.act_id = b.id AND x.transfer_id = t.id)
WHERE b.id = %(act)s GROUP BY b.id, c.id, c.state, c.amount, c.principal

-- take_back: each posting of the act reversed; the claim is owed again, and open
WITH back AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency, value_date,
        posted_at, reverses_id)
    SELECT t.partner_id, t.account_id, t.claim_id, t.kind, t.credit, t.debit, t.part, t.amount, t.currency, %(today)s,
        %(now)s, t.id
    FROM books_act_transfer x JOIN transfer t ON t.id = x.transfer_id
    WHERE x.act_id = %(act)s AND NOT x.undoes
        AND NOT EXISTS (SELECT FROM transfer r WHERE r.claim_id = t.claim_id AND r.reverses_id = t.id)
    ORDER BY t.id
    RETURNING partner_id, id, claim_id, part, amount
), linked AS (
    INSERT INTO books_act_transfer (partner_id, act_id, transfer_id, undoes)
    SELECT partner_id, %(act)s, id, true FROM back
), marked AS (
    UPDATE books_act SET state = 'undone', undone_at = %(now)s, undone_by = %(actor)s WHERE id = %(act)s
)
UPDATE claim c SET costs = c.costs + b.costs, interest = c.interest + b.interest, principal = c.principal + b.principal,
    state = 'open', settled_at = NULL
FROM (
    SELECT claim_id, coalesce(sum(amount) FILTER (WHERE part = 'costs'), 0) AS costs,
        coalesce(sum(amount) FILTER (WHERE part = 'interest'), 0) AS interest,
        coalesce(sum(amount) FILTER (WHERE part = 'principal'), 0) AS principal
    FROM back GROUP BY claim_id
) b
WHERE c.id = b.claim_id

-- cases: the account's open cases, which are told
SELECT id FROM dunning_case WHERE account_id = %(account)s AND state <> 'closed' ORDER BY id

-- creditor_of: by the claim's key
SELECT r.name FROM claim c JOIN creditor r ON r.id = c.creditor_id WHERE c.id = %(claim)s
