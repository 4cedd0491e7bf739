"""Urgent effects by their kind: commands leave before messages, however many of these wait."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("relight_effects", "0008_in_order")]
    operations = [
        migrations.AddIndex(
            "effect",
            models.Index(
                fields=["partner", "kind", "due_at", "id"],
                condition=Q(state="pending", lane="urgent"),
                name="effect_due_urgent_kind",
            ),
        )
    ]
