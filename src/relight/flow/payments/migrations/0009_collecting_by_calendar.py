"""Collections by calendar: who tells the customer and by which message, where files go, and what was heard of them."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q

from relight.flow.partners.tenancy import key_by_partner, protect

SCHEMES = ("avtalegiro", "betalingsservice", "sepa")
TABLES = ("CollectingCalendar", "CollectionNotice", "CollectionDelivery", "CollectionReceipt")
RIGHTS = """
REVOKE DELETE, TRUNCATE ON collecting_calendar FROM relight_app;
REVOKE UPDATE, DELETE, TRUNCATE ON collection_notice, collection_delivery, collection_receipt FROM relight_app;
"""


def number() -> models.BigAutoField:
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def partner_key() -> "models.ForeignKey[object, object]":
    return models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to="relight_partners.partner",
    )


def link(to: str, *, index: bool = False) -> "models.ForeignKey[object, object]":
    return models.ForeignKey(
        db_constraint=False,
        db_index=index,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=to,
    )


def among(name: str, field: str, *values: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__in": values}), name=f"{name}_{field}")


def keep_apart(apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    found = [apps.get_model("relight_payments", name) for name in TABLES]
    for statement in (statement for model in found for statement in key_by_partner(model)):
        schema_editor.execute(statement)
    for statement in (statement for model in found for statement in protect(model)):
        schema_editor.execute(statement)
    schema_editor.execute(RIGHTS)


class Migration(migrations.Migration):
    dependencies = [("relight_payments", "0008_mandates"), ("relight_effects", "0004_by_service")]
    operations = [
        migrations.AddField("CollectingCreditor", "announced_by", models.TextField(db_default="bill")),
        migrations.AddConstraint("collectingcreditor", among("collectingcreditor", "announced_by", "bill", "message")),
        migrations.AddField("CollectionFile", "written_by", models.TextField(db_default="hand")),
        migrations.AddConstraint("collectionfile", among("collectionfile", "written_by", "hand", "worker")),
        migrations.CreateModel(
            "CollectingCalendar",
            [
                ("id", number()),
                ("scheme", models.TextField()),
                ("folder", models.TextField()),
                ("from_hour", models.SmallIntegerField()),
                ("receipt_days", models.SmallIntegerField()),
                ("is_on", models.BooleanField(db_default=True)),
                ("planned_on", models.DateField(null=True)),
                ("noted_at", models.DateTimeField()),
                ("noted_by", models.TextField()),
                ("partner", partner_key()),
            ],
            options={"db_table": "collecting_calendar"},
        ),
        migrations.CreateModel(
            "CollectionNotice",
            [
                ("id", number()),
                ("made_at", models.DateTimeField()),
                ("collection", link("relight_payments.collection", index=True)),
                ("effect", link("relight_effects.effect", index=True)),
                ("partner", partner_key()),
            ],
            options={"db_table": "collection_notice"},
        ),
        migrations.CreateModel(
            "CollectionDelivery",
            [
                ("id", number()),
                ("place", models.TextField()),
                ("delivered_at", models.DateTimeField()),
                ("file", link("relight_payments.collectionfile")),
                ("partner", partner_key()),
            ],
            options={"db_table": "collection_delivery"},
        ),
        migrations.CreateModel(
            "CollectionReceipt",
            [
                ("id", number()),
                ("outcome", models.TextField()),
                ("told", models.TextField(db_default="")),
                ("heard_at", models.DateTimeField()),
                ("heard_by", models.TextField()),
                ("file", link("relight_payments.collectionfile", index=True)),
                ("partner", partner_key()),
            ],
            options={"db_table": "collection_receipt"},
        ),
        *(
            migrations.AddConstraint(model, constraint)
            for model, constraint in (
                ("collectingcalendar", among("collectingcalendar", "scheme", *SCHEMES)),
                (
                    "collectingcalendar",
                    models.CheckConstraint(
                        condition=Q(from_hour__gte=0, from_hour__lt=24, receipt_days__gte=0),
                        name="collecting_calendar_times",
                    ),
                ),
                (
                    "collectingcalendar",
                    models.UniqueConstraint(fields=("partner", "scheme"), name="collecting_calendar_once"),
                ),
                (
                    "collectiondelivery",
                    models.UniqueConstraint(fields=("partner", "file"), name="collection_delivery_once"),
                ),
                ("collectionreceipt", among("collectionreceipt", "outcome", "accepted", "refused")),
            )
        ),
        migrations.RunPython(keep_apart, migrations.RunPython.noop),
    ]
