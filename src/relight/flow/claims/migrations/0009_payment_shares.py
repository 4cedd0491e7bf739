"""What each account got of a payment that a person shared out, so that each is told of its own part."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q

from relight.flow.partners.tenancy import key_by_partner, protect


def keep_apart(apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    model = apps.get_model("relight_claims", "PaymentShare")
    for statement in (*key_by_partner(model), *protect(model)):
        schema_editor.execute(statement)
    schema_editor.execute("REVOKE UPDATE, DELETE, TRUNCATE ON payment_share FROM relight_app")
    schema_editor.execute("GRANT UPDATE (noted_at) ON payment_share TO relight_app")


def _reference(to: str, **more: bool) -> "models.ForeignKey[object, object]":
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to=to, **more
    )


class Migration(migrations.Migration):
    dependencies = [("relight_claims", "0008_on_no_account")]
    operations = [
        migrations.CreateModel(
            "PaymentShare",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.BigIntegerField()),
                ("placed_at", models.DateTimeField()),
                ("noted_at", models.DateTimeField(null=True)),
                ("account", _reference("relight_accounts.account", db_constraint=False)),
                ("payment", _reference("relight_claims.payment", db_constraint=False)),
                ("partner", _reference("relight_partners.partner")),
            ],
            options={"db_table": "payment_share"},
        ),
        migrations.AddConstraint(
            "paymentshare", models.CheckConstraint(condition=Q(amount__gt=0), name="payment_share_amount")
        ),
        migrations.AddIndex("paymentshare", models.Index(fields=["partner", "account"], name="payment_share_account")),
        migrations.AddIndex("paymentshare", models.Index(fields=["partner", "payment"], name="payment_share_payment")),
        migrations.RunPython(keep_apart, migrations.RunPython.noop),
    ]
