-- note: what an audit came to; rows are added and never changed
INSERT INTO audit_result (partner_id, at, violations, by_invariant, is_full)
VALUES (%(partner)s, %(now)s, %(violations)s, %(by_invariant)s, %(is_full)s)
