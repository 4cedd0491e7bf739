-- post_new: claims, what is owed on them, and their lines, in one statement
WITH fresh AS (
    INSERT INTO claim (partner_id, account_id, creditor_id, number, reference, service_kind, currency, amount, principal,
        disputed, issued_date, sent_at, due_date, state, fingerprint, run_id, created_at)
    SELECT %(partner)s, account_id, creditor_id, number, reference, service_kind, currency,
        CASE WHEN cancelled THEN 0 ELSE amount END, CASE WHEN cancelled THEN 0 ELSE greatest(amount, 0) END,
        disputed, issued_date, sent_at, due_date,
        CASE WHEN cancelled THEN 'cancelled' WHEN amount < 0 THEN 'settled' ELSE 'open' END,
        fingerprint, %(run)s, %(now)s
    FROM staged_claim WHERE fate = 'new' ORDER BY seq
    RETURNING id, account_id, creditor_id, number, currency, principal, coalesce(issued_date, due_date) AS value_date
), posted AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency, value_date,
        posted_at)
    SELECT %(partner)s, account_id, id, 'claim', 'receivable', 'revenue', 'principal', principal, currency, value_date,
        %(now)s
    FROM fresh WHERE principal > 0
)
INSERT INTO claim_line (partner_id, claim_id, number, service_id, kind, text, amount, vat, disputed, counts_for_cut)
SELECT %(partner)s, f.id, coalesce(l.number, 1), v.id, coalesce(l.kind, 'service'), coalesce(l.text, ''),
    coalesce(l.amount, s.amount), coalesce(l.vat, 0), coalesce(l.disputed, s.disputed), coalesce(l.counts_for_cut, true)
FROM fresh f
JOIN staged_claim s ON s.fate = 'new' AND s.creditor_id = f.creditor_id AND s.number = f.number
LEFT JOIN staged_line l ON l.seq = s.seq
LEFT JOIN LATERAL (
    SELECT min(id) AS id FROM service
    WHERE account_id = f.account_id AND CASE
        WHEN coalesce(nullif(l.service_ref, ''), s.service_ref) <> ''
        THEN ref = coalesce(nullif(l.service_ref, ''), s.service_ref)
        ELSE ends_at IS NULL AND (s.service_kind = '' OR kind = s.service_kind) END
    HAVING count(*) = 1
) v ON true

-- post_changed: what an invoice says now against what it said, as corrections; nothing that was posted is touched. By how
-- much it went down, by how much what is undisputed went up, and which services it was for.
-- What was paid beyond the new amount goes back to the customer's credit, newest payment first, as releases that keep
-- the payment's name, so that a payment that is returned later can still be followed.
WITH changed AS (
    SELECT s.*, c.amount AS old_amount, c.principal AS old_principal, c.costs AS old_costs,
        c.interest AS old_interest, c.disputed AS old_disputed,
        CASE WHEN s.cancelled THEN 0 ELSE s.amount END AS new_amount
    FROM staged_claim s JOIN claim c ON c.id = s.claim_id
    WHERE s.fate = 'changed'
), paid AS (
    SELECT t.claim_id, t.payment_id, max(t.id) AS last_id,
        sum(CASE WHEN t.kind = 'allocation' THEN t.amount ELSE -t.amount END) AS amount
    FROM changed g JOIN transfer t ON t.claim_id = g.claim_id
    WHERE g.old_amount - g.new_amount > g.old_principal AND t.part = 'principal' AND t.kind IN ('allocation', 'release')
    GROUP BY t.claim_id, t.payment_id
    HAVING sum(CASE WHEN t.kind = 'allocation' THEN t.amount ELSE -t.amount END) > 0
), stacked AS (
    SELECT *, sum(amount) OVER (PARTITION BY claim_id ORDER BY last_id DESC) - amount AS below FROM paid
), over AS (
    SELECT k.claim_id, k.payment_id, k.last_id,
        least(k.amount, g.old_amount - g.new_amount - g.old_principal - k.below) AS amount
    FROM stacked k JOIN changed g ON g.claim_id = k.claim_id
    WHERE k.below < g.old_amount - g.new_amount - g.old_principal
), sums AS (
    SELECT g.*, r.released, least(g.old_amount - g.new_amount, g.old_principal + r.released) AS less
    FROM changed g
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(o.amount), 0)::bigint AS released FROM over o WHERE o.claim_id = g.claim_id
    ) r
), released AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, payment_id, kind, debit, credit, part, amount, currency,
        value_date, posted_at, reverses_id)
    SELECT %(partner)s, g.account_id, o.claim_id, o.payment_id, 'release', 'receivable', 'customer', 'principal',
        o.amount, g.currency, %(today)s, %(now)s, o.last_id
    FROM over o JOIN changed g ON g.claim_id = o.claim_id
), corrected AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency, value_date,
        posted_at)
    SELECT %(partner)s, s.account_id, s.claim_id, 'correction', x.debit, x.credit, x.part, x.amount, s.currency,
        %(today)s, %(now)s
    FROM sums s
    CROSS JOIN LATERAL (VALUES
        ('receivable', 'revenue', 'principal', -s.less),
        ('revenue', 'receivable', 'principal', s.less),
        ('fee_income', 'receivable', 'costs', CASE WHEN s.cancelled THEN s.old_costs ELSE 0 END)
    ) x (debit, credit, part, amount)
    WHERE x.amount > 0
    ORDER BY s.seq
), deferred AS (
    INSERT INTO claim_due_change (partner_id, claim_id, due_date, changed_at)
    SELECT %(partner)s, c.id, greatest(c.due_date, c.deferred_to), %(now)s
    FROM sums s JOIN claim c ON c.id = s.claim_id WHERE c.due_date <> s.due_date
), credited AS (
    UPDATE account a SET credit = a.credit + r.amount
    FROM (SELECT account_id, sum(released) AS amount FROM sums WHERE released > 0 GROUP BY account_id) r
    WHERE a.id = r.account_id
)
UPDATE claim c SET
    amount = s.new_amount, principal = s.old_principal + s.released - s.less,
    costs = CASE WHEN s.cancelled THEN 0 ELSE s.old_costs END,
    disputed = s.disputed, due_date = s.due_date, issued_date = s.issued_date, sent_at = coalesce(s.sent_at, c.sent_at),
    reference = s.reference, service_kind = s.service_kind, fingerprint = s.fingerprint, run_id = %(run)s,
    state = CASE WHEN s.cancelled THEN 'cancelled'
        WHEN s.old_principal + s.released - s.less + s.old_costs + s.old_interest = 0 THEN 'settled' ELSE 'open' END,
    settled_at = CASE
        WHEN s.cancelled OR s.old_principal + s.released - s.less + s.old_costs + s.old_interest > 0 THEN NULL
        ELSE coalesce(c.settled_at, %(now)s) END
