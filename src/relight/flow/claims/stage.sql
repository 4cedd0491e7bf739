-- claims_table: rows wait here within one transaction; made once a connection, so that the catalogue stays quiet.
-- COPY is refused on tables with row-level security, and a table that was filled gives the planner true sizes.
CREATE TEMP TABLE IF NOT EXISTS staged_claim (
    seq integer, account_ref text, number text, amount bigint, currency text, due_date date, issued_date date,
    sent_at timestamptz, reference text, service_kind text, service_ref text, disputed bigint, cancelled boolean,
    credits text, fingerprint bytea, creditor_id bigint, account_id bigint, claim_id bigint, fate text
) ON COMMIT DELETE ROWS

-- lines_table: lines that a row spelled out; a row without has one line of the whole amount
CREATE TEMP TABLE IF NOT EXISTS staged_line (
    seq integer, number integer, amount bigint, text text, kind text, vat bigint, disputed bigint,
    counts_for_cut boolean, service_ref text
) ON COMMIT DELETE ROWS

-- clear: a second batch of the same transaction starts empty
TRUNCATE staged_claim, staged_line

-- copy_claims: the columns that a row brings
COPY staged_claim (seq, account_ref, number, amount, currency, due_date, issued_date, sent_at, reference, service_kind,
    service_ref, disputed, cancelled, credits, fingerprint, creditor_id) FROM STDIN

-- copy_lines: the columns that a line brings
COPY staged_line FROM STDIN

-- creditors: by name, the partner's first one first
SELECT name, id FROM creditor ORDER BY id

-- new_accounts: in order of ref, so that two imports that meet wait for each other and do not deadlock
INSERT INTO account (partner_id, ref, creditor_id, brand_id, currency, created_at)
SELECT %(partner)s, s.account_ref, s.creditor_id, b.id, s.currency, %(now)s
FROM (
    SELECT DISTINCT ON (account_ref) account_ref, currency,
        coalesce(creditor_id, (SELECT min(id) FROM creditor)) AS creditor_id
    FROM staged_claim ORDER BY account_ref, seq
) s
CROSS JOIN (SELECT min(id) AS id FROM brand) b
WHERE s.creditor_id IS NOT NULL AND b.id IS NOT NULL
    AND NOT EXISTS (SELECT FROM account a WHERE a.partner_id = %(partner)s AND a.ref = s.account_ref)
ORDER BY s.account_ref
ON CONFLICT DO NOTHING

-- lock_accounts: every writer of facts takes these first, in id order, so that two of them cannot deadlock
SELECT a.id FROM account a
WHERE a.ref = ANY (ARRAY(SELECT DISTINCT account_ref FROM staged_claim))
ORDER BY a.id FOR NO KEY UPDATE

-- place: what each row is to what is stored; a statement of its own, after the locks, so that it sees what they saw.
-- Accounts and claims are looked up row by row (OFFSET 0 keeps it so), whatever the planner believes of their number.
WITH strangers AS (
    SELECT DISTINCT l.seq
    FROM (
        SELECT seq, service_ref FROM staged_line WHERE service_ref <> ''
        UNION ALL SELECT seq, service_ref FROM staged_claim WHERE service_ref <> ''
    ) l
    JOIN staged_claim s ON s.seq = l.seq
    LEFT JOIN (service v JOIN account a ON a.id = v.account_id) ON v.ref = l.service_ref AND a.ref = s.account_ref
    WHERE v.id IS NULL
), placed AS (
    SELECT s.seq, s.number, a.id AS account_id, coalesce(s.creditor_id, a.creditor_id) AS creditor_id, a.currency,
        row_number() OVER same_number AS turn, first_value(s.fingerprint) OVER same_number AS first_fingerprint
    FROM staged_claim s
    LEFT JOIN LATERAL (
        SELECT o.id, o.creditor_id, o.currency FROM account o WHERE o.ref = s.account_ref OFFSET 0
    ) a ON true
    WINDOW same_number AS (PARTITION BY coalesce(s.creditor_id, a.creditor_id), s.number ORDER BY s.seq)
)
UPDATE staged_claim s SET
    account_id = f.account_id, creditor_id = f.creditor_id, claim_id = f.claim_id,
    service_kind = CASE WHEN s.service_kind <> '' THEN s.service_kind ELSE coalesce((
        SELECT min(v.kind) FROM service v
        WHERE v.account_id = f.account_id AND v.ends_at IS NULL AND (s.service_ref = '' OR v.ref = s.service_ref)
        HAVING min(v.kind) = max(v.kind)), '') END,
    fate = CASE
        WHEN f.account_id IS NULL THEN 'no_account'
        WHEN f.turn > 1 AND f.first_fingerprint = s.fingerprint THEN 'same'
        WHEN f.turn > 1 THEN 'twice'
        WHEN f.currency <> s.currency THEN 'currency'
        WHEN f.stranger THEN 'service'
        WHEN f.claim_id IS NULL THEN 'new'
        WHEN f.claim_account_id <> f.account_id THEN 'account'
        WHEN f.fingerprint = s.fingerprint THEN 'same'
        WHEN f.run_id = %(run)s THEN 'twice'
        WHEN f.amount < 0 OR s.amount < 0 THEN 'credit_note'
        ELSE 'changed' END
FROM (
    SELECT p.*, c.id AS claim_id, c.account_id AS claim_account_id, c.fingerprint, c.amount, c.run_id,
        t.seq IS NOT NULL AS stranger
    FROM placed p
    LEFT JOIN LATERAL (
        SELECT o.id, o.account_id, o.fingerprint, o.amount, o.run_id FROM claim o
        WHERE o.creditor_id = p.creditor_id AND o.number = p.number OFFSET 0
    ) c ON true
    LEFT JOIN strangers t ON t.seq = p.seq
) f
WHERE f.seq = s.seq

-- fates: how many of each, which rows are refused or known already, and whose facts change
SELECT fate, count(*), array_agg(seq ORDER BY seq) FILTER (WHERE fate NOT IN ('new', 'changed')),
    coalesce(bool_or(amount < 0), false), array_agg(DISTINCT account_id) FILTER (WHERE fate IN ('new', 'changed'))
FROM staged_claim GROUP BY fate
