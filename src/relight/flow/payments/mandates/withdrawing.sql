-- tell: the open cases of these accounts that their bills are of
WITH told AS (
    SELECT * FROM unnest(%(claims)s::bigint[], %(codes)s::text[], %(params)s::jsonb[]) WITH ORDINALITY
        AS x (claim_id, code, params, turn)
), about AS (
    SELECT d.id, t.code, t.params || jsonb_build_object('claim', c.number) AS params,
        row_number() OVER (PARTITION BY d.id ORDER BY t.turn) AS place
    FROM told t JOIN claim c ON c.id = t.claim_id
    JOIN dunning_case d ON d.account_id = c.account_id AND d.state <> 'closed' AND c.service_kind = ANY (d.services)
), bumped AS (
    UPDATE dunning_case d SET version = d.version + x.places
    FROM (SELECT id, count(*) AS places FROM about GROUP BY id) x WHERE d.id = x.id
    RETURNING d.partner_id, d.id, d.version - x.places AS before
)
INSERT INTO case_event (partner_id, case_id, number, code, params, actor, cause, at)
SELECT b.partner_id, b.id, b.before + a.place, a.code, a.params, 'relight', '', %(now)s
FROM bumped b JOIN about a ON a.id = b.id ORDER BY b.id, a.place

-- withdraw: not sent yet, so nothing needs to be called back
UPDATE collection SET state = 'called_back', ended_at = %(now)s, reason = %(why)s
WHERE id = ANY (%(collections)s::bigint[]) AND state = 'planned'

-- unsay: the messages about them that have not left
UPDATE effect e SET state = 'cancelled', why = 'collection_changed', finished_at = %(now)s
FROM collection_notice o WHERE o.collection_id = ANY (%(collections)s::bigint[]) AND e.id = o.effect_id
    AND e.state = 'pending'

-- let_go: their bills are followed up again
UPDATE hold SET ends_at = greatest(starts_at, %(now)s), ended_by = 'relight'
WHERE id = ANY (%(holds)s::bigint[]) AND (ends_at IS NULL OR ends_at > %(now)s)
