"""Which partners have due work: the one question asked across partners; it runs as the owner and answers ids only."""

from django.db import migrations

DUE_PARTNERS = """
CREATE FUNCTION due_partners(at timestamptz, which text) RETURNS SETOF integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = relight, pg_temp AS $$
    -- one index probe a partner and question; the lanes are literals so that the partial indexes apply
    SELECT p.id FROM partner p
    WHERE CASE which
        WHEN 'decide bulk' THEN EXISTS (
            SELECT FROM dunning_case c WHERE c.partner_id = p.id AND c.lane = 'bulk' AND c.wakes_at <= at)
        WHEN 'decide urgent' THEN EXISTS (
            SELECT FROM dunning_case c WHERE c.partner_id = p.id AND c.lane = 'urgent' AND c.wakes_at <= at)
        WHEN 'release bulk' THEN EXISTS (
            SELECT FROM effect e WHERE e.partner_id = p.id AND e.state = 'pending' AND e.lane = 'bulk'
                AND e.due_at <= at)
        WHEN 'release urgent' THEN EXISTS (
            SELECT FROM effect e WHERE e.partner_id = p.id AND e.state = 'pending' AND e.lane = 'urgent'
                AND e.due_at <= at)
        WHEN 'lost' THEN EXISTS (
            SELECT FROM effect e WHERE e.partner_id = p.id AND e.state = 'in_flight' AND e.lease_until <= at)
        WHEN 'feed' THEN EXISTS (SELECT FROM feed_pending f WHERE f.partner_id = p.id)
    END
    ORDER BY p.id
$$;
REVOKE ALL ON FUNCTION due_partners(timestamptz, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION due_partners(timestamptz, text) TO relight_app;
"""


class Migration(migrations.Migration):
    dependencies = [("relight_effects", "0002_tenancy"), ("relight_feeds", "0002_tenancy")]
    operations = [migrations.RunSQL(DUE_PARTNERS, "DROP FUNCTION due_partners(timestamptz, text)")]
