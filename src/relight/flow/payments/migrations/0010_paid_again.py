"""Payments for a bill that was paid already wait for a word; and what two people send back may go by its provider."""

from django.db import migrations, models
from django.db.models import Q

_CODES = ("assigned", "taken_away", "parked", "names_unknown", "paid_again", "kept", "refund_asked")


class Migration(migrations.Migration):
    dependencies = [("relight_payments", "0009_collecting_by_calendar")]
    operations = [
        migrations.RemoveConstraint("paymentact", "paymentact_code"),
        migrations.AddConstraint(
            "paymentact", models.CheckConstraint(condition=Q(code__in=_CODES), name="paymentact_code")
        ),
        migrations.AddIndex(
            "paymentact",
            models.Index(fields=["partner", "id"], condition=Q(code="paid_again"), name="payment_act_paid_again"),
        ),
        migrations.AddField("bankrefund", "way", models.TextField(db_default="bank")),
        migrations.AddConstraint(
            "bankrefund",
            models.CheckConstraint(condition=Q(way__in=("bank", "provider")), name="bankrefund_way"),
        ),
    ]
