-- by_id: the text of a published version
SELECT text, hash FROM policy_version WHERE id = %(id)s

-- in_force: what new cases may get
SELECT name, version, hash, services, debtor, priority, share, published_at, published_by FROM policy_version
WHERE published_at <= %(now)s AND (retired_at IS NULL OR retired_at > %(now)s) ORDER BY name, version

-- rivals: others in force for some of the same customers, with nothing that says which of the two it is
SELECT DISTINCT name FROM policy_version
WHERE name <> %(name)s AND published_at <= %(now)s AND (retired_at IS NULL OR retired_at > %(now)s)
    AND debtor = %(debtor)s AND services && %(services)s::text[] AND priority = %(priority)s
ORDER BY name

-- publish: the next version of this name. What it replaces is retired for new cases; what it shares them with stays.
WITH retired AS (
    UPDATE policy_version SET retired_at = %(now)s
    WHERE name = %(name)s AND retired_at IS NULL AND hash <> %(hash)s AND (share < 100 OR %(share)s = 100)
)
INSERT INTO policy_version (partner_id, name, version, text, hash, services, debtor, priority, share, proof,
    published_at, published_by)
SELECT %(partner)s, %(name)s, coalesce(max(version), 0) + 1, %(text)s, %(hash)s, %(services)s, %(debtor)s, %(priority)s,
    %(share)s, %(proof)s, %(now)s, %(actor)s
FROM policy_version WHERE name = %(name)s
HAVING NOT coalesce(bool_or(hash = %(hash)s AND retired_at IS NULL), false)
RETURNING id

-- newest: the version that a share is about
SELECT id, version, share FROM policy_version WHERE name = %(name)s AND retired_at IS NULL ORDER BY version DESC LIMIT 1
FOR UPDATE

-- set_share: of the new cases
UPDATE policy_version SET share = %(share)s WHERE id = %(id)s

-- retire_older: a version that all new cases get leaves none to those before it
UPDATE policy_version SET retired_at = %(now)s WHERE name = %(name)s AND retired_at IS NULL AND id <> %(id)s

-- versions: the history of a name, newest first
SELECT v.version, v.hash, v.text, v.share, v.priority, v.published_at, v.published_by, v.retired_at,
    (SELECT count(*) FROM dunning_case c WHERE c.policy_version_id = v.id AND c.state <> 'closed') AS cases
FROM policy_version v WHERE v.name = %(name)s ORDER BY v.version DESC
