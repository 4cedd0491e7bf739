"""What lies on no account is found by its payment: one that went back read all transfers."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("relight_claims", "0009_payment_shares")]
    operations = [
        migrations.AddIndex(
            "transfer",
            models.Index(fields=["partner", "payment"], condition=Q(account__isnull=True), name="transfer_loose"),
        ),
    ]
