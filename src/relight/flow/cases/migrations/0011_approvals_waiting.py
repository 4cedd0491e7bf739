"""Approvals that wait are counted on every page of the console, by an index that holds no others."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("relight_cases", "0010_due_in_order")]
    operations = [
        migrations.AddIndex(
            "approval",
            models.Index(fields=["partner", "id"], condition=Q(state="requested"), name="approval_waiting"),
        ),
    ]
