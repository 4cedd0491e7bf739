-- partner_by_slug: whose feed is asked for
SELECT id FROM partner WHERE slug = %(slug)s

-- head: the last position that was given; a reader cannot have seen more
SELECT coalesce((SELECT position FROM feed_head WHERE partner_id = %(partner)s), 0)

-- by_token: who shows this token; an empty digest is no token
SELECT name, position FROM feed_reader WHERE token_digest = %(digest)s AND token_digest <> ''

-- give_token: a new reader's, or in the place of the one before
INSERT INTO feed_reader (partner_id, name, token_digest) VALUES (%(partner)s, %(name)s, %(digest)s)
ON CONFLICT (partner_id, name) DO UPDATE SET token_digest = excluded.token_digest

-- take_token: the reader keeps its place, and is let in no more
UPDATE feed_reader SET token_digest = '' WHERE name = %(name)s AND token_digest <> '' RETURNING id

-- all_readers: where each stands
SELECT name, position, acknowledged_at, token_digest <> '' FROM feed_reader ORDER BY name