FROM sums s WHERE c.id = s.claim_id
RETURNING c.id, (s.old_amount - s.new_amount)::bigint,
    greatest(0, (s.new_amount - s.disputed) - (s.old_amount - s.old_disputed))::bigint,
    ARRAY(SELECT DISTINCT l.service_id FROM claim_line l WHERE l.claim_id = c.id AND l.service_id IS NOT NULL)

-- fees_of_cancelled: fees on invoices that owe nothing any more; taken back before the invoices themselves
SELECT t.id FROM staged_claim s JOIN transfer t ON t.claim_id = s.claim_id
WHERE s.fate = 'changed' AND s.cancelled AND t.kind = 'fee' AND t.debit = 'receivable'
    AND NOT EXISTS (SELECT FROM transfer r WHERE r.claim_id = t.claim_id AND r.reverses_id = t.id)

-- credited: the invoices that new credit notes name, and by how much they were too high
SELECT c.id, -s.amount FROM staged_claim s
JOIN claim c ON c.account_id = s.account_id AND s.credits IN (c.number, c.reference) AND c.amount > 0
WHERE s.fate = 'new' AND s.amount < 0 AND s.credits <> '' AND NOT s.cancelled

-- clear_lines: the lines of a changed invoice are what it says now; what it said before stays in its transfers
DELETE FROM claim_line l USING staged_claim s WHERE s.fate = 'changed' AND l.claim_id = s.claim_id

-- add_lines: as for a new one
INSERT INTO claim_line (partner_id, claim_id, number, service_id, kind, text, amount, vat, disputed, counts_for_cut)
SELECT %(partner)s, s.claim_id, coalesce(l.number, 1), v.id, coalesce(l.kind, 'service'), coalesce(l.text, ''),
    coalesce(l.amount, s.amount), coalesce(l.vat, 0), coalesce(l.disputed, s.disputed), coalesce(l.counts_for_cut, true)
FROM staged_claim s
LEFT JOIN staged_line l ON l.seq = s.seq
LEFT JOIN LATERAL (
    SELECT min(id) AS id FROM service
    WHERE account_id = s.account_id AND CASE
        WHEN coalesce(nullif(l.service_ref, ''), s.service_ref) <> ''
        THEN ref = coalesce(nullif(l.service_ref, ''), s.service_ref)
        ELSE ends_at IS NULL AND (s.service_kind = '' OR kind = s.service_kind) END
    HAVING count(*) = 1
) v ON true
WHERE s.fate = 'changed'

-- post_credit_notes: money that the creditor gives back: it waits as the account's credit, to be allocated like a payment
WITH given AS (
    SELECT c.account_id, c.id AS claim_id, -c.amount AS amount, c.currency,
        coalesce(c.issued_date, c.due_date) AS value_date, s.credits, s.seq
    FROM staged_claim s JOIN claim c ON c.creditor_id = s.creditor_id AND c.number = s.number
    WHERE s.fate = 'new' AND c.amount < 0
), posted AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, amount, currency, value_date, posted_at)
    SELECT %(partner)s, account_id, claim_id, 'credit_note', 'revenue', 'customer', amount, currency, value_date, %(now)s
    FROM given ORDER BY seq
), credited AS (
    UPDATE account a SET credit = a.credit + g.amount
    FROM (SELECT account_id, sum(amount) AS amount FROM given GROUP BY account_id) g
    WHERE a.id = g.account_id
)
SELECT account_id, NULL::bigint, amount, credits FROM given WHERE credits <> '' ORDER BY seq
