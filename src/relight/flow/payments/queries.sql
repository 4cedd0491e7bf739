-- begin: the partner and the moment of all that follows in this round trip; the database's clock is read here, once
SELECT set_config('relight.partner', %(partner)s, true),
    set_config('relight.now', clock_timestamp()::text, true)::timestamptz AS now

-- page: all that the pay page shows, by primary keys and the accounts' own indexes; one row, whatever the account holds.
-- What is owed counts as the engine counts it: disputes and held parts off, costs only beside principal that counts, and
-- late interest too: alone, it is not asked for. What will be collected by a mandate may still be paid.
-- Reference and bank account are those of the oldest claim, since they must belong together.
SELECT
    p.id AS partner_id, p.slug, p.country, p.language AS partner_language, p.time_zone,
    p.driver_settings -> 'payments' AS providers, p.driver_settings -> 'ways' AS ways,
    l.id AS link_id, l.case_id, l.account_id, l.expires_at, l.revoked_at, l.opened_at,
    b.name AS brand_name, b.site AS brand_site, b.phone AS brand_phone, b.email_sender AS brand_email,
    b.colour AS brand_colour, coalesce(co.name, '') AS co_brand,
    cr.name AS creditor, cr.bank_account, a.ref AS account_ref, a.currency,
    coalesce(d.language, p.language) AS language,
    o.overdue, o.total, o.outside, o.reference, o.due_date, o.claims,
    s.kinds, s.levels, n.state AS plan_state, n.parts AS plan_parts, n.paid AS plan_paid,
    g.amount AS collect_amount, g.day AS collect_date
FROM pay_link l
JOIN partner p ON p.id = l.partner_id
JOIN account a ON a.partner_id = l.partner_id AND a.id = l.account_id
JOIN brand b ON b.partner_id = a.partner_id AND b.id = a.brand_id
LEFT JOIN brand co ON co.partner_id = b.partner_id AND co.id = b.co_brand_id
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(c.owed) FILTER (WHERE c.due < c.today), 0)::bigint AS overdue,
        coalesce(sum(c.owed), 0)::bigint AS total,
        coalesce(sum(c.owed) FILTER (WHERE c.due < c.today AND NOT c.in_plan), 0)::bigint AS outside,
        count(*) AS claims,
        (array_agg(c.reference ORDER BY c.due, c.id) FILTER (WHERE c.owed > 0))[1] AS reference,
        (array_agg(c.creditor_id ORDER BY c.due, c.id) FILTER (WHERE c.owed > 0))[1] AS creditor_id,
        min(c.due) FILTER (WHERE c.owed > 0) AS due_date
    FROM (
        SELECT c.id, coalesce(nullif(c.reference, ''), c.number) AS reference, c.creditor_id,
            greatest(c.due_date, c.deferred_to) AS due,
            (current_setting('relight.now')::timestamptz AT TIME ZONE p.time_zone)::date AS today,
            CASE WHEN c.principal > c.disputed + h.held
                    THEN c.principal - c.disputed - h.held + c.costs + c.interest
                WHEN c.principal = 0 THEN c.costs ELSE 0 END AS owed,
            EXISTS (SELECT FROM plan_claim k JOIN instalment_plan n ON n.partner_id = k.partner_id AND n.id = k.plan_id
                WHERE k.claim_id = c.id AND n.state IN ('agreed', 'running')) AS in_plan
        FROM claim c
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(coalesce(h.amount, c.principal)), 0)::bigint AS held FROM hold h
            WHERE h.partner_id = c.partner_id AND h.account_id = c.account_id AND h.claim_id = c.id
                AND h.reason <> 'collection' AND h.starts_at <= current_setting('relight.now')::timestamptz
                AND (h.ends_at IS NULL OR h.ends_at > current_setting('relight.now')::timestamptz)
        ) h
        WHERE c.partner_id = a.partner_id AND c.account_id = a.id AND c.state = 'open'
    ) c
) o
JOIN creditor cr ON cr.partner_id = a.partner_id AND cr.id = coalesce(o.creditor_id, a.creditor_id)
LEFT JOIN LATERAL (
    SELECT y.language FROM account_role r
    JOIN party y ON y.partner_id = r.partner_id AND y.id = r.party_id
    WHERE r.partner_id = a.partner_id AND r.account_id = a.id AND r.role = 'debtor' AND r.ends_at IS NULL
    ORDER BY r.id LIMIT 1
) d ON true
CROSS JOIN LATERAL (
    SELECT array_agg(v.kind ORDER BY u.desired = 'full', v.id) AS kinds,
        array_agg(coalesce(u.desired, 'full') ORDER BY u.desired = 'full', v.id) AS levels
    FROM service v LEFT JOIN supply u ON u.partner_id = v.partner_id AND u.service_id = v.id
    WHERE v.partner_id = a.partner_id AND v.account_id = a.id AND v.ends_at IS NULL
) s
LEFT JOIN LATERAL (
    SELECT n.state,
        (SELECT jsonb_agg(jsonb_build_array(i.number, i.due_date, i.amount, i.remind_date, i.late_date)
            ORDER BY i.number) FROM plan_part i WHERE i.plan_id = n.id) AS parts,
        (SELECT jsonb_agg(jsonb_build_array(y.day, y.amount) ORDER BY y.first_id) FROM (
            SELECT min(t.value_date) AS day, min(t.id) AS first_id,
                sum(CASE WHEN t.credit = 'receivable' THEN t.amount ELSE -t.amount END)::bigint AS amount
            FROM plan_claim k JOIN transfer t ON t.claim_id = k.claim_id AND t.id > n.after_transfer
                AND (t.kind = 'release' OR (t.credit = 'receivable' AND t.kind <> 'interest'))
            WHERE k.plan_id = n.id GROUP BY coalesce(t.payment_id, -t.id)
            HAVING sum(CASE WHEN t.credit = 'receivable' THEN t.amount ELSE -t.amount END) > 0) y) AS paid
    FROM instalment_plan n
    WHERE n.case_id = l.case_id AND (n.state IN ('agreed', 'running') OR (n.state = 'offered' AND n.valid_until
        >= (current_setting('relight.now')::timestamptz AT TIME ZONE p.time_zone)::date))
    ORDER BY n.state = 'offered' LIMIT 1
) n ON true
LEFT JOIN LATERAL (
    SELECT k.collect_date AS day, sum(k.amount)::bigint AS amount FROM collection k
    WHERE k.account_id = a.id AND k.state IN ('planned', 'sent') AND k.recall = ''
        AND k.collect_date >= (current_setting('relight.now')::timestamptz AT TIME ZONE p.time_zone)::date
    GROUP BY k.collect_date ORDER BY k.collect_date LIMIT 1
) g ON true
WHERE l.id = %(link)s

