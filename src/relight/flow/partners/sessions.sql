-- forget: the oldest first, by the index of `expire_date`, locked in that order by every worker. They are found before any
-- is taken away, since within the DELETE itself the limit could be counted anew for each row
WITH over AS MATERIALIZED (
    SELECT session_key FROM django_session WHERE expire_date < %(now)s ORDER BY expire_date LIMIT %(most)s FOR UPDATE
)
DELETE FROM django_session AS gone USING over WHERE gone.session_key = over.session_key
