"""A version for a share of new cases, and the proof with which it was published."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("relight_cases", "0003_hold_reviews"), ("relight_partners", "0003_own_partner")]
    operations = [
        migrations.AddField("policyversion", "proof", models.JSONField(db_default=models.Value("{}"))),
        migrations.AddField("policyversion", "share", models.SmallIntegerField(db_default=100)),
        migrations.AddConstraint(
            "policyversion",
            models.CheckConstraint(condition=models.Q(("share__range", (1, 100))), name="policy_version_share"),
        ),
    ]
