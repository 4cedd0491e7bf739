-- end_stopped: sessions like ours whose client owes the server the rest of what travels together, or that hold rows (they
-- have a transaction number) and are idle. A COPY hears from its client for as long as it lasts. First found, then ended:
-- conditions have no order.
WITH stopped AS MATERIALIZED (
    SELECT pid, application_name, extract(epoch FROM clock_timestamp() - state_change)::float AS seconds
    FROM pg_stat_activity
    WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()
        AND wait_event = 'ClientRead' AND (state = 'active' OR state = 'idle in transaction' AND backend_xid IS NOT NULL)
        AND state_change < clock_timestamp() - %(after)s::interval AND query NOT ILIKE 'copy %%'
)
SELECT application_name, seconds FROM stopped WHERE pg_terminate_backend(pid)
