-- by_id: the text of a published version
SELECT text, hash FROM policy_version WHERE id = %(id)s

-- published: what applies now
SELECT id, name, version, hash, services, debtor, priority FROM policy_version
WHERE published_at <= %(now)s AND (retired_at IS NULL OR retired_at > %(now)s) ORDER BY name, version

-- publish: the next version of this name; the one before it is retired for new cases
WITH retired AS (
    UPDATE policy_version SET retired_at = %(now)s WHERE name = %(name)s AND retired_at IS NULL AND hash <> %(hash)s
)
INSERT INTO policy_version (partner_id, name, version, text, hash, services, debtor, priority, published_at, published_by)
SELECT %(partner)s, %(name)s, coalesce(max(version), 0) + 1, %(text)s, %(hash)s, %(services)s, %(debtor)s, %(priority)s,
    %(now)s, %(actor)s
FROM policy_version WHERE name = %(name)s
HAVING NOT coalesce(bool_or(hash = %(hash)s AND retired_at IS NULL), false)
RETURNING id
