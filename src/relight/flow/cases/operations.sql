-- wake: every open case of these accounts thinks again now; least() keeps the CHECK whatever was slept through. What is
-- awake already is left as it is: of a file's cases most have just been opened. Who comes to the urgent lane stands last
-- in it, however long it waited in the other: searches go on behind those before (flow/road/searching.py)
UPDATE dunning_case SET wakes_at = least(%(now)s, CASE WHEN NOT %(urgent)s OR lane = 'urgent' THEN wakes_at
        WHEN state <> 'closed' THEN turned_at + interval '7 days' END),
    lane = CASE WHEN %(urgent)s THEN 'urgent' ELSE lane END
WHERE account_id = ANY(%(accounts)s::bigint[]) AND (%(urgent)s OR (state <> 'closed' AND wakes_at > %(now)s))

-- wake_cases: these cases think again now, in the same way
UPDATE dunning_case SET wakes_at = least(%(now)s, CASE WHEN NOT %(urgent)s OR lane = 'urgent' THEN wakes_at
        WHEN state <> 'closed' THEN turned_at + interval '7 days' END),
    lane = CASE WHEN %(urgent)s THEN 'urgent' ELSE lane END
WHERE id = ANY (%(cases)s::bigint[])

-- followed: accounts with open cases, a batch by id
SELECT DISTINCT account_id FROM dunning_case WHERE state <> 'closed' AND account_id > %(after)s
ORDER BY account_id LIMIT %(limit)s

-- lock_accounts: every writer of facts takes these first, in id order, so that two of them cannot deadlock
SELECT id FROM account WHERE id = ANY(%(accounts)s::bigint[]) ORDER BY id FOR NO KEY UPDATE

-- append_event: a person's act goes on the case's log under the next number
WITH bumped AS (
    UPDATE dunning_case SET version = version + 1 WHERE id = %(case)s RETURNING partner_id, id, version
)
INSERT INTO case_event (partner_id, case_id, number, code, params, actor, cause, at, voids, bulk_id)
SELECT partner_id, id, version, %(code)s, %(params)s, %(actor)s, %(cause)s, %(now)s, %(voids)s, %(bulk)s FROM bumped
RETURNING number

-- place_hold: a pause from now
INSERT INTO hold (partner_id, account_id, case_id, claim_id, service_id, amount, reason, note, starts_at, ends_at,
    review_date, protective, source, placed_by)
SELECT partner_id, id, %(case)s, %(claim)s, %(service)s, %(amount)s, %(reason)s, %(note)s, %(now)s, %(ends_at)s,
    %(review_date)s, %(protective)s, %(source)s, %(actor)s
FROM account WHERE id = %(account)s
RETURNING id

-- same_person: other accounts of who owes on this one
SELECT DISTINCT o.account_id FROM account_role r
JOIN account_role o ON o.partner_id = r.partner_id AND o.party_id = r.party_id AND o.role = 'debtor'
    AND o.starts_at <= %(now)s AND (o.ends_at IS NULL OR o.ends_at > %(now)s)
WHERE r.account_id = %(account)s AND r.role = 'debtor' AND r.starts_at <= %(now)s
    AND (r.ends_at IS NULL OR r.ends_at > %(now)s) AND o.account_id <> r.account_id
ORDER BY o.account_id

-- hold_too: the same hold on these accounts; it goes with the one that it was made for
INSERT INTO hold (partner_id, account_id, reason, note, starts_at, ends_at, protective, source, placed_by)
SELECT partner_id, id, %(reason)s, %(note)s, %(now)s, %(ends_at)s, true, %(of)s, %(actor)s
FROM account WHERE id = ANY (%(accounts)s::bigint[])

-- hold: what a hold is on
SELECT h.case_id, h.account_id, h.reason, h.ends_at FROM hold h WHERE h.id = %(hold)s

-- held_too: on which other accounts it holds the same person
SELECT account_id FROM hold WHERE protective AND source = %(of)s

