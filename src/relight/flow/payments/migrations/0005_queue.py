"""What people did with payments that found no claim, and money that goes back by the bank."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q

from relight.flow.partners.tenancy import key_by_partner, protect

_CODES = ("assigned", "taken_away", "parked", "names_unknown", "refund_asked")
_STATES = ("asked", "granted", "refused", "ordered")


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
    for name in ("PaymentAct", "BankRefund"):
        model = apps.get_model("relight_payments", name)
        for statement in (*key_by_partner(model), *protect(model)):
            schema_editor.execute(statement)
    schema_editor.execute("REVOKE UPDATE, DELETE, TRUNCATE ON payment_act FROM relight_app")
    schema_editor.execute("REVOKE UPDATE, DELETE, TRUNCATE ON bank_refund FROM relight_app")
    schema_editor.execute(
        "GRANT UPDATE (state, decided_at, decided_by, note, ordered_at, order_ref) ON bank_refund TO relight_app"
    )


class Migration(migrations.Migration):
    dependencies = [("relight_payments", "0004_bank_files"), ("relight_claims", "0004_by_hand")]
    operations = [
        migrations.CreateModel(
            "PaymentAct",
            [
                ("id", number()),
                ("code", models.TextField()),
                ("amount", models.BigIntegerField(db_default=0)),
                (
                    "claims",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), db_default=models.Value("{}"), size=None
                    ),
                ),
                ("payer_key", models.TextField(db_default="")),
                ("payer_account", models.TextField(db_default="")),
                ("note", models.TextField(db_default="")),
                ("actor", models.TextField()),
                ("at", models.DateTimeField()),
                ("account", link("relight_accounts.account", null=True)),
                ("partner", partner_key()),
                ("payment", link("relight_claims.payment")),
            ],
            options={"db_table": "payment_act"},
        ),
        migrations.CreateModel(
            "BankRefund",
            [
                ("id", number()),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("to_name", models.TextField()),
                ("to_account", models.TextField()),
                ("reason", models.TextField()),
                ("state", models.TextField(db_default="asked")),
                ("asked_at", models.DateTimeField()),
                ("asked_by", models.TextField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.TextField(db_default="")),
                ("note", models.TextField(db_default="")),
                ("ordered_at", models.DateTimeField(null=True)),
                ("order_ref", models.TextField(db_default="")),
                ("account", link("relight_accounts.account", null=True)),
                ("partner", partner_key()),
                ("payment", link("relight_claims.payment", index=True)),
            ],
            options={"db_table": "bank_refund"},
        ),
        migrations.AddConstraint(
            "paymentact", models.CheckConstraint(condition=Q(code__in=_CODES), name="paymentact_code")
        ),
        migrations.AddConstraint(
            "bankrefund", models.CheckConstraint(condition=Q(state__in=_STATES), name="bankrefund_state")
        ),
        migrations.AddConstraint(
            "bankrefund", models.CheckConstraint(condition=Q(amount__gt=0), name="bank_refund_amount")
        ),
        migrations.AddConstraint(
            "bankrefund",
            models.CheckConstraint(
                condition=Q(state__in=("asked", "refused")) | ~Q(decided_by=models.F("asked_by")),
                name="bank_refund_two_people",
            ),
        ),
        migrations.AddIndex(
            "paymentact", models.Index(fields=["partner", "payment", "id"], name="payment_act_payment")
        ),
        migrations.AddIndex(
            "paymentact",
            models.Index(
                fields=["partner", "payer_key"],
                condition=Q(code="assigned") & ~Q(payer_key=""),
                name="payment_act_payer",
            ),
        ),
        migrations.AddIndex(
            "paymentact",
            models.Index(
                fields=["partner", "payer_account"],
                condition=Q(code="assigned") & ~Q(payer_account=""),
                name="payment_act_payer_account",
            ),
        ),
        migrations.AddIndex(
            "paymentact",
            models.Index(fields=["partner", "id"], condition=Q(code="names_unknown"), name="payment_act_unknown"),
        ),
        migrations.AddIndex(
            "bankrefund",
            models.Index(
                fields=["partner", "id"], condition=Q(state__in=("asked", "granted")), name="bank_refund_open"
            ),
        ),
        migrations.AddIndex(
            "bankbooking",
            models.Index(
                fields=["partner", "payer_account"], condition=~Q(payer_account=""), name="bank_booking_payer"
            ),
        ),
        migrations.RunPython(keep_apart, migrations.RunPython.noop),
    ]
