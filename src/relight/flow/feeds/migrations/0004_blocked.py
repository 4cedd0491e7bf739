"""A service that is blocked, or no longer for some reason, enters the feed: billing charges nothing meanwhile."""

from django.db import migrations

TRIGGERS = """
CREATE FUNCTION feed_blocks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO feed_pending (partner_id, topic, body, at)
        SELECT b.partner_id, 'service.blocked',
            jsonb_build_object('service', s.ref, 'account', s.account_id, 'reason', b.reason, 'level', b.level,
                'from', b.starts_at),
            b.starts_at
        FROM added b JOIN service s ON s.partner_id = b.partner_id AND s.id = b.service_id ORDER BY b.id;
    ELSE
        INSERT INTO feed_pending (partner_id, topic, body, at)
        SELECT b.partner_id, 'service.unblocked',
            jsonb_build_object('service', s.ref, 'account', s.account_id, 'reason', b.reason, 'level', b.level,
                'from', b.starts_at, 'to', b.ends_at),
            b.ends_at
        FROM added b JOIN gone g ON g.partner_id = b.partner_id AND g.id = b.id
        JOIN service s ON s.partner_id = b.partner_id AND s.id = b.service_id
        WHERE g.ends_at IS NULL AND b.ends_at IS NOT NULL ORDER BY b.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER feed_new AFTER INSERT ON block REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION feed_blocks();
CREATE TRIGGER feed_changed AFTER UPDATE ON block REFERENCING OLD TABLE AS gone NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION feed_blocks();
"""


class Migration(migrations.Migration):
    dependencies = [("relight_feeds", "0003_every_event"), ("relight_supply", "0003_waiting")]
    operations = [
        migrations.RunSQL(
            TRIGGERS,
            "DROP TRIGGER feed_new ON block; DROP TRIGGER feed_changed ON block; DROP FUNCTION feed_blocks();",
        )
    ]
