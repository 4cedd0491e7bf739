-- keep: a content is kept once; its layout as it was first kept
INSERT INTO policy_draft (partner_id, name, hash, text, kept_at, kept_by)
VALUES (%(partner)s, %(name)s, %(hash)s, %(text)s, %(now)s, %(actor)s)
ON CONFLICT (partner_id, name, hash) DO NOTHING

-- put_down: an act goes on record
INSERT INTO policy_act (partner_id, name, hash, version, code, params, actor, at)
VALUES (%(partner)s, %(name)s, %(hash)s, %(version)s, %(code)s, %(params)s, %(actor)s, %(now)s)
RETURNING id

-- stages: the last check and the last what-if of this very content under these very packs
SELECT DISTINCT ON (code) code, params, actor, at FROM policy_act
WHERE name = %(name)s AND hash = %(hash)s AND code IN ('checked', 'simulated') AND params -> 'packs' = %(packs)s::jsonb
ORDER BY code, id DESC

-- drafts: contents that were kept and are not in force, the newest first, with what was last done about each
SELECT d.name, d.hash, d.text, d.kept_at, d.kept_by, c.at, s.at, c.params -> 'packs', s.params -> 'packs'
FROM policy_draft d
LEFT JOIN LATERAL (SELECT a.at, a.params FROM policy_act a WHERE a.name = d.name AND a.hash = d.hash
    AND a.code = 'checked' ORDER BY a.id DESC LIMIT 1) c ON true
LEFT JOIN LATERAL (SELECT a.at, a.params FROM policy_act a WHERE a.name = d.name AND a.hash = d.hash
    AND a.code = 'simulated' ORDER BY a.id DESC LIMIT 1) s ON true
WHERE NOT EXISTS (SELECT FROM policy_version v WHERE v.name = d.name AND v.hash = d.hash)
ORDER BY d.kept_at DESC, d.id DESC LIMIT %(limit)s

-- acts: what was done about a name, newest first
SELECT id, code, hash, version, params, actor, at FROM policy_act WHERE name = %(name)s ORDER BY id DESC
