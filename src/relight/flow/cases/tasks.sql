-- add_task: one open task for the same thing
INSERT INTO task (partner_id, account_id, case_id, code, params, urgent, created_at, due_at, dedup)
SELECT partner_id, id, %(case)s, %(code)s, %(params)s, %(urgent)s, %(now)s, %(due_at)s, %(dedup)s
FROM account WHERE id = %(account)s
ON CONFLICT (partner_id, dedup) WHERE state = 'open' DO NOTHING
