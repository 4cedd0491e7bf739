-- by_id: the text of a published version
SELECT text, hash FROM policy_version WHERE id = %(id)s

-- take_turn: who publishes or shares out at a partner does so alone, so that two at once cannot both find no rival
SELECT pg_advisory_xact_lock(hashtext('relight policies'), %(partner)s)

-- lock_versions: in the order in which whoever opens cases takes them
SELECT id FROM policy_version WHERE name = %(name)s ORDER BY id FOR NO KEY UPDATE

-- is_in_force: whether this very content is what new cases get already
SELECT id FROM policy_version WHERE name = %(name)s AND hash = %(hash)s AND retired_at IS NULL

-- in_force: what new cases may get
SELECT name, version, hash, services, debtor, priority, share, cap, published_at, published_by FROM policy_version
WHERE published_at <= %(now)s AND (retired_at IS NULL OR retired_at > %(now)s) ORDER BY name, version

-- rivals: others in force for some of the same customers, with nothing that says which of the two it is. At any
-- moment, since of two who publish at once the one who read the clock first may come to write last
SELECT DISTINCT name FROM policy_version
WHERE name <> %(name)s AND retired_at IS NULL
    AND debtor = %(debtor)s AND services && %(services)s::text[] AND priority = %(priority)s
ORDER BY name

-- publish: the next version of this name. What it replaces is retired for new cases; what it shares them with stays.
WITH retired AS (
    UPDATE policy_version SET retired_at = %(now)s
    WHERE name = %(name)s AND retired_at IS NULL AND hash <> %(hash)s AND (share < 100 OR %(share)s = 100)
)
INSERT INTO policy_version (partner_id, name, version, text, hash, services, debtor, priority, share, cap, proof,
    published_at, published_by)
SELECT %(partner)s, %(name)s, coalesce(max(version), 0) + 1, %(text)s, %(hash)s, %(services)s, %(debtor)s, %(priority)s,
    %(share)s, %(cap)s, %(proof)s, %(now)s, %(actor)s
FROM policy_version WHERE name = %(name)s
HAVING NOT coalesce(bool_or(hash = %(hash)s AND retired_at IS NULL), false)
RETURNING id, version

-- newest: the version that a share is about
SELECT id, version, hash, text, share, cap, priority FROM policy_version WHERE name = %(name)s AND retired_at IS NULL
ORDER BY version DESC LIMIT 1

-- before: the version that the newest one shares new cases with, or that all go back to: the last that got all of them.
-- One that was only ever tried on a share does not come back.
SELECT id, version, hash, text, share, cap, priority, retired_at IS NOT NULL FROM policy_version
WHERE name = %(name)s AND version < %(version)s AND share = 100 ORDER BY version DESC LIMIT 1

-- roll_out: of new cases, and of those that may run at a time
UPDATE policy_version SET share = %(share)s, cap = %(cap)s,
    retired_at = CASE WHEN %(share)s = 0 THEN %(now)s::timestamptz END
WHERE id = %(id)s

-- retire_older: a version that all new cases get leaves none to those before it
UPDATE policy_version SET retired_at = %(now)s WHERE name = %(name)s AND retired_at IS NULL AND id <> %(id)s

-- take_up: a version that new cases get again
UPDATE policy_version SET retired_at = NULL WHERE id = %(id)s

-- versions: the history of a name, newest first
SELECT v.id, v.version, v.hash, v.text, v.share, v.cap, v.priority, v.published_at, v.published_by, v.retired_at,
    (SELECT count(*) FROM dunning_case c WHERE c.policy_version_id = v.id AND c.state <> 'closed') AS cases
FROM policy_version v WHERE v.name = %(name)s ORDER BY v.version DESC

-- lines: every policy's versions that are in force or that cases run under, and the newest of each, for one list
SELECT v.name, v.services, v.debtor, v.proof, v.id, v.version, v.hash, v.text, v.share, v.cap, v.priority,
    v.published_at, v.published_by, v.retired_at, coalesce(c.cases, 0)
FROM policy_version v
LEFT JOIN (
    SELECT policy_version_id, count(*) AS cases FROM dunning_case WHERE state <> 'closed' GROUP BY policy_version_id
) c ON c.policy_version_id = v.id
WHERE (%(name)s = '' OR v.name = %(name)s) AND (%(name)s <> '' OR v.retired_at IS NULL OR c.cases > 0
    OR v.version = (SELECT max(n.version) FROM policy_version n WHERE n.name = v.name))
ORDER BY v.name, v.version DESC

-- followed: running cases of those that a policy is for, under whichever policy
SELECT count(*) FROM dunning_case c JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
WHERE c.state <> 'closed' AND c.services && %(services)s::text[] AND (a.debtor = %(debtor)s OR a.debtor = 'collective')

-- running: cases under one version
SELECT count(*) FROM dunning_case WHERE policy_version_id = %(id)s AND state <> 'closed'
