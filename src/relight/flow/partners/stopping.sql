-- heed_stops: shared by all batches, and kept until their commit
SELECT pg_advisory_xact_lock_shared(8212, 0)

-- wait_for_batches: until those under way are committed; those that come later wait until our commit
SELECT pg_advisory_xact_lock(8212, 0)

-- partner: stopped, or going on again
UPDATE partner SET stopped_at = %(at)s, stopped_by = %(by)s WHERE id = %(partner)s

-- installation: all partners
INSERT INTO installation (id, stopped_at, stopped_by) VALUES (1, %(at)s, %(by)s)
ON CONFLICT (id) DO UPDATE SET stopped_at = excluded.stopped_at, stopped_by = excluded.stopped_by

-- still_stopped: the other switch, where it holds back who was let go: the installation's (no name), or partners' own
SELECT '' FROM installation WHERE stopped_at IS NOT NULL AND %(partner)s::bigint IS NOT NULL
UNION ALL SELECT slug FROM partner WHERE stopped_at IS NOT NULL AND %(partner)s::bigint IS NULL
ORDER BY 1

-- mode: whether effects leave
UPDATE partner SET mode = %(mode)s WHERE id = %(partner)s
