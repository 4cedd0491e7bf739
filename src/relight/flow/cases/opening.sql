-- open_cases: one open case an account and policy; the newest published version of the highest priority wins.
-- The first open claim creates it; it wakes on the day after the earliest due date, or at once when that has passed.
-- Of versions with a cap, `full` ones are passed by, and the others take no more than their `rooms`. Claims and
-- cases are looked up account by account (OFFSET 0 and LIMIT 1 keep it so): while a first import runs nobody knows yet
-- how many there are, and each batch read all that came before it.
INSERT INTO dunning_case
    (partner_id, account_id, policy_version_id, services, wakes_at, turned_at, opened_at)
SELECT w.partner_id, w.account_id, w.version_id, w.services, w.wakes_at, %(now)s, %(now)s
FROM (
    SELECT a.partner_id, a.id AS account_id, v.id AS version_id, v.services,
        least(greatest(min(c.due_date)::timestamp AT TIME ZONE 'UTC', %(now)s::timestamptz),
            %(now)s + interval '7 days') AS wakes_at,
        row_number() OVER (PARTITION BY v.id ORDER BY a.id) AS place
    FROM account a
    CROSS JOIN LATERAL (
        SELECT o.due_date, o.service_kind FROM claim o
        WHERE o.account_id = a.id AND o.state = 'open' AND o.principal + o.costs > 0 OFFSET 0
    ) c
    JOIN LATERAL (
        SELECT p.id, p.services FROM policy_version p
        WHERE c.service_kind = ANY (p.services) AND (p.debtor = a.debtor OR a.debtor = 'collective')
            AND p.published_at <= %(now)s AND (p.retired_at IS NULL OR p.retired_at > %(now)s)
            AND (p.share = 100 OR ('x' || left(md5(p.id || ':' || a.id), 7))::bit(28)::int %% 100 < p.share)
            AND p.id <> ALL (%(full)s::bigint[])
        ORDER BY p.priority DESC, p.published_at DESC, p.id DESC LIMIT 1
    ) v ON true
    WHERE a.id = ANY(%(accounts)s::bigint[])
        AND (SELECT true FROM dunning_case k WHERE k.account_id = a.id AND k.state <> 'closed'
            AND c.service_kind = ANY (k.services) LIMIT 1) IS NULL
    GROUP BY a.partner_id, a.id, v.id, v.services
) w
LEFT JOIN unnest(%(capped)s::bigint[], %(rooms)s::bigint[]) AS r (version_id, room) ON r.version_id = w.version_id
WHERE r.room IS NULL OR w.place <= r.room
ON CONFLICT DO NOTHING
RETURNING id

-- lock_capped: versions with a cap, held until the commit, so that two imports cannot both take the last room.
-- Accounts are locked before, here and wherever cases move.
SELECT id FROM policy_version WHERE cap IS NOT NULL AND retired_at IS NULL ORDER BY id FOR NO KEY UPDATE

-- capped: the same versions, to look at
SELECT id FROM policy_version WHERE cap IS NOT NULL AND retired_at IS NULL ORDER BY id

-- rooms: what is left under each. A cap is for a trial: the count is of few cases, or worth its while.
SELECT v.id, CASE WHEN v.cap IS NOT NULL AND v.retired_at IS NULL THEN greatest(0, v.cap - (
    SELECT count(*) FROM dunning_case c WHERE c.policy_version_id = v.id AND c.state <> 'closed')) END
FROM policy_version v WHERE v.id = ANY (%(capped)s::bigint[]) ORDER BY v.id

-- cap_reached: somebody is to say whether more may come; one open task a version
INSERT INTO task (partner_id, code, params, urgent, created_at, due_at, dedup)
SELECT partner_id, 'policy_cap', jsonb_build_object('policy', name, 'version', version, 'cap', cap,
    'detail', name || ' ' || version || ': ' || cap), false, %(now)s, %(due_at)s, 'policy_cap:' || id
FROM policy_version WHERE id = ANY (%(full)s::bigint[])
ON CONFLICT (partner_id, dedup) WHERE state = 'open' DO NOTHING

-- asked_for_room: versions that somebody was told are full
SELECT v.id FROM policy_version v JOIN task t ON t.partner_id = v.partner_id AND t.dedup = 'policy_cap:' || v.id
WHERE t.state = 'open' ORDER BY v.id

-- room_again: nobody needs to make room where there is some
UPDATE task SET state = 'done', done_at = %(now)s, done_by = %(actor)s
WHERE state = 'open' AND dedup = ANY (SELECT 'policy_cap:' || id FROM unnest(%(versions)s::bigint[]) AS v (id))

-- waiting: accounts with open claims and no case for them, for whom a version is in force that has room
SELECT a.id FROM account a
WHERE EXISTS (
    SELECT FROM claim c JOIN policy_version p ON c.service_kind = ANY (p.services)
    WHERE c.account_id = a.id AND c.state = 'open' AND c.principal + c.costs > 0 AND (p.debtor = a.debtor OR a.debtor = 'collective')
        AND p.published_at <= %(now)s AND (p.retired_at IS NULL OR p.retired_at > %(now)s)
        AND (p.share = 100 OR ('x' || left(md5(p.id || ':' || a.id), 7))::bit(28)::int %% 100 < p.share)
        AND p.id <> ALL (%(full)s::bigint[])
        AND NOT EXISTS (
            SELECT FROM dunning_case k
            WHERE k.account_id = a.id AND k.state <> 'closed' AND c.service_kind = ANY (k.services)))
ORDER BY a.id LIMIT %(limit)s
