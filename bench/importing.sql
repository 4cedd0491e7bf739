-- columns: of a table, in order, as COPY names them
SELECT column_name FROM information_schema.columns
WHERE table_schema = 'relight' AND table_name = %(table)s AND is_generated = 'NEVER' ORDER BY ordinal_position

-- creditor: the creditor that a partner's claims are owed to
SELECT min(id) FROM creditor WHERE partner_id = %(partner)s

-- claims_of: the first and the last id of a part of a partner's claims, all parts as large; without theirs who sleep
SELECT min(id), max(id) FROM (
    SELECT id, ntile(%(parts)s::int) OVER (ORDER BY id) AS part FROM claim
    WHERE partner_id = %(partner)s AND id < %(below)s
) c WHERE part = %(part)s + 1
