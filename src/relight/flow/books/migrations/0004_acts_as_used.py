"""Acts of the books without what refunds had there, which have a table of their own."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("relight_books", "0003_closed_months")]
    operations = [
        migrations.RemoveConstraint("act", "act_kind"),
        migrations.RemoveConstraint("act", "act_state"),
        migrations.RemoveConstraint("act", "books_act_claim"),
        *(migrations.RemoveField("act", name) for name in ("pay_to", "paid_at", "paid_by")),
        migrations.AddConstraint(
            "act", models.CheckConstraint(condition=Q(kind__in=("write_off", "remission")), name="act_kind")
        ),
        migrations.AddConstraint(
            "act",
            models.CheckConstraint(
                condition=Q(state__in=("requested", "refused", "posted", "undone")), name="act_state"
            ),
        ),
        migrations.AddConstraint(
            "act", models.CheckConstraint(condition=Q(claim__isnull=False), name="books_act_claim")
        ),
    ]
