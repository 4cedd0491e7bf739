"""Every case event and every change of a payment enters the feed, in the transaction that makes it: nobody can forget.

Statement-level triggers with transition tables, so that a batch of a thousand events is one insert. The identity is
drawn here, after the writer locked the account: one case's entries keep their order.
"""

from django.db import migrations

TRIGGERS = """
CREATE FUNCTION feed_case_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO feed_pending (partner_id, topic, case_id, event_number, at)
    SELECT partner_id, 'case.' || code, case_id, number, at FROM added ORDER BY case_id, number;
    RETURN NULL;
END $$;
CREATE TRIGGER feed AFTER INSERT ON case_event REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION feed_case_events();

CREATE FUNCTION feed_payments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO feed_pending (partner_id, topic, body, at)
        SELECT partner_id, 'payment.' || state,
            jsonb_build_object('payment', id, 'account', account_id, 'amount', amount, 'currency', currency),
            received_at
        FROM added ORDER BY id;
    ELSE
        INSERT INTO feed_pending (partner_id, topic, body, at)
        SELECT a.partner_id, 'payment.' || a.state,
            jsonb_build_object('payment', a.id, 'account', a.account_id, 'amount', a.amount, 'currency', a.currency),
            coalesce(a.returned_at, a.booked_at, a.confirmed_at, a.received_at)
        FROM added a JOIN gone g ON g.partner_id = a.partner_id AND g.id = a.id WHERE g.state <> a.state ORDER BY a.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER feed_new AFTER INSERT ON payment REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION feed_payments();
CREATE TRIGGER feed_changed AFTER UPDATE ON payment REFERENCING OLD TABLE AS gone NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION feed_payments();
"""


class Migration(migrations.Migration):
    dependencies = [("relight_feeds", "0002_tenancy"), ("relight_claims", "0002_tenancy")]
    operations = [
        migrations.RunSQL(
            TRIGGERS,
            "DROP TRIGGER feed ON case_event; DROP TRIGGER feed_new ON payment; DROP TRIGGER feed_changed ON payment;"
            "DROP FUNCTION feed_case_events(); DROP FUNCTION feed_payments();",
        )
    ]