-- opened: the first time that somebody looked; touches nothing the second time
UPDATE pay_link SET opened_at = current_setting('relight.now')::timestamptz WHERE id = %(link)s AND opened_at IS NULL

-- progress: the link's last checkout, its money, and the services that were blocked for arrears when the money came
SELECT k.state AS checkout_state, k.provider, k.amount, k.currency, k.created_at,
    m.state AS payment_state, m.amount AS paid, m.confirmed_at,
    v.services,
    EXISTS (
        SELECT FROM task t WHERE t.partner_id = l.partner_id AND t.case_id = l.case_id AND t.state = 'open' AND t.urgent
            AND t.created_at >= m.confirmed_at
    ) AS somebody_knows
FROM pay_link l
LEFT JOIN LATERAL (
    SELECT k.* FROM checkout k WHERE k.partner_id = l.partner_id AND k.pay_link_id = l.id ORDER BY k.id DESC LIMIT 1
) k ON true
LEFT JOIN LATERAL (
    SELECT m.state, m.amount, coalesce(m.confirmed_at, m.booked_at) AS confirmed_at FROM payment m
    JOIN source o ON o.partner_id = m.partner_id AND o.id = m.source_id
    WHERE m.partner_id = l.partner_id AND o.name = k.provider AND m.ref = k.provider_ref
) m ON true
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'kind', v.kind, 'desired', u.desired, 'observed', u.observed, 'blocked', b.open,
        'observed_at', u.observed_at, 'gave_up', EXISTS (
            SELECT FROM effect e WHERE e.partner_id = v.partner_id AND e.case_id = l.case_id AND e.service_id = v.id
                AND e.kind = 'supply' AND e.generation = u.generation AND e.state IN ('given_up', 'refused')
        )) ORDER BY v.id), '[]') AS services
    FROM service v
    JOIN supply u ON u.partner_id = v.partner_id AND u.service_id = v.id
    JOIN LATERAL (
        SELECT bool_or(b.ends_at IS NULL) AS open FROM block b
        WHERE b.partner_id = v.partner_id AND b.service_id = v.id AND b.reason = 'arrears'
            AND b.starts_at <= m.confirmed_at AND (b.ends_at IS NULL OR b.ends_at >= m.confirmed_at)
        HAVING count(*) > 0
    ) b ON true
    WHERE v.partner_id = l.partner_id AND v.account_id = l.account_id
) v
WHERE l.id = %(link)s

-- check: what the second check compares with, and how often it has failed within the hour
SELECT
    coalesce((SELECT array_agg(DISTINCT m.postcode) FROM service v
        JOIN access_point x ON x.partner_id = v.partner_id AND x.id = v.access_point_id
        JOIN premises m ON m.partner_id = x.partner_id AND m.id = x.premises_id
        WHERE v.partner_id = l.partner_id AND v.account_id = l.account_id AND v.ends_at IS NULL AND m.postcode <> ''),
        '{}') AS postcodes,
    coalesce((SELECT array_agg(DISTINCT c.value) FROM account_role r
        JOIN contact_point c ON c.partner_id = r.partner_id AND c.party_id = r.party_id
        WHERE r.partner_id = l.partner_id AND r.account_id = l.account_id AND r.role = 'debtor' AND r.ends_at IS NULL
            AND c.channel = 'sms' AND c.ends_at IS NULL), '{}') AS phones,
    (SELECT count(*) FROM case_event e WHERE e.partner_id = l.partner_id AND e.case_id = l.case_id
        AND e.code = 'second_check_failed' AND e.at > %(now)s - %(window)s::interval
        AND (e.params ->> 'link')::bigint = l.id) AS misses
