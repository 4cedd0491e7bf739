"""The two questions that are asked as the owner, planned once a session.

PostgreSQL before 18 plans what a function in SQL asks anew at each call, with all its branches: half a millisecond for
`due_partners` on 15, twelve times what it takes now. In PL/pgSQL each question has a kept plan of its own.
"""

from django.db import migrations

_LOOKS = "SELECT p.id FROM partner p WHERE EXISTS (SELECT FROM {} AND t.partner_id = p.id) ORDER BY p.id"

# One index probe a partner; states and lanes are literals so that the partial indexes apply.
_QUESTIONS = {
    "decide bulk": "dunning_case t WHERE t.lane = 'bulk' AND t.wakes_at <= at",
    "decide urgent": "dunning_case t WHERE t.lane = 'urgent' AND t.wakes_at <= at",
    "release bulk": "effect t WHERE t.state = 'pending' AND t.lane = 'bulk' AND t.due_at <= at",
    "release urgent": "effect t WHERE t.state = 'pending' AND t.lane = 'urgent' AND t.due_at <= at",
    "lost": "effect t WHERE t.state = 'in_flight' AND t.lease_until <= at",
    "feed": "feed_pending t WHERE true",
}
_BRANCHES = "\n".join(
    f"    WHEN '{name}' THEN RETURN QUERY {_LOOKS.format(source)};" for name, source in _QUESTIONS.items()
)

DUE_PARTNERS = f"""
CREATE OR REPLACE FUNCTION due_partners(at timestamptz, which text) RETURNS SETOF integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = relight, pg_temp AS $$
BEGIN
    CASE which
{_BRANCHES}
    END CASE;
END $$
"""

MESSAGE_BY_PROVIDER_ID = """
CREATE OR REPLACE FUNCTION message_by_provider_id(said text) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = relight, pg_temp AS $$
BEGIN
    RETURN (SELECT max(m.id) FROM sent_message m
        WHERE m.partner_id = nullif(current_setting('relight.partner', true), '')::integer
            AND m.provider_ids @> ARRAY[said]);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("relight_effects", "0006_driver_rests"), ("relight_messages", "0004_promises")]
    operations = [
        migrations.RunSQL(DUE_PARTNERS, migrations.RunSQL.noop),
        migrations.RunSQL(MESSAGE_BY_PROVIDER_ID, migrations.RunSQL.noop),
    ]
