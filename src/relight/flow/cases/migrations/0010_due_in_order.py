"""Due cases in one order, also those of one moment: a search goes on behind the last one (flow/road/claiming.py)."""

from django.db import migrations, models
from django.db.models import Q

LANES = {"case_due_bulk": "bulk", "case_due_urgent": "urgent"}


class Migration(migrations.Migration):
    dependencies = [("relight_cases", "0009_undo")]
    operations = [
        operation
        for name, lane in LANES.items()
        for operation in (
            migrations.RemoveIndex("case", name),
            migrations.AddIndex(
                "case",
                models.Index(
                    fields=["partner", "wakes_at", "id"], condition=Q(wakes_at__isnull=False, lane=lane), name=name
                ),
            ),
        )
    ]
