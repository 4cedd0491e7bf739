-- partner: what files leave out
SELECT currency, country FROM partner WHERE id = %(partner)s

-- start: the file, before its first row is read: what a crash leaves behind can be seen
INSERT INTO import_run (partner_id, kind, file_name, sha256, mapping, started_at)
VALUES (%(partner)s, %(kind)s, %(file_name)s, %(sha256)s, %(mapping)s, %(now)s) RETURNING id

-- finish: what became of its rows
UPDATE import_run SET finished_at = %(now)s, read = %(read)s, accepted = %(accepted)s, unchanged = %(unchanged)s,
    other = %(other)s, rejected = %(rejected)s
WHERE id = %(run)s

-- reject: rows (and fields) that were not taken in
INSERT INTO import_rejection (partner_id, run_id, line, field, reason)
SELECT %(partner)s, %(run)s, x.line, x.field, x.reason
FROM unnest(%(lines)s::int[], %(fields)s::text[], %(reasons)s::text[]) AS x (line, field, reason)

-- source: by name; one that is not there yet is made, and from then on it has to be kept fresh
WITH made AS (
    INSERT INTO source (partner_id, name, kind) VALUES (%(partner)s, %(name)s, 'bank')
    ON CONFLICT (partner_id, name) DO NOTHING RETURNING id
)
SELECT id FROM made UNION ALL SELECT id FROM source WHERE name = %(name)s

-- complete_until: forwards only
UPDATE source SET complete_until = greatest(complete_until, %(until)s::timestamptz) WHERE id = %(source)s

-- find_accounts: by reference, to be locked before anything of theirs is read
SELECT ref, id FROM account WHERE ref = ANY(%(refs)s::text[])

-- open_case: the account's open case that covers the claims' services, under the lock
SELECT c.id, c.policy_version_id FROM dunning_case c
WHERE c.account_id = %(account)s AND c.state <> 'closed'
    AND EXISTS (SELECT FROM claim k WHERE k.id = ANY(%(claims)s::bigint[]) AND k.service_kind = ANY(c.services))
ORDER BY c.id LIMIT 1

-- claims: the account's claims with these numbers
SELECT id, number, state, principal, costs, due_date FROM claim
WHERE account_id = %(account)s AND number = ANY(%(numbers)s::text[]) ORDER BY id

-- same_step: whether this take-over has been done before
SELECT s.id FROM step_taken s
WHERE s.case_id = %(case)s AND s.step = %(step)s AND s.completed_at = %(completed_at)s AND s.voided_at IS NULL
    AND EXISTS (SELECT FROM step_claim k WHERE k.step_id = s.id AND k.claim_id = ANY(%(claims)s::bigint[]))

-- take_over: a step that was taken before Relight, with the claims and sums that it covered and what proves it
WITH taken AS (
    INSERT INTO step_taken (partner_id, case_id, number, step, decided_at, completed_at, pay_by_date, proof)
    VALUES (%(partner)s, %(case)s, %(number)s, %(step)s, %(completed_at)s, %(completed_at)s, %(pay_by)s, %(proof)s)
    RETURNING id
)
INSERT INTO step_claim (partner_id, step_id, claim_id, principal, costs)
SELECT %(partner)s, t.id, c.id, c.principal, c.costs
FROM taken t JOIN claim c ON c.id = ANY(%(claims)s::bigint[])
