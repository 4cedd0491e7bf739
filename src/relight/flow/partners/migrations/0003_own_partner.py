"""Keep the partners' own rows apart too: they hold the passwords of their gateways.

A transaction without a partner (a command looking for one by its name, the workers' round) reads the directory, and a
user the partners he works for; a partner's row is written only from within.
"""

from django.db import migrations

FORWARDS = """
ALTER TABLE partner ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_partner ON partner
    USING (id = nullif(current_setting('relight.partner', true), '')::integer)
    WITH CHECK (id = nullif(current_setting('relight.partner', true), '')::integer);
CREATE POLICY readable ON partner FOR SELECT USING (
    nullif(current_setting('relight.partner', true), '') IS NULL
    OR id IN (SELECT m.partner_id FROM membership m
              WHERE m.user_id = nullif(current_setting('relight.user', true), '')::integer));
"""
BACKWARDS = """
DROP POLICY readable ON partner;
DROP POLICY own_partner ON partner;
ALTER TABLE partner DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [("relight_partners", "0002_tenancy")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
