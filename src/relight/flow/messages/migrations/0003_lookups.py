"""Messages by account and by contact point, and by the provider's id in spite of row-level security.

Every turn counts the week's contacts of its accounts; every answer asks which account its address last heard about.
A delivery report names a message by the provider's id. `@>` is not leakproof, so under row-level security PostgreSQL
may not use the GIN index and reads every message of the partner for each report (79 ms at 62,000). The function asks as
the owner, and only within the partner that the transaction is set to.
"""

from django.db import migrations, models

MESSAGE_BY_PROVIDER_ID = """
CREATE FUNCTION message_by_provider_id(said text) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = relight, pg_temp AS $$
    SELECT max(id) FROM sent_message
    WHERE partner_id = nullif(current_setting('relight.partner', true), '')::integer AND provider_ids @> ARRAY[said]
$$;
REVOKE ALL ON FUNCTION message_by_provider_id(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION message_by_provider_id(text) TO relight_app;
"""


class Migration(migrations.Migration):
    dependencies = [("relight_messages", "0002_tenancy")]
    operations = [
        migrations.AddIndex(
            "sentmessage",
            models.Index(fields=("partner", "account", "released_at"), name="sent_message_account"),
        ),
        migrations.AddIndex(
            "sentmessage", models.Index(fields=("partner", "contact_point"), name="sent_message_contact")
        ),
        migrations.RunSQL(MESSAGE_BY_PROVIDER_ID, "DROP FUNCTION message_by_provider_id(text)"),
    ]
