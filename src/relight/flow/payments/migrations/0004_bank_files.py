"""What bank files told: each booking with the names that banks give it, and the statements that came without a gap."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from relight.flow.partners.tenancy import key_by_partner, protect


def link(to: str, *, null: bool = False, index: bool = False) -> "models.ForeignKey[object, object]":
    return models.ForeignKey(
        db_constraint=False,
        db_index=index,
        null=null,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=to,
    )


def partner_key() -> "models.ForeignKey[object, object]":
    return models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to="relight_partners.partner",
    )


def number() -> models.BigAutoField:
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def keep_apart(apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for name in ("BankBooking", "BankStatement"):
        model = apps.get_model("relight_payments", name)
        for statement in (*key_by_partner(model), *protect(model)):
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("relight_payments", "0003_open"), ("relight_claims", "0002_tenancy")]
    operations = [
        migrations.CreateModel(
            "BankBooking",
            [
                ("id", number()),
                ("ref", models.TextField()),
                ("is_return", models.BooleanField(db_default=False)),
                ("bank_account", models.TextField()),
                ("servicer_ref", models.TextField(db_default="")),
                ("end_to_end", models.TextField(db_default="")),
                ("reference", models.TextField(db_default="")),
                ("payer_account", models.TextField(db_default="")),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("value_date", models.DateField()),
                ("partner", partner_key()),
                ("payment", link("relight_claims.payment", null=True, index=True)),
                ("run", link("relight_claims.importrun", null=True)),
                ("source", link("relight_claims.source")),
            ],
            options={"db_table": "bank_booking"},
        ),
        migrations.CreateModel(
            "BankStatement",
            [
                ("id", number()),
                ("chain", models.TextField()),
                ("first_number", models.BigIntegerField(null=True)),
                ("first_part", models.IntegerField()),
                ("first_other_number", models.BigIntegerField(null=True)),
                ("opening", models.BigIntegerField(null=True)),
                ("number", models.BigIntegerField(null=True)),
                ("part", models.IntegerField()),
                ("is_last", models.BooleanField()),
                ("other_number", models.BigIntegerField(null=True)),
                ("closing", models.BigIntegerField(null=True)),
                ("until", models.DateTimeField()),
                ("is_reached", models.BooleanField(db_default=False)),
                ("partner", partner_key()),
                ("run", link("relight_claims.importrun")),
                ("source", link("relight_claims.source")),
            ],
            options={"db_table": "bank_statement"},
        ),
        migrations.AddConstraint(
            "bankbooking", models.UniqueConstraint(fields=("partner", "source", "ref"), name="bank_booking_ref")
        ),
        migrations.AddConstraint(
            "bankbooking",
            models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="bank_booking_amount"),
        ),
        *(
            migrations.AddIndex(
                "bankbooking",
                models.Index(
                    fields=["partner", field],
                    condition=models.Q((field, ""), _negated=True),
                    name=f"bank_booking_{name}",
                ),
            )
            for field, name in (
                ("servicer_ref", "servicer"),
                ("end_to_end", "end_to_end"),
                ("reference", "reference"),
            )
        ),
        migrations.AddConstraint(
            "bankstatement",
            models.UniqueConstraint(
                fields=("partner", "source", "chain", "first_number", "first_part", "number", "part", "until"),
                nulls_distinct=False,
                name="bank_statement_once",
            ),
        ),
        migrations.RunPython(keep_apart, migrations.RunPython.noop),
    ]
