"""Until when a claim's late interest was counted, and the rates that a partner answers for."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q

from relight.flow.partners.tenancy import key_by_partner, protect


def keep_apart(apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    model = apps.get_model("relight_claims", "ConfirmedRate")
    for statement in (*key_by_partner(model), *protect(model)):
        schema_editor.execute(statement)
    schema_editor.execute('REVOKE UPDATE, DELETE, TRUNCATE ON "confirmed_rate" FROM relight_app')


class Migration(migrations.Migration):
    dependencies = [("relight_claims", "0005_due_changes")]
    operations = [
        migrations.AddField("claim", "interest_until", models.DateField(null=True)),
        migrations.AddIndex(
            "claim",
            models.Index(
                fields=["partner", "account"],
                condition=Q(interest_until__isnull=False),
                name="claim_bears_interest",
            ),
        ),
        migrations.CreateModel(
            "ConfirmedRate",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("from_date", models.DateField()),
                ("basis_points", models.IntegerField()),
                ("set_at", models.DateTimeField()),
                ("set_by", models.TextField()),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_partners.partner",
                    ),
                ),
            ],
            options={"db_table": "confirmed_rate"},
        ),
        migrations.AddConstraint(
            "confirmedrate",
            models.CheckConstraint(
                condition=Q(basis_points__gte=0, basis_points__lte=10_000), name="confirmed_rate_percent"
            ),
        ),
        migrations.AddIndex(
            "confirmedrate", models.Index(fields=["partner", "name", "from_date"], name="confirmed_rate_day")
        ),
        migrations.RunPython(keep_apart, migrations.RunPython.noop),
    ]
