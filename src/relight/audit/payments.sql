-- count: payments and providers' notices that are looked at
SELECT (SELECT count(*) FROM payment p WHERE p.partner_id = %(partner)s
        AND greatest(p.received_at, p.confirmed_at, p.booked_at, p.returned_at) >= %(since)s::timestamptz)
    + (SELECT count(*) FROM provider_notice n WHERE n.partner_id = %(partner)s AND n.received_at >= %(since)s::timestamptz)
    AS n

-- miscounted: what each payment came to on the ledger, against what its row says; one pass over the transfers
WITH posted AS (
    SELECT t.payment_id,
        count(*) FILTER (WHERE t.kind = 'payment') AS times, sum(t.amount) FILTER (WHERE t.kind = 'payment') AS came,
        count(*) FILTER (WHERE t.kind = 'return') AS times_back, sum(t.amount) FILTER (WHERE t.kind = 'return') AS back,
        coalesce(sum(CASE t.kind WHEN 'allocation' THEN t.amount WHEN 'release' THEN -t.amount END), 0) AS used,
        coalesce(sum(CASE WHEN t.kind = 'refund' AND t.debit = 'customer' THEN t.amount
            WHEN t.kind = 'refund' AND t.credit = 'customer' THEN -t.amount END), 0) AS refunded,
        min(t.account_id) FILTER (WHERE t.kind IN ('payment', 'move')) AS account_id,
        min(t.currency) FILTER (WHERE t.kind = 'payment') AS currency
    FROM transfer t WHERE t.partner_id = %(partner)s AND t.payment_id IS NOT NULL GROUP BY t.payment_id
), judged AS (
    SELECT p.id, p.ref, p.state, p.amount, p.currency, p.account_id, o.came, o.back, o.used,
        coalesce(o.times, 0) AS times, coalesce(o.times_back, 0) AS times_back,
        CASE
            WHEN coalesce(o.times, 0) > 1 THEN 'was posted ' || o.times || ' times; it counts once'
            WHEN p.state IN ('confirmed', 'booked') AND o.times IS DISTINCT FROM 1
                THEN 'is ' || p.state || ' and was never posted: it is lost'
            WHEN o.times = 1 AND p.state IN ('ordered', 'authorised', 'failed')
                THEN 'was posted although it is ' || p.state
            WHEN o.times = 1 AND p.account_id IS NULL AND o.account_id IS NOT NULL AND NOT p.by_hand
                THEN 'was posted on an account although it belongs to none'
            WHEN o.times = 1 AND (o.came <> p.amount OR o.currency <> p.currency
                    OR o.account_id IS DISTINCT FROM p.account_id AND p.state <> 'returned' AND NOT p.by_hand)
                THEN 'was posted with another sum, currency or account than it has'
            WHEN p.by_hand AND o.times IS DISTINCT FROM 1 THEN 'was placed by hand and never posted'
            WHEN p.state = 'returned' AND o.times = 1 AND o.times_back <> 1 AND NOT p.by_hand
                THEN 'was returned, and taken back ' || o.times_back || ' times'
            WHEN p.state <> 'returned' AND o.times_back > 0 THEN 'was taken back although it is ' || p.state
            WHEN p.by_hand AND p.state = 'returned' AND o.back IS DISTINCT FROM o.came
                THEN 'was returned, and ' || coalesce(o.back, 0) || ' of ' || o.came || ' was taken back'
            WHEN o.times_back = 1 AND o.back <> o.came AND NOT p.by_hand
                THEN 'was taken back with another sum than it came with'
            WHEN coalesce(o.used, 0) > coalesce(o.came, 0) - coalesce(o.back, 0)
                THEN 'pays more on claims than it brought'
            WHEN p.state <> 'returned' AND o.refunded > 0 AND o.used + o.refunded > coalesce(o.came, 0)
                THEN 'gave more back to its payer than it left as credit'
            WHEN o.used < 0 THEN 'gave more back from claims than it had paid on them'
        END AS wrong
    FROM payment p LEFT JOIN posted o ON o.payment_id = p.id
    WHERE p.partner_id = %(partner)s
        AND greatest(p.received_at, p.confirmed_at, p.booked_at, p.returned_at) >= %(since)s::timestamptz
)
SELECT (SELECT max(c.id) FROM dunning_case c WHERE c.partner_id = %(partner)s AND c.account_id = j.account_id) AS case,
    NULL::int AS event, j.ref, j.amount AS amount_sum, j.currency, j.wrong
FROM judged j WHERE j.wrong IS NOT NULL ORDER BY j.id

-- notice_lost: a provider said that money came, and no payment of that name counts
SELECT (SELECT max(l.case_id) FROM checkout k JOIN pay_link l ON l.partner_id = k.partner_id AND l.id = k.pay_link_id
        WHERE k.partner_id = n.partner_id AND k.provider = n.provider AND k.provider_ref = n.provider_ref) AS case,
    NULL::int AS event, n.provider, n.event_id, n.provider_ref, n.amount AS amount_sum, n.currency
FROM provider_notice n
WHERE n.partner_id = %(partner)s AND n.received_at >= %(since)s::timestamptz AND n.state IN ('confirmed', 'booked')
    AND NOT EXISTS (
        SELECT FROM payment p JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id
        WHERE p.partner_id = n.partner_id AND s.name = n.provider AND p.ref = n.provider_ref
            AND p.state IN ('confirmed', 'booked', 'returned'))
