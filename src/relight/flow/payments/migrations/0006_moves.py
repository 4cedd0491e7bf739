"""Find what was moved of a payment: few payments are, so that a part of the ledger is enough to look in."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("relight_payments", "0005_queue"), ("relight_claims", "0004_by_hand")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX transfer_moved ON transfer (partner_id, payment_id) WHERE kind = 'move'",
            "DROP INDEX transfer_moved",
        )
    ]
