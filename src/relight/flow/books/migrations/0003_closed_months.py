"""No transfer is posted into a month that is closed, whoever writes; and a day's transfers are found by an index.

A statement-level trigger, so that a batch is looked at once. Whoever posts shares a lock with everybody who posts for
the same partner, and closing takes it alone: so what is posted while a month is closed waits, and then sees it closed.
The numbers are the lock's name: the letters "book", and the partner.
"""

from django.db import migrations

CLOSED = """
CREATE INDEX transfer_booked ON transfer (partner_id, posted_at);

CREATE FUNCTION refuse_closed_months() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refused record;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1651470187, p.partner_id) FROM (SELECT DISTINCT partner_id FROM added) p;
    SELECT b.month, a.id INTO refused FROM added a
    JOIN books_period b ON b.partner_id = a.partner_id AND b.ends_at > a.posted_at
    ORDER BY b.month LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the books of % are closed; post it in an open month, with its old value date',
            to_char(refused.month, 'YYYY-MM') USING ERRCODE = 'check_violation', CONSTRAINT = 'books_closed';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER closed_months AFTER INSERT ON transfer REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_closed_months();
"""


class Migration(migrations.Migration):
    dependencies = [("relight_books", "0002_tenancy")]
    operations = [
        migrations.RunSQL(
            CLOSED,
            "DROP TRIGGER closed_months ON transfer; DROP FUNCTION refuse_closed_months(); DROP INDEX transfer_booked;",
        )
    ]
