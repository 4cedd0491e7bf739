"""Which fee a posting is for, so that what a customer was charged in an earlier case still counts."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("relight_claims", "0006_rates")]
    operations = [
        migrations.AddField("transfer", "fee", models.TextField(db_default="")),
        migrations.AddIndex(
            "transfer",
            models.Index(fields=["partner", "account"], condition=~Q(fee=""), name="transfer_fees"),
        ),
    ]
