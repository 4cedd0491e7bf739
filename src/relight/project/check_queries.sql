-- doctor's questions to the database, each asked as the role that runs in production

-- name: powers
-- What the role may do that would lift it over row-level security, by itself or through a role it can become.
SELECT held.rolname::text AS via,
       array_remove(ARRAY[
           CASE WHEN held.rolsuper THEN 'superuser' END,
           CASE WHEN held.rolbypassrls THEN 'BYPASSRLS' END,
           CASE WHEN held.rolcreaterole THEN 'CREATEROLE' END,
           CASE WHEN held.rolname = 'relight_owner' THEN 'member of the owner' END,
           CASE WHEN held.rolname = 'pg_execute_server_program' THEN 'runs programs on the server' END,
           CASE WHEN held.rolname = 'pg_write_server_files' THEN 'writes files on the server' END,
           CASE WHEN EXISTS (
               SELECT FROM pg_class WHERE relowner = held.oid AND relkind IN ('r', 'p', 'v', 'm')
                  AND relnamespace = to_regnamespace('relight')
           ) THEN 'owns tables' END
       ], NULL) AS powers
  FROM pg_roles AS held
 WHERE pg_has_role(session_user, held.oid, 'MEMBER') OR pg_has_role(current_user, held.oid, 'MEMBER')
 ORDER BY held.rolname;

-- name: unprotected
-- Tables with a partner, and that of the partners, that are open to this role: no row-level security, not in force for
-- it, no policy, or one that asks for no partner.
SELECT relation.relname::text AS name
  FROM pg_class AS relation
  JOIN pg_attribute AS partner ON partner.attrelid = relation.oid
    AND (partner.attname = 'partner_id' OR relation.relname = 'partner' AND partner.attname = 'id')
 WHERE relation.relnamespace = to_regnamespace('relight') AND relation.relkind IN ('r', 'p') AND NOT partner.attisdropped
   AND (NOT row_security_active(relation.oid)
        OR NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = relation.oid)
        OR EXISTS (SELECT FROM pg_policy WHERE polrelid = relation.oid AND polpermissive
                      AND coalesce(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid), '')
                          !~ 'partner_id|relight\.(partner|user)'))
 ORDER BY relation.relname;

-- name: leaking_views
-- Views read with their owner's eyes unless told otherwise, and the owner is above row-level security.
SELECT relname::text AS name
  FROM pg_class
 WHERE relnamespace = to_regnamespace('relight') AND relkind IN ('v', 'm')
   AND NOT (relkind = 'v' AND coalesce(reloptions, '{}') && ARRAY['security_invoker=true', 'security_invoker=on'])
 ORDER BY relname;

-- name: tables
-- How many tables have a partner, so that none at all does not pass for all well.
SELECT count(*) AS number
  FROM pg_class AS relation
  JOIN pg_attribute AS partner ON partner.attrelid = relation.oid AND partner.attname = 'partner_id'
 WHERE relation.relnamespace = to_regnamespace('relight') AND relation.relkind IN ('r', 'p') AND NOT partner.attisdropped;
