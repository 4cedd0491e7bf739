"""A customer's answer may promise a day."""

from django.db import migrations, models
from django.db.models import Q

_MEANINGS = ("stop", "paid", "help", "wrong_person", "promise", "unknown")


class Migration(migrations.Migration):
    dependencies = [("relight_messages", "0003_lookups")]
    operations = [
        migrations.RemoveConstraint("receivedmessage", "receivedmessage_meaning"),
        migrations.AddConstraint(
            "receivedmessage",
            models.CheckConstraint(condition=Q(meaning__in=_MEANINGS), name="receivedmessage_meaning"),
        ),
    ]
