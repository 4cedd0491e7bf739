"""Services that wait for their button: asked every five seconds, and there are few among all that have supply."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("relight_supply", "0002_tenancy")]
    operations = [
        migrations.AddIndex(
            "supply",
            models.Index(
                fields=("partner", "read_at"),
                condition=models.Q(observed="ready", desired="full"),
                name="supply_waiting",
            ),
        ),
    ]
