"""Keep partners apart: composite keys, references within a partner, row-level security."""

from django.db import migrations

from relight.flow.partners.tenancy import Tenancy


class Migration(migrations.Migration):
    dependencies = [("relight_traces", "0001_initial"), ("relight_cases", "0002_tenancy")]
    operations = [Tenancy("relight_traces")]
