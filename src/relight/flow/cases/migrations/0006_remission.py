"""Forgiving a debt is asked for like writing it off: by one person, and agreed by another."""

from django.db import migrations, models
from django.db.models import Q

_KINDS = ("step", "refund", "write_off", "remission", "bulk", "policy")


class Migration(migrations.Migration):
    dependencies = [("relight_cases", "0005_policy_lifecycle")]
    operations = [
        migrations.RemoveConstraint("approval", "approval_kind"),
        migrations.AddConstraint(
            "approval", models.CheckConstraint(condition=Q(kind__in=_KINDS), name="approval_kind")
        ),
    ]
