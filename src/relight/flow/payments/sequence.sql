-- lock_source: two files of one source count their statements one after the other
SELECT id FROM source WHERE id = %(source)s FOR NO KEY UPDATE

-- add_statements: what a file told without a gap, once
INSERT INTO bank_statement (partner_id, source_id, chain, first_number, first_part, first_other_number, opening, number,
    part, is_last, other_number, closing, until, run_id)
SELECT %(partner)s, %(source)s, x.chain, x.first_number, x.first_part, x.first_other_number, x.opening, x.number,
    x.part, x.is_last, x.other_number, x.closing, x.until, %(run)s
FROM unnest(%(chains)s::text[], %(first_numbers)s::bigint[], %(first_parts)s::int[], %(first_other_numbers)s::bigint[],
    %(openings)s::bigint[], %(numbers)s::bigint[], %(parts)s::int[], %(are_last)s::boolean[],
    %(other_numbers)s::bigint[], %(closings)s::bigint[], %(untils)s::timestamptz[])
    AS x (chain, first_number, first_part, first_other_number, opening, number, part, is_last, other_number, closing,
        until)
ON CONFLICT (partner_id, source_id, chain, first_number, first_part, number, part, until) DO NOTHING

-- heads: how far each chain of a source goes without a gap
SELECT DISTINCT ON (chain) id, chain, first_number, first_part, first_other_number, opening, number, part, is_last,
    other_number, closing, until
FROM bank_statement WHERE source_id = %(source)s AND is_reached
ORDER BY chain, until DESC, number DESC NULLS LAST, part DESC, other_number DESC NULLS LAST, id DESC

-- waiting: statements that came after a gap, in the order in which they follow; those from before the head are history
SELECT s.id, s.chain, s.first_number, s.first_part, s.first_other_number, s.opening, s.number, s.part, s.is_last,
    s.other_number, s.closing, s.until
FROM bank_statement s
LEFT JOIN (
    SELECT DISTINCT ON (chain) chain, until, id FROM bank_statement WHERE source_id = %(source)s AND is_reached
    ORDER BY chain, until DESC, number DESC NULLS LAST, part DESC, other_number DESC NULLS LAST, id DESC
) h ON h.chain = s.chain
WHERE s.source_id = %(source)s AND NOT s.is_reached AND (h.until IS NULL OR s.until >= h.until)
ORDER BY s.chain, s.until, s.first_number, s.first_part, s.first_other_number, s.id
LIMIT %(limit)s

-- reach: nothing is missing before these any more
UPDATE bank_statement SET is_reached = true WHERE source_id = %(source)s AND id = ANY (%(ids)s::bigint[])