FROM pay_link l WHERE l.id = %(link)s

-- details: who and where; only after the second check
SELECT y.name, coalesce(concat_ws(', ', nullif(m.street, ''), nullif(concat_ws(' ', m.postcode, m.city), ' ')), '') AS address,
    k.next_step, k.next_at, k.state AS case_state
FROM pay_link l
JOIN dunning_case k ON k.partner_id = l.partner_id AND k.id = l.case_id
JOIN account_role r ON r.partner_id = l.partner_id AND r.account_id = l.account_id AND r.role = 'debtor' AND r.ends_at IS NULL
JOIN party y ON y.partner_id = r.partner_id AND y.id = r.party_id
LEFT JOIN LATERAL (
    SELECT m.street, m.postcode, m.city FROM service v
    JOIN access_point x ON x.partner_id = v.partner_id AND x.id = v.access_point_id
    JOIN premises m ON m.partner_id = x.partner_id AND m.id = x.premises_id
    WHERE v.partner_id = l.partner_id AND v.account_id = l.account_id AND v.ends_at IS NULL ORDER BY v.id LIMIT 1
) m ON true
WHERE l.id = %(link)s ORDER BY r.id LIMIT 1

-- claims: the open ones, oldest first; the sums are counted as on the page, so that they add up to it
SELECT c.id, c.number, greatest(c.due_date, c.deferred_to) AS due_date,
    greatest(c.principal - c.disputed - h.held, 0)::bigint AS principal,
    (CASE WHEN c.principal > c.disputed + h.held OR c.principal = 0 THEN c.costs ELSE 0 END)::bigint AS costs,
    (CASE WHEN c.principal > c.disputed + h.held THEN c.interest ELSE 0 END)::bigint AS interest
FROM pay_link l
JOIN claim c ON c.partner_id = l.partner_id AND c.account_id = l.account_id AND c.state = 'open'
CROSS JOIN LATERAL (
    SELECT coalesce(sum(coalesce(h.amount, c.principal)), 0)::bigint AS held FROM hold h
    WHERE h.partner_id = c.partner_id AND h.account_id = c.account_id AND h.claim_id = c.id
        AND h.reason <> 'collection' AND h.starts_at <= current_setting('relight.now')::timestamptz
        AND (h.ends_at IS NULL OR h.ends_at > current_setting('relight.now')::timestamptz)
) h
WHERE l.id = %(link)s ORDER BY due_date, c.id

-- history: what has happened in this case, latest first, in words that the page has
SELECT what, at, amount FROM (
    SELECT m.template AS what, coalesce(m.sent_at, m.released_at) AS at, NULL::bigint AS amount
    FROM pay_link l JOIN sent_message m ON m.partner_id = l.partner_id AND m.case_id = l.case_id
    WHERE l.id = %(link)s AND m.template = ANY(%(templates)s)
    UNION ALL
    SELECT 'payment_received', coalesce(m.confirmed_at, m.booked_at), m.amount
    FROM pay_link l JOIN payment m ON m.partner_id = l.partner_id AND m.account_id = l.account_id
    JOIN dunning_case k ON k.partner_id = l.partner_id AND k.id = l.case_id
    WHERE l.id = %(link)s AND m.state IN ('confirmed', 'booked') AND coalesce(m.confirmed_at, m.booked_at) >= k.opened_at
    UNION ALL
    SELECT 'hold_began', h.starts_at, NULL
    FROM pay_link l JOIN hold h ON h.partner_id = l.partner_id AND h.account_id = l.account_id AND h.case_id = l.case_id
    WHERE l.id = %(link)s AND h.reason IN ('promise', 'says_paid', 'manual', 'municipality')
    UNION ALL
    SELECT 'plan_agreed', h.starts_at, NULL
    FROM pay_link l JOIN hold h ON h.partner_id = l.partner_id AND h.account_id = l.account_id AND h.case_id = l.case_id
    WHERE l.id = %(link)s AND h.reason = 'plan'
) happened
ORDER BY at DESC, what LIMIT %(limit)s

-- open_checkouts: those whose webhook may have been lost. Young ones each time; older ones, mostly given up by the
-- customer, take turns by their number, about once in ninety calls, so that no column has to say when they were asked
SELECT provider, provider_ref, handle FROM checkout
WHERE state IN ('created', 'open') AND provider_ref <> ''
    AND created_at > %(now)s - %(span_max)s::interval AND created_at <= %(now)s - %(rest)s::interval
    AND (created_at > %(now)s - %(young)s::interval OR mod(id + floor(extract(epoch FROM %(now)s::timestamptz) / 20)::bigint, 90) = 0)
ORDER BY id DESC LIMIT %(limit)s

-- partner_by_slug: whose webhook this is
SELECT id, driver_settings -> 'payments' AS providers FROM partner WHERE slug = %(slug)s

-- partners: every partner that has providers
SELECT id, driver_settings -> 'payments' FROM partner WHERE driver_settings ? 'payments' ORDER BY id
