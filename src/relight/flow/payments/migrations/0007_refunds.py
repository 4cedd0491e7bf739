"""Refunds by providers, the days that were compared with their settlements, and where a customer who pays was sent."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q

from relight.flow.partners.tenancy import key_by_partner, protect

_STATES = ("ordered", "sent", "done", "failed", "unsure")


def link(to: str, *, index: bool = False) -> "models.ForeignKey[object, object]":
    return models.ForeignKey(
        db_constraint=False,
        db_index=index,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=to,
    )


def keep_apart(apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for name in ("ProviderRefund", "SettledDay"):
        model = apps.get_model("relight_payments", name)
        for statement in (*key_by_partner(model), *protect(model)):
            schema_editor.execute(statement)
    schema_editor.execute("REVOKE UPDATE, DELETE, TRUNCATE ON provider_refund FROM relight_app")
    schema_editor.execute("GRANT UPDATE (state, refund_ref, finished_at) ON provider_refund TO relight_app")
    schema_editor.execute("REVOKE DELETE, TRUNCATE ON settled_day FROM relight_app")


class Migration(migrations.Migration):
    dependencies = [("relight_payments", "0006_moves")]
    operations = [
        migrations.AddField("checkout", "redirect_url", models.TextField(db_default="")),
        migrations.AddField("checkout", "handle", models.TextField(db_default="")),
        migrations.AddField("providernotice", "operation", models.TextField(db_default="")),
        migrations.AddIndex(
            "checkout",
            models.Index(
                fields=["partner", "account"], condition=Q(state__in=("created", "open")), name="checkout_unfinished"
            ),
        ),
        *(
            migrations.CreateModel(
                name,
                [
                    (
                        "id",
                        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                    ),
                    (
                        "partner",
                        models.ForeignKey(
                            db_index=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="+",
                            to="relight_partners.partner",
                        ),
                    ),
                    *fields,
                ],
                options={"db_table": table},
            )
            for name, table, fields in (
                (
                    "ProviderRefund",
                    "provider_refund",
                    (
                        ("account", link("relight_accounts.account")),
                        ("payment", link("relight_claims.payment", index=True)),
                        ("key", models.TextField()),
                        ("amount", models.BigIntegerField()),
                        ("currency", models.CharField(max_length=3)),
                        ("state", models.TextField(db_default="ordered")),
                        ("ordered_at", models.DateTimeField()),
                        ("ordered_by", models.TextField()),
                        ("refund_ref", models.TextField(db_default="")),
                        ("finished_at", models.DateTimeField(null=True)),
                    ),
                ),
                (
                    "SettledDay",
                    "settled_day",
                    (
                        ("provider", models.TextField()),
                        ("day", models.DateField()),
                        ("read_at", models.DateTimeField()),
                        ("told", models.IntegerField()),
                        ("found", models.IntegerField()),
                        ("differing", models.IntegerField()),
                    ),
                ),
            )
        ),
        migrations.AddConstraint(
            "providerrefund", models.CheckConstraint(condition=Q(state__in=_STATES), name="provider_refund_state")
        ),
        migrations.AddConstraint(
            "providerrefund", models.CheckConstraint(condition=Q(amount__gt=0), name="provider_refund_amount")
        ),
        migrations.AddConstraint(
            "providerrefund", models.UniqueConstraint(fields=("partner", "key"), name="provider_refund_key")
        ),
        migrations.AddIndex(
            "providerrefund",
            models.Index(fields=["partner", "id"], condition=Q(state="ordered"), name="provider_refund_waiting"),
        ),
        migrations.AddConstraint(
            "settledday",
            models.UniqueConstraint(fields=("partner", "provider", "day"), name="settled_day_once"),
        ),
        migrations.RunPython(keep_apart, migrations.RunPython.noop),
    ]
