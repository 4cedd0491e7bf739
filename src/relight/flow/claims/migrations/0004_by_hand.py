"""Payments that a person placed: what lies on no account, and that files and providers move them no more."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("relight_claims", "0003_interest")]
    operations = [
        migrations.AddField("payment", "by_hand", models.BooleanField(db_default=False)),
        migrations.AddField("payment", "unmatched", models.BigIntegerField(db_default=0)),
        migrations.AddConstraint(
            "payment",
            models.CheckConstraint(
                condition=Q(unmatched__gte=0, unmatched__lte=F("amount")) & (Q(unmatched=0) | Q(by_hand=True)),
                name="payment_unmatched_sum",
            ),
        ),
        migrations.AddIndex(
            "payment",
            models.Index(fields=["partner", "received_at"], condition=Q(unmatched__gt=0), name="payment_rest"),
        ),
        migrations.AddIndex(
            "payment",
            models.Index(fields=["partner", "payer_name"], condition=~Q(payer_name=""), name="payment_payer"),
        ),
    ]
