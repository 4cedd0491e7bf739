"""A bill that is being collected by a mandate is on hold until the money, or the refusal, is there."""

from django.db import migrations, models
from django.db.models import Q

_REASONS = (
    "dispute", "complaint", "plan", "promise", "says_paid", "debt_help", "deceased", "medical", "wrong_person",
    "manual", "municipality", "collection",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("relight_cases", "0007_plans")]
    operations = [
        migrations.RemoveConstraint("hold", "hold_reason"),
        migrations.AddConstraint("hold", models.CheckConstraint(condition=Q(reason__in=_REASONS), name="hold_reason")),
    ]
