"""Keep partners apart, and what audits found as it was found."""

from django.db import migrations

from relight.flow.partners.tenancy import Tenancy


class Migration(migrations.Migration):
    dependencies = [("relight_watch", "0001_initial")]
    operations = [Tenancy("relight_watch", append_only=("audit_result",))]
