"""Payments of nobody's stand on the ledger from the day on which they were booked, not first when a person takes them.

Those that wait already are posted as of the moment at which they came, or of the first moment of the open month.
"""

from django.db import migrations, models
from django.db.models import F, Q

POST = """
WITH waiting AS (
    UPDATE payment SET unmatched = amount
    WHERE account_id IS NULL AND NOT by_hand AND state IN ('confirmed', 'booked')
    RETURNING *
)
INSERT INTO transfer (partner_id, payment_id, kind, debit, credit, amount, currency, value_date, posted_at)
SELECT w.partner_id, w.id, 'payment', 'settlement', 'unmatched', w.amount, w.currency, w.value_date,
    greatest(w.received_at, w.confirmed_at,
        (SELECT max(b.ends_at) FROM books_period b WHERE b.partner_id = w.partner_id))
FROM waiting w ORDER BY w.partner_id, w.id
"""


class Migration(migrations.Migration):
    dependencies = [("relight_claims", "0007_fee_names"), ("relight_books", "0003_closed_months")]
    operations = [
        migrations.RemoveConstraint("payment", "payment_unmatched_sum"),
        migrations.AddConstraint(
            "payment",
            models.CheckConstraint(
                condition=Q(unmatched__gte=0, unmatched__lte=F("amount")), name="payment_unmatched_sum"
            ),
        ),
        migrations.RemoveIndex("payment", "payment_unmatched"),
        migrations.RunSQL(POST, migrations.RunSQL.noop),
    ]
