-- partner_by_slug: whose webhook it is, and how its agencies are reached; read from outside any partner, like providers'
SELECT id, driver_settings -> 'handover' AS agencies FROM partner WHERE slug = %(slug)s


-- of_case: what agencies have or had of a case, newest first, with what came through them
SELECT h.id, a.title, a.kind, h.state, h.agency_case, h.ref, h.placed_at, h.ended_at, h.wanted_back,
    (SELECT sum(k.principal + k.costs + k.interest)::bigint FROM handover_claim k WHERE k.handover_id = h.id),
    (SELECT coalesce(sum(t.amount), 0)::bigint FROM transfer t JOIN payment p ON p.id = t.payment_id
        JOIN source s ON s.id = p.source_id AND s.name = 'agency ' || a.name
        WHERE t.account_id = h.account_id AND t.kind = 'settlement' AND t.debit = 'agency' AND t.id > h.after_transfer),
    (SELECT count(*) FROM agency_notice n WHERE n.handover_id = h.id)
FROM handover h JOIN agency a ON a.id = h.agency_id
WHERE h.case_id = %(case)s ORDER BY h.id DESC LIMIT 20
