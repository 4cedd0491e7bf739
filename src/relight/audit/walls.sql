-- powers: whether the role that reads (the one that runs in production) could get past the policies
SELECT r.rolname::text AS role, r.rolsuper OR r.rolbypassrls AS bypasses,
    ARRAY(SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'relight'::regnamespace
        AND c.relkind IN ('r', 'p') AND pg_has_role(current_user, c.relowner, 'MEMBER') ORDER BY 1) AS owns,
    ARRAY(SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'relight'::regnamespace
        AND c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'TRUNCATE') ORDER BY 1) AS truncates,
    ARRAY(SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'relight'::regnamespace
        AND c.relname = 'case_event' AND has_table_privilege(c.oid, 'UPDATE, DELETE') ORDER BY 1) AS rewrites
FROM pg_roles r WHERE r.rolname = current_user

-- tables: those that belong to partners, with what their policies let through. Permissive policies add up, so each of
-- them must ask for the partner; a check that is missing is the same as the condition. People may read where they
-- themselves work, before they have said for which partner.
SELECT c.relname::text AS table, c.relrowsecurity AS secured, count(p.polname) AS policies,
    coalesce(bool_or(p.polname IS NOT NULL AND p.polpermissive AND NOT (
        c.relname = 'membership' AND p.polcmd = 'r' AND pg_get_expr(p.polqual, p.polrelid) LIKE '%%user_id = %%relight.user%%'
        OR
        coalesce(pg_get_expr(p.polqual, p.polrelid), '') LIKE '%%partner_id = %%relight.partner%%'
            AND coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid))
            LIKE '%%partner_id = %%relight.partner%%')), false) AS open,
    bool_or(h.attname = 'case_id') AS has_case, bool_or(h.attname = 'event_number') AS has_event,
    bool_or(h.attname = 'number') AS has_number
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'partner_id' AND NOT a.attisdropped
LEFT JOIN pg_policy p ON p.polrelid = c.oid
LEFT JOIN pg_attribute h ON h.attrelid = c.oid AND NOT h.attisdropped
    AND h.attname IN ('case_id', 'event_number', 'number')
WHERE c.relnamespace = 'relight'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
GROUP BY c.oid, c.relname, c.relrowsecurity ORDER BY c.relname

-- references: columns that name another row by its id, with whether a valid foreign key ties them to the same partner
SELECT c.relname::text AS table, a.attname::text AS column, EXISTS (
    SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.convalidated
        AND k.conkey @> ARRAY[a.attnum, p.attnum] AND cardinality(k.conkey) = 2
        AND EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = k.confrelid AND o.attname = 'partner_id'
            AND o.attnum = k.confkey[array_position(k.conkey, p.attnum)])) AS tied
FROM pg_class c
JOIN pg_attribute p ON p.attrelid = c.oid AND p.attname = 'partner_id' AND NOT p.attisdropped
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname LIKE '%%\_id' AND a.attname <> 'partner_id'
    AND NOT a.attisdropped AND a.atttypid IN ('bigint'::regtype, 'integer'::regtype)
WHERE c.relnamespace = 'relight'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname, a.attname
