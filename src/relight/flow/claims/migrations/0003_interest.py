"""Interest as a part of a claim, and the kinds of transfer that books, plans and agencies post."""

from django.db import migrations, models
from django.db.models import Q

_KINDS = (
    *("claim", "correction", "credit_note", "fee", "interest", "payment", "allocation", "release", "return", "refund"),
    *("write_off", "remission", "cost", "remittance", "move", "settlement"),
)
_CHECKS = (
    ("claim", "claim_sums", Q(principal__gte=0, costs__gte=0, interest__gte=0, disputed__gte=0)),
    ("claim", "claim_open_owes", ~Q(state="open") | Q(principal__gt=0) | Q(costs__gt=0) | Q(interest__gt=0)),
    ("transfer", "transfer_kind", Q(kind__in=_KINDS)),
    ("transfer", "transfer_part", Q(part__in=("", "principal", "costs", "interest"))),
)


class Migration(migrations.Migration):
    dependencies = [("relight_claims", "0002_tenancy")]
    operations = [
        migrations.AddField("claim", "interest", models.BigIntegerField(db_default=0)),
        *(migrations.RemoveConstraint(table, name) for table, name, _ in _CHECKS),
        *(
            migrations.AddConstraint(table, models.CheckConstraint(condition=condition, name=name))
            for table, name, condition in _CHECKS
        ),
    ]
