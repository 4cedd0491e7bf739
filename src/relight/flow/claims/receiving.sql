-- find_accounts: the account that already has the payment, else the one it says, else the only one that its reference
-- names; never one in another currency, and of a payment that a person placed only theirs. `= ANY` keeps it to index
-- probes for one row and to a single pass for many, also before the tables have statistics; a lateral join was read as
-- one scan a row.
WITH named AS (
    SELECT c.number AS reference, c.currency, c.account_id FROM claim c
    WHERE c.creditor_id = ANY (ARRAY(SELECT id FROM creditor))
        AND c.number = ANY (array_remove(%(references)s::text[], ''))
    UNION ALL
    SELECT c.reference, c.currency, c.account_id FROM claim c
    WHERE c.reference = ANY (array_remove(%(references)s::text[], ''))
), sure AS (
    SELECT reference, currency, min(account_id) AS account_id FROM named
    GROUP BY reference, currency HAVING min(account_id) = max(account_id)
), known AS MATERIALIZED (
    SELECT ref, account_id, by_hand FROM payment WHERE source_id = %(source)s AND ref = ANY (%(refs)s::text[])
)
SELECT CASE WHEN p.by_hand THEN p.account_id ELSE coalesce(p.account_id, a.id, k.account_id) END
FROM unnest(%(refs)s::text[], %(account_refs)s::text[], %(references)s::text[], %(currencies)s::text[])
    WITH ORDINALITY AS x (ref, account_ref, reference, currency, turn)
LEFT JOIN known p ON p.ref = x.ref
LEFT JOIN account a ON a.ref = x.account_ref AND x.account_ref <> '' AND a.currency = x.currency
LEFT JOIN sure k ON k.reference = x.reference AND k.currency = x.currency
ORDER BY x.turn

-- lock_accounts: every writer of facts takes these first, in id order, so that two of them cannot deadlock
SELECT id FROM account WHERE id = ANY(%(accounts)s::bigint[]) ORDER BY id FOR NO KEY UPDATE

-- insert_new: a payment's first word makes its row, in order of ref; `advance` then says what it is
INSERT INTO payment (partner_id, source_id, ref, amount, currency, state, value_date, reference, payer_name,
    received_at, run_id)
SELECT %(partner)s, %(source)s, x.ref, x.amount, x.currency, 'ordered', x.value_date, x.reference, x.payer_name,
    %(now)s, %(run)s
FROM unnest(%(refs)s::text[], %(amounts)s::bigint[], %(currencies)s::text[], %(value_dates)s::date[],
    %(references)s::text[], %(payer_names)s::text[]) AS x (ref, amount, currency, value_date, reference, payer_name)
ORDER BY x.ref
ON CONFLICT (partner_id, source_id, ref) DO NOTHING
RETURNING ref

-- lock_payments: without an account to lock, the payment itself is what two tellers of the same story meet at
SELECT id, by_hand FROM payment WHERE source_id = %(source)s AND ref = ANY(%(refs)s::text[]) ORDER BY id
FOR NO KEY UPDATE

