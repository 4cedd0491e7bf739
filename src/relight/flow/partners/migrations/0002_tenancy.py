"""Keep partners apart: composite keys, references within a partner, row-level security."""

from django.db import migrations

from relight.flow.partners.tenancy import Tenancy


class Migration(migrations.Migration):
    dependencies = [
        ("relight_partners", "0001_initial"),
    ]
    operations = [
        Tenancy(
            "relight_partners",
            readable={"membership": "user_id = nullif(current_setting('relight.user', true), '')::integer"},
        )
    ]
