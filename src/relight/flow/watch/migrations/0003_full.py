"""An audit of everything that finds nothing ends the alarm of an earlier one; an audit of one night does not."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("relight_watch", "0002_tenancy")]
    operations = [migrations.AddField("auditresult", "is_full", models.BooleanField(db_default=False))]
