"""By how much a claim that a step named has grown since: what nobody was told of bears no cut."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("relight_cases", "0011_approvals_waiting")]
    operations = [migrations.AddField("stepclaim", "raised", models.BigIntegerField(db_default=0))]