-- end_hold: it ends now, by somebody, on all accounts where it holds
UPDATE hold SET ends_at = %(now)s, ended_by = %(actor)s
WHERE (id = %(hold)s OR (account_id = ANY (%(accounts)s::bigint[]) AND source = %(of)s))
    AND (ends_at IS NULL OR ends_at > %(now)s)

-- approval: what is asked, locked against a second answer at the same time
SELECT p.case_id, c.account_id, p.step, p.state, p.requested_by, p.decided_by, p.needs
FROM approval p JOIN dunning_case c ON c.partner_id = p.partner_id AND c.id = p.case_id
WHERE p.id = %(approval)s

-- answer_approval: one more yes, or a no; enough of the first make it granted
UPDATE approval SET
    decided_by = decided_by || %(actor)s, decided_at = %(now)s, note = %(note)s,
    state = CASE WHEN NOT %(granted)s THEN 'refused'
        WHEN cardinality(decided_by) + 1 >= needs THEN 'granted' ELSE 'requested' END
WHERE id = %(approval)s RETURNING state

-- finish_step_tasks: the task that stood for an approval is done with it
UPDATE task SET state = 'done', done_at = %(now)s, done_by = %(actor)s
WHERE case_id = %(case)s AND state = 'open' AND dedup = %(dedup)s

-- void_step: out of counts and clocks, with every later step for the same claims: it rested on it. The log keeps both the
-- steps and their voiding; restores stay, and so does what was done before Relight.
WITH wrong AS (
    SELECT s.id, s.number, ARRAY(SELECT k.claim_id FROM step_claim k WHERE k.step_id = s.id) AS claims
    FROM step_taken s WHERE s.case_id = %(case)s AND s.number = %(number)s AND s.voided_at IS NULL
)
UPDATE step_taken s SET voided_at = %(now)s FROM wrong w
WHERE s.case_id = %(case)s AND s.voided_at IS NULL AND (s.id = w.id OR (
    s.number > w.number AND s.step <> 'restore' AND s.proof = ''
    AND EXISTS (SELECT FROM step_claim k WHERE k.step_id = s.id AND k.claim_id = ANY (w.claims))))
RETURNING s.id, s.step, s.number

-- account_of: whose case it is
SELECT account_id FROM dunning_case WHERE id = %(case)s

-- task: what a task is about
SELECT t.case_id, coalesce(t.account_id, c.account_id), t.code, t.state, t.step_number
FROM task t LEFT JOIN dunning_case c ON c.partner_id = t.partner_id AND c.id = t.case_id WHERE t.id = %(task)s

-- finish_task: done by somebody
UPDATE task SET state = %(state)s, done_at = %(now)s, done_by = %(actor)s, note = %(note)s
WHERE id = %(task)s AND state = 'open'

-- close_tasks: what a person was asked for has come by itself
UPDATE task SET state = 'done', done_at = %(now)s, done_by = %(actor)s WHERE dedup = %(dedup)s AND state = 'open'
RETURNING id, case_id, code

-- review_holds: protective holds whose day has come become tasks, and are looked at again thirty days later
WITH today AS (SELECT p.id, (%(now)s AT TIME ZONE p.time_zone)::date AS day FROM partner p WHERE p.id = %(partner)s),
due AS (
    UPDATE hold h SET review_date = t.day + 30 FROM today t
    WHERE h.partner_id = t.id AND h.protective AND h.review_date <= t.day
        AND (h.ends_at IS NULL OR h.ends_at > %(now)s)
    RETURNING h.partner_id, h.account_id, h.case_id, h.id, h.reason
)
INSERT INTO task (partner_id, account_id, case_id, code, params, urgent, created_at, due_at, dedup)
SELECT partner_id, account_id, case_id, 'hold_review', jsonb_build_object('hold', id, 'reason', reason), false,
    %(now)s, %(now)s, 'hold:' || id
FROM due
ON CONFLICT (partner_id, dedup) WHERE state = 'open' DO NOTHING

-- finish_hold_review: nobody needs to look at a hold that is over
UPDATE task SET state = 'done', done_at = %(now)s, done_by = %(actor)s
WHERE state = 'open' AND dedup = 'hold:' || %(hold)s
