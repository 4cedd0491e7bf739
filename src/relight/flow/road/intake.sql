-- partner: what files leave out
SELECT currency, country FROM partner WHERE id = %(partner)s

-- zone: bank files write days and moments without an offset
SELECT time_zone FROM partner WHERE id = %(partner)s

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

-- make_source: one that is not there yet is made, and from then on it has to be kept fresh
INSERT INTO source (partner_id, name, kind) VALUES (%(partner)s, %(name)s, 'bank') ON CONFLICT (partner_id, name) DO NOTHING

-- source: by name, in a statement after the one that makes it: only so is the row of an import beside this one seen
SELECT id FROM source WHERE name = %(name)s

-- complete_until: forwards only
UPDATE source SET complete_until = greatest(complete_until, %(until)s::timestamptz) WHERE id = %(source)s
