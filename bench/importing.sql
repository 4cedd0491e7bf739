-- columns: of a table, in order, as COPY names them
SELECT column_name FROM information_schema.columns
WHERE table_schema = 'relight' AND table_name = %(table)s AND is_generated = 'NEVER' ORDER BY ordinal_position

-- creditor: the creditor that a partner's claims are owed to
SELECT min(id) FROM creditor WHERE partner_id = %(partner)s
