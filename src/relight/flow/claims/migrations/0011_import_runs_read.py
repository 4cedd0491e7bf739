"""The newest file of a kind, and those that nobody finished, are found among years of files: all were read."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("relight_claims", "0010_loose_transfers")]
    operations = [
        migrations.AddIndex(
            "importrun",
            models.Index(
                fields=["partner", "kind", "finished_at"],
                condition=Q(finished_at__isnull=False),
                name="import_run_finished",
            ),
        ),
        migrations.AddIndex(
            "importrun",
            models.Index(
                fields=["partner", "sha256"], condition=Q(finished_at__isnull=False), name="import_run_content"
            ),
        ),
        migrations.AddIndex(
            "importrun",
            models.Index(
                fields=["partner", "started_at"], condition=Q(finished_at__isnull=True), name="import_run_unfinished"
            ),
        ),
    ]
