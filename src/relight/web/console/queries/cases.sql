-- found: cases that a search means. Each way in has its index and gives accounts; account references and invoice
-- numbers by their beginning, telephone numbers and e-mail addresses whole, names by any part of each word.
WITH hit AS (
    SELECT a.id AS account_id FROM account a WHERE %(q)s <> '' AND starts_with(a.ref, %(q)s)
    UNION
    SELECT m.account_id FROM creditor r JOIN claim m ON m.creditor_id = r.id
    WHERE %(q)s <> '' AND starts_with(m.number, %(q)s)
    UNION
    SELECT m.account_id FROM claim m WHERE %(q)s <> '' AND m.reference = %(q)s
    UNION
    SELECT r.account_id FROM contact_point p JOIN account_role r ON r.party_id = p.party_id AND r.ends_at IS NULL
    WHERE p.channel IN ('sms', 'email') AND p.value = ANY(%(contacts)s::text[])
    UNION
    SELECT r.account_id FROM party p JOIN account_role r ON r.party_id = p.id AND r.ends_at IS NULL
    WHERE %(by_name)s AND p.name ILIKE ALL(%(names)s::text[])
)
SELECT account_id FROM hit LIMIT %(limit)s

-- page: one page of the list. Names, levels and counts are looked up for the page's rows alone.
WITH page AS (
    SELECT c.id, c.account_id, c.state, c.arrears, c.step, c.next_step, c.next_at, c.waits_for, c.opened_at, a.ref,
        a.currency, a.profile,
        row_number() OVER () AS place
    FROM (
        SELECT c.*, a.ref AS account_ref FROM dunning_case c
        JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
        WHERE (%(state)s = 'all' OR (%(state)s = 'open' AND c.state <> 'closed') OR c.state = %(state)s)
            AND (%(step)s = '' OR c.step = %(step)s OR (%(step)s = '-' AND c.step = ''))
            AND (%(waits)s = '' OR %(waits)s = ANY(string_to_array(c.waits_for, ' ')))
            AND (%(least)s IS NULL OR c.arrears >= %(least)s) AND (%(most)s IS NULL OR c.arrears <= %(most)s)
            AND (%(accounts)s IS NULL OR c.account_id = ANY(%(accounts)s::bigint[]))
            AND (NOT %(held)s OR c.account_id IN (
                SELECT h.account_id FROM hold h
                WHERE h.starts_at <= %(now)s AND (h.ends_at IS NULL OR h.ends_at > %(now)s)))
            AND (NOT %(tasks)s OR c.account_id IN (SELECT t.account_id FROM task t WHERE t.state = 'open'))
            AND (%(level)s = '' OR c.account_id IN (
                SELECT s.account_id FROM supply u JOIN service s ON s.id = u.service_id
                WHERE CASE %(level)s WHEN 'restoring' THEN u.desired = 'full' AND u.observed NOT IN ('', 'full')
                    ELSE u.desired = %(level)s END))
        ORDER BY CASE WHEN %(sort)s = '-overdue' THEN c.arrears END DESC,
            CASE WHEN %(sort)s = 'overdue' THEN c.arrears END,
            CASE WHEN %(sort)s = 'next' THEN c.next_at END NULLS LAST,
            CASE WHEN %(sort)s = '-next' THEN c.next_at END DESC NULLS LAST,
            CASE WHEN %(sort)s = 'opened' THEN c.opened_at END,
            CASE WHEN %(sort)s = '-opened' THEN c.opened_at END DESC,
            CASE WHEN %(sort)s = 'account' THEN a.ref END,
            CASE WHEN %(sort)s = '-account' THEN a.ref END DESC,
            c.id
        LIMIT %(size)s OFFSET %(offset)s
    ) c
    JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
)
SELECT page.id, page.ref, debtor.name, page.state, page.arrears, page.currency, page.step, page.next_step, page.next_at,
    page.waits_for, page.opened_at, page.profile,
    EXISTS (SELECT FROM hold h WHERE h.account_id = page.account_id AND (h.case_id IS NULL OR h.case_id = page.id)
        AND h.starts_at <= %(now)s AND (h.ends_at IS NULL OR h.ends_at > %(now)s)) AS held,
    (SELECT count(*) FROM task t WHERE t.case_id = page.id AND t.state = 'open') AS tasks,
    supplied.kinds, supplied.desired, supplied.observed