ORDER BY n.id

-- told_twice: two rows for what one source calls one payment
SELECT (SELECT max(c.id) FROM dunning_case c WHERE c.partner_id = %(partner)s AND c.account_id = min(p.account_id)) AS case,
    NULL::int AS event, p.ref, s.name AS source, count(*) AS times
FROM payment p JOIN source s ON s.partner_id = p.partner_id AND s.id = p.source_id
WHERE p.partner_id = %(partner)s GROUP BY s.name, p.source_id, p.ref HAVING count(*) > 1 ORDER BY p.ref

-- notice_twice: one event of a provider, kept twice
SELECT NULL::bigint AS case, NULL::int AS event, n.provider, n.event_id, count(*) AS times
FROM provider_notice n WHERE n.partner_id = %(partner)s
GROUP BY n.provider, n.event_id HAVING count(*) > 1 ORDER BY n.event_id

-- unseen: money that came to an account, or a part of it, whose cases have been decided since, and none of them saw it. A
-- case in the urgent lane has been woken and not decided yet.
WITH unseen AS (
    SELECT p.id, p.account_id, p.ref, p.state, p.amount, p.currency,
        greatest(p.received_at, p.confirmed_at, p.booked_at, p.returned_at) AS at
    FROM payment p
    WHERE p.partner_id = %(partner)s AND p.noted_at IS NULL AND p.state IN ('confirmed', 'booked', 'returned')
    UNION ALL
    SELECT p.id, x.account_id, p.ref, p.state, x.amount, p.currency, x.placed_at
    FROM payment_share x JOIN payment p ON p.partner_id = x.partner_id AND p.id = x.payment_id
    WHERE x.partner_id = %(partner)s AND x.noted_at IS NULL
)
SELECT max(c.id) AS case, NULL::int AS event, u.ref, u.state, u.amount AS amount_sum, u.currency
FROM unseen u JOIN dunning_case c ON c.partner_id = %(partner)s AND c.account_id = u.account_id
WHERE u.at >= %(since)s::timestamptz
GROUP BY u.id, u.account_id, u.ref, u.state, u.amount, u.currency, u.at
HAVING bool_and(c.lane <> 'urgent') AND max(c.turned_at) > u.at + %(tolerance)s::interval
ORDER BY u.id

-- astray: a payment that lay on no account, or that a person placed: what each account has of it, what lies on none, and
-- what claims got of it, added up anew from its transfers. Only few payments are, so that their transfers are read by
-- themselves.
WITH loose AS (
    SELECT DISTINCT t.payment_id FROM transfer t
    WHERE t.partner_id = %(partner)s AND 'unmatched' IN (t.debit, t.credit)
), placed AS (
    SELECT p.id, p.ref, p.amount, p.currency, p.state, p.account_id, p.unmatched FROM payment p
    LEFT JOIN loose l ON l.payment_id = p.id
    WHERE p.partner_id = %(partner)s AND (p.by_hand OR p.unmatched > 0 OR l.payment_id IS NOT NULL)
), lying AS (
    SELECT t.payment_id, t.account_id,
        sum(CASE WHEN t.credit = 'customer' THEN t.amount WHEN t.debit = 'customer' THEN -t.amount ELSE 0 END) AS free,
        sum(CASE t.kind WHEN 'allocation' THEN t.amount WHEN 'release' THEN -t.amount ELSE 0 END) AS used
    FROM placed p JOIN transfer t ON t.partner_id = %(partner)s AND t.payment_id = p.id
    WHERE t.account_id IS NOT NULL GROUP BY t.payment_id, t.account_id
), nowhere AS (
    SELECT t.payment_id,
        sum(CASE WHEN t.credit = 'unmatched' THEN t.amount WHEN t.debit = 'unmatched' THEN -t.amount ELSE 0 END) AS amount
    FROM placed p JOIN transfer t ON t.partner_id = %(partner)s AND t.payment_id = p.id GROUP BY t.payment_id
), judged AS (
    SELECT p.*, CASE
        WHEN EXISTS (SELECT FROM lying l WHERE l.payment_id = p.id AND l.free < 0)
            THEN 'was taken from an account that had less of it'
        WHEN EXISTS (SELECT FROM lying l WHERE l.payment_id = p.id AND l.used < 0)
            THEN 'gave more back from claims of an account than it had paid there'
        WHEN p.unmatched <> coalesce(n.amount, 0)
            THEN 'says that ' || p.unmatched || ' of it lies on no account; its transfers leave ' || coalesce(n.amount, 0)
        WHEN p.state = 'returned' AND EXISTS (SELECT FROM lying l WHERE l.payment_id = p.id AND l.free + l.used <> 0)
            THEN 'was returned, and an account still has some of it'
    END AS wrong
    FROM placed p LEFT JOIN nowhere n ON n.payment_id = p.id
)
SELECT (SELECT max(c.id) FROM dunning_case c WHERE c.partner_id = %(partner)s AND c.account_id = j.account_id) AS case,
    NULL::int AS event, j.ref, j.amount AS amount_sum, j.currency, j.wrong
FROM judged j WHERE j.wrong IS NOT NULL ORDER BY j.id
