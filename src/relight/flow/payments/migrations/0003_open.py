"""Checkouts that somebody may still pay: asked for every twenty seconds, and most are long ended."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("relight_payments", "0002_tenancy")]
    operations = [
        migrations.AddIndex(
            "checkout",
            models.Index(
                fields=("partner", "created_at"),
                condition=models.Q(state__in=("created", "open")),
                name="checkout_open",
            ),
        ),
    ]