FROM page
LEFT JOIN LATERAL (
    SELECT p.name FROM account_role r JOIN party p ON p.partner_id = r.partner_id AND p.id = r.party_id
    WHERE r.account_id = page.account_id AND r.role = 'debtor' AND r.ends_at IS NULL ORDER BY r.id LIMIT 1
) debtor ON true
LEFT JOIN LATERAL (
    SELECT array_agg(s.kind ORDER BY s.id) AS kinds, array_agg(coalesce(u.desired, 'full') ORDER BY s.id) AS desired,
        array_agg(coalesce(u.observed, '') ORDER BY s.id) AS observed
    FROM service s LEFT JOIN supply u ON u.partner_id = s.partner_id AND u.service_id = s.id
    WHERE s.account_id = page.account_id AND s.ends_at IS NULL
) supplied ON true
ORDER BY page.place

-- counts: how many cases each choice would show, every group of choices counted within all the others. One pass.
WITH below AS MATERIALIZED (
    SELECT s.account_id, bool_or(u.desired = 'limited') AS limited, bool_or(u.desired = 'walled_garden') AS garden,
        bool_or(u.desired = 'off') AS off, bool_or(u.desired = 'full') AS restoring
    FROM supply u JOIN service s ON s.id = u.service_id
    WHERE u.desired <> 'full' OR u.observed NOT IN ('', 'full')
    GROUP BY s.account_id
), base AS MATERIALIZED (
    SELECT c.state, c.step, c.waits_for,
        (%(state)s = 'all' OR (%(state)s = 'open' AND c.state <> 'closed') OR c.state = %(state)s) AS in_state,
        (%(step)s = '' OR c.step = %(step)s OR (%(step)s = '-' AND c.step = '')) AS in_step,
        (%(waits)s = '' OR %(waits)s = ANY(string_to_array(c.waits_for, ' '))) AS in_waits,
        c.account_id IN (
            SELECT h.account_id FROM hold h
            WHERE h.starts_at <= %(now)s AND (h.ends_at IS NULL OR h.ends_at > %(now)s)) AS held,
        c.account_id IN (SELECT t.account_id FROM task t WHERE t.state = 'open' AND t.account_id IS NOT NULL) AS tasks,
        coalesce(b.limited, false) AS limited, coalesce(b.garden, false) AS garden, coalesce(b.off, false) AS off,
        coalesce(b.restoring, false) AS restoring
    FROM dunning_case c LEFT JOIN below b ON b.account_id = c.account_id
    WHERE (%(least)s IS NULL OR c.arrears >= %(least)s) AND (%(most)s IS NULL OR c.arrears <= %(most)s)
        AND (%(accounts)s IS NULL OR c.account_id = ANY(%(accounts)s::bigint[]))
), judged AS MATERIALIZED (
    SELECT *, in_step AND in_waits AS refined, (held OR NOT %(held)s) AS in_held, (tasks OR NOT %(tasks)s) AS in_tasks,
        CASE %(level)s WHEN '' THEN true WHEN 'limited' THEN limited WHEN 'walled_garden' THEN garden
            WHEN 'off' THEN off ELSE restoring END AS in_level
    FROM base
)
SELECT count(*) FILTER (WHERE in_state AND refined AND in_held AND in_tasks AND in_level) AS total,
    jsonb_build_object(
        'open', count(*) FILTER (WHERE state <> 'closed' AND refined AND in_held AND in_tasks AND in_level),
        'active', count(*) FILTER (WHERE state = 'active' AND refined AND in_held AND in_tasks AND in_level),
        'watching', count(*) FILTER (WHERE state = 'watching' AND refined AND in_held AND in_tasks AND in_level),
        'closed', count(*) FILTER (WHERE state = 'closed' AND refined AND in_held AND in_tasks AND in_level)),
    count(*) FILTER (WHERE held AND in_state AND refined AND in_tasks AND in_level),
    count(*) FILTER (WHERE tasks AND in_state AND refined AND in_held AND in_level),
    jsonb_build_object(
        'limited', count(*) FILTER (WHERE limited AND in_state AND refined AND in_held AND in_tasks),
        'walled_garden', count(*) FILTER (WHERE garden AND in_state AND refined AND in_held AND in_tasks),
        'off', count(*) FILTER (WHERE off AND in_state AND refined AND in_held AND in_tasks),
        'restoring', count(*) FILTER (WHERE restoring AND in_state AND refined AND in_held AND in_tasks)),
    (SELECT jsonb_object_agg(step, n) FROM (
        SELECT step, count(*) AS n FROM judged WHERE step <> '' AND in_state AND in_waits AND in_held AND in_tasks
        AND in_level GROUP BY step) s),
    (SELECT jsonb_object_agg(waits_for, n) FROM (
        SELECT waits_for, count(*) AS n FROM judged WHERE waits_for <> '' AND in_state AND in_step AND in_held
        AND in_tasks AND in_level GROUP BY waits_for) w)
FROM judged