-- advance: states go forwards only; the first time that it is confirmed or booked, it is posted: on its account, else on
-- none, from where it moves when somebody tells whose it is. What it was before is read in the same statement, after the
-- locks.
WITH told AS (
    SELECT *, array_position(%(states_in_order)s::text[], x.state) AS rank
    FROM unnest(%(refs)s::text[], %(accounts)s::bigint[], %(amounts)s::bigint[], %(currencies)s::text[],
        %(states)s::text[], %(value_dates)s::date[], %(references)s::text[], %(payer_names)s::text[])
        WITH ORDINALITY AS x (ref, account_id, amount, currency, state, value_date, reference, payer_name, turn)
), known AS MATERIALIZED (
    SELECT * FROM payment WHERE source_id = %(source)s AND ref = ANY (%(refs)s::text[])
), before AS (
    SELECT t.turn, p.id, p.state AS old_state, p.account_id AS old_account_id, p.reference AS old_reference,
        t.rank > array_position(%(states_in_order)s::text[], p.state) AS forwards,
        p.state IN ('confirmed', 'booked', 'returned') AS final,
        CASE WHEN p.by_hand THEN p.account_id ELSE coalesce(p.account_id, t.account_id) END AS account_id, p.by_hand,
        t.amount, t.currency, t.state, t.value_date, t.reference, t.payer_name,
        p.amount AS old_amount, p.currency AS old_currency, p.unmatched
    FROM told t JOIN known p ON p.ref = t.ref
), after AS (
    SELECT b.turn, b.id, b.account_id, b.by_hand, b.forwards, b.value_date, b.payer_name,
        CASE WHEN b.forwards THEN b.state ELSE b.old_state END AS state,
        CASE WHEN b.final THEN b.old_amount ELSE b.amount END AS amount,
        b.old_currency AS currency,
        CASE WHEN b.reference <> '' THEN b.reference ELSE b.old_reference END AS reference,
        b.final, b.currency <> b.old_currency OR b.final AND b.amount <> b.old_amount AS differs,
        b.old_state IN ('confirmed', 'booked') AS was_posted,
        b.old_account_id IS NULL AND NOT b.by_hand AND b.unmatched > 0 AS was_loose,
        b.old_state = 'returned' AS was_returned, b.old_account_id IS NULL AND b.account_id IS NOT NULL AS found
    FROM before b
), judged AS (
    SELECT *, NOT differs AND (forwards OR found) AS moves,
        NOT differs AND NOT was_posted AND NOT was_returned AND state IN ('confirmed', 'booked')
            AS posts,
        NOT differs AND was_loose AND state IN ('confirmed', 'booked') AND account_id IS NOT NULL AS is_placed,
        NOT differs AND was_posted AND state = 'returned' AS comes_back
    FROM after
), moved AS (
    UPDATE payment p SET
        state = j.state, account_id = j.account_id, amount = j.amount, currency = j.currency, reference = j.reference,
        value_date = CASE WHEN j.final THEN p.value_date ELSE j.value_date END,
        payer_name = coalesce(nullif(j.payer_name, ''), p.payer_name), noted_at = NULL,
        confirmed_at = CASE WHEN j.state IN ('confirmed', 'booked') THEN coalesce(p.confirmed_at, %(now)s)
            ELSE p.confirmed_at END,
        unmatched = CASE WHEN j.posts AND j.account_id IS NULL THEN j.amount
            WHEN j.is_placed OR j.comes_back AND j.was_loose THEN 0 ELSE p.unmatched END,
        booked_at = CASE WHEN j.state = 'booked' THEN coalesce(p.booked_at, %(now)s) ELSE p.booked_at END,
        returned_at = CASE WHEN j.state = 'returned' THEN coalesce(p.returned_at, %(now)s) ELSE p.returned_at END
    FROM judged j WHERE p.id = j.id AND j.moves
), posted AS (
    INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date,
        posted_at)
    SELECT %(partner)s, account_id, id, 'payment', 'settlement',
        CASE WHEN account_id IS NULL THEN 'unmatched' ELSE 'customer' END, amount, currency, value_date, %(now)s
    FROM judged WHERE posts ORDER BY turn
), placed AS (
    INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date,
        posted_at)
    SELECT %(partner)s, j.account_id, j.id, 'move', 'unmatched', 'customer', j.amount, j.currency, p.value_date, %(now)s
    FROM judged j JOIN known p ON p.id = j.id WHERE j.is_placed ORDER BY j.turn
), gone AS (
    INSERT INTO transfer (partner_id, payment_id, kind, debit, credit, amount, currency, value_date, posted_at,
        reverses_id)
    SELECT %(partner)s, j.id, 'return', 'unmatched', 'settlement', j.amount, j.currency, %(today)s, %(now)s,
        (SELECT min(t.id) FROM transfer t WHERE t.account_id IS NULL AND t.payment_id = j.id
            AND t.kind = 'payment')
    FROM judged j WHERE j.comes_back AND j.was_loose ORDER BY j.turn
), credited AS (
    UPDATE account a SET credit = a.credit + j.amount
    FROM (
        SELECT account_id, sum(amount) AS amount FROM judged WHERE account_id IS NOT NULL AND (posts OR is_placed)
        GROUP BY account_id
    ) j
    WHERE a.id = j.account_id
)
SELECT id, CASE WHEN differs THEN NULL ELSE account_id END, state, amount, reference, moves,
    account_id IS NOT NULL AND (posts OR is_placed), comes_back AND NOT was_loose, differs, by_hand
FROM judged ORDER BY turn

-- take_back: returned payments give their claims back what they paid, and leave the ledger as they came
WITH held AS (
    SELECT t.account_id, t.claim_id, t.payment_id, t.part, t.currency, max(t.id) AS last_id,
        sum(CASE WHEN t.kind = 'allocation' THEN t.amount ELSE -t.amount END)::bigint AS amount
    FROM transfer t
    WHERE t.account_id = ANY(%(accounts)s::bigint[]) AND t.payment_id = ANY(%(payments)s::bigint[])
        AND t.kind IN ('allocation', 'release')
    GROUP BY t.account_id, t.claim_id, t.payment_id, t.part, t.currency
    HAVING sum(CASE WHEN t.kind = 'allocation' THEN t.amount ELSE -t.amount END) > 0
), gone AS (
    SELECT id, account_id, amount, currency FROM payment WHERE id = ANY(%(payments)s::bigint[])
), released AS (
    INSERT INTO transfer (partner_id, account_id, claim_id, payment_id, kind, debit, credit, part, amount, currency,
        value_date, posted_at, reverses_id)
    SELECT %(partner)s, account_id, claim_id, payment_id, 'release', 'receivable', 'customer', part, amount, currency,
        %(today)s, %(now)s, last_id
    FROM held ORDER BY payment_id, last_id
), returned AS (
    INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date,
        posted_at, reverses_id)
    SELECT %(partner)s, g.account_id, g.id, 'return', 'customer', 'settlement', g.amount, g.currency, %(today)s,
        %(now)s, t.id
    FROM gone g JOIN transfer t ON t.account_id = g.account_id AND t.payment_id = g.id AND t.credit = 'customer'
        AND t.kind IN ('payment', 'move')
    ORDER BY g.id
), reopened AS (
    UPDATE claim c SET principal = c.principal + h.principal, costs = c.costs + h.costs,
        interest = c.interest + h.interest, state = 'open', settled_at = NULL
    FROM (
        SELECT claim_id, coalesce(sum(amount) FILTER (WHERE part = 'principal'), 0) AS principal,
            coalesce(sum(amount) FILTER (WHERE part = 'costs'), 0) AS costs,
            coalesce(sum(amount) FILTER (WHERE part = 'interest'), 0) AS interest
        FROM held GROUP BY claim_id
    ) h
    WHERE c.id = h.claim_id
)
UPDATE account a SET credit = a.credit + x.amount
FROM (
    SELECT account_id, sum(amount) AS amount
    FROM (SELECT account_id, amount FROM held UNION ALL SELECT account_id, -amount FROM gone) y
    GROUP BY account_id
) x
WHERE a.id = x.account_id

-- zone: in which the partner's days are counted
SELECT time_zone FROM partner WHERE id = %(partner)s
