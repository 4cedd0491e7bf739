"""Mandates, their collections, and the files that ordered them. What was agreed or ordered never changes."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F, Q

from relight.flow.partners.tenancy import key_by_partner, protect

SCHEMES = ("avtalegiro", "betalingsservice", "sepa")
IN_FLIGHT = ("planned", "sent")
ENDS = ("collected", "refused", "returned", "unanswered", "called_back")
TABLES = ("CollectingCreditor", "Mandate", "CollectionFile", "Collection")
RIGHTS = """
REVOKE DELETE, TRUNCATE ON collecting_creditor FROM relight_app;
REVOKE UPDATE, DELETE, TRUNCATE ON mandate, collection_file, collection FROM relight_app;
GRANT UPDATE (ends_on, ended_because) ON mandate TO relight_app;
GRANT UPDATE (amount, state, collect_date, until, sequence, sent_at, file_id, block, recall, recall_file_id, ended_at,
    reason, retry_date, payment_id, hold_id) ON collection TO relight_app;
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


def link(to: str, *, null: bool = False, index: bool = False) -> "models.ForeignKey[object, object]":
    return models.ForeignKey(
        db_constraint=False,
        db_index=index,
        null=null,
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
    dependencies = [("relight_payments", "0007_refunds"), ("relight_cases", "0008_collection_holds")]
    operations = [
        migrations.CreateModel(
            "CollectingCreditor",
            [
                ("id", number()),
                ("scheme", models.TextField()),
                ("number", models.TextField()),
                ("group_number", models.TextField(db_default="")),
                ("noted_at", models.DateTimeField()),
                ("noted_by", models.TextField()),
                ("creditor", link("relight_partners.creditor")),
                ("partner", partner_key()),
            ],
            options={"db_table": "collecting_creditor"},
        ),
        migrations.CreateModel(
            "Mandate",
            [
                ("id", number()),
                ("scheme", models.TextField()),
                ("reference", models.TextField()),
                ("payer_name", models.TextField(db_default="")),
                ("payer_account", models.TextField(db_default="")),
                ("instrument", models.TextField(db_default="")),
                ("is_once", models.BooleanField(db_default=False)),
                ("bank_notifies", models.BooleanField(db_default=True)),
                ("signed_date", models.DateField(null=True)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(null=True)),
                ("ended_because", models.TextField(db_default="")),
                ("source", models.TextField()),
                ("noted_at", models.DateTimeField()),
                ("noted_by", models.TextField()),
                ("account", link("relight_accounts.account")),
                ("creditor", link("relight_partners.creditor")),
                ("partner", partner_key()),
            ],
            options={"db_table": "mandate"},
        ),
        migrations.CreateModel(
            "CollectionFile",
            [
                ("id", number()),
                ("scheme", models.TextField()),
                ("kind", models.TextField()),
                ("number", models.IntegerField()),
                ("message", models.TextField()),
                ("count", models.IntegerField()),
                ("amount", models.BigIntegerField()),
                ("written_at", models.DateTimeField()),
                ("partner", partner_key()),
            ],
            options={"db_table": "collection_file"},
        ),
        migrations.CreateModel(
            "Collection",
            [
                ("id", number()),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("state", models.TextField(db_default="planned")),
                ("collect_date", models.DateField()),
                ("until", models.DateTimeField()),
                ("ref", models.TextField()),
                ("attempt", models.SmallIntegerField(db_default=1)),
                ("sequence", models.TextField(db_default="")),
                ("planned_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("block", models.TextField(db_default="")),
                ("recall", models.TextField(db_default="")),
                ("ended_at", models.DateTimeField(null=True)),
                ("reason", models.TextField(db_default="")),
                ("retry_date", models.DateField(null=True)),
                ("account", link("relight_accounts.account")),
                ("claim", link("relight_claims.claim")),
                ("file", link("relight_payments.collectionfile", null=True, index=True)),
                ("hold", link("relight_cases.hold", null=True)),
                ("mandate", link("relight_payments.mandate", index=True)),
                ("partner", partner_key()),
                ("payment", link("relight_claims.payment", null=True, index=True)),
                ("recall_file", link("relight_payments.collectionfile", null=True)),
            ],
            options={"db_table": "collection"},
        ),
        *(
            migrations.AddConstraint(model, constraint)
            for model, constraint in (
                ("collectingcreditor", among("collectingcreditor", "scheme", *SCHEMES)),
                (
                    "collectingcreditor",
                    models.UniqueConstraint(fields=("partner", "creditor", "scheme"), name="collecting_creditor_once"),
                ),
                ("mandate", among("mandate", "scheme", *SCHEMES)),
                ("mandate", among("mandate", "source", "file", "api", "hand")),
                ("mandate", among("mandate", "instrument", "", "CORE", "B2B")),
                (
                    "mandate",
                    models.CheckConstraint(
                        condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="mandate_period"
                    ),
                ),
                (
                    "mandate",
                    models.CheckConstraint(
                        condition=~Q(scheme="sepa")
                        | (~Q(payer_account="") & ~Q(instrument="") & Q(signed_date__isnull=False)),
                        name="mandate_sepa_is_whole",
                    ),
                ),
                (
                    "mandate",
                    models.UniqueConstraint(
                        fields=("partner", "creditor", "scheme", "reference"),
                        condition=Q(ends_on=None),
                        name="mandate_in_force",
                    ),
                ),
                ("collectionfile", among("collectionfile", "scheme", *SCHEMES)),
                ("collectionfile", among("collectionfile", "kind", "order", "recall")),
                (
                    "collectionfile",
                    models.UniqueConstraint(fields=("partner", "scheme", "number"), name="collection_file_number"),
                ),
                (
                    "collectionfile",
                    models.UniqueConstraint(fields=("partner", "message"), name="collection_file_message"),
                ),
                ("collection", among("collection", "state", *IN_FLIGHT, *ENDS)),
                ("collection", among("collection", "recall", "", "wanted", "sent")),
                ("collection", among("collection", "sequence", "", "FRST", "RCUR", "OOFF", "FNAL")),
                ("collection", models.CheckConstraint(condition=Q(amount__gt=0), name="collection_amount")),
                ("collection", models.UniqueConstraint(fields=("partner", "ref"), name="collection_ref")),
                (
                    "collection",
                    models.UniqueConstraint(
                        fields=("partner", "claim"),
                        condition=Q(state__in=IN_FLIGHT),
                        name="collection_one_in_flight",
                    ),
                ),
            )
        ),
        migrations.AddIndex("mandate", models.Index(fields=["partner", "account"], name="mandate_account")),
        migrations.AddIndex("collection", models.Index(fields=["partner", "account"], name="collection_account")),
        migrations.AddIndex("collection", models.Index(fields=["partner", "claim", "id"], name="collection_claim")),
        migrations.AddIndex(
            "collection",
            models.Index(fields=["partner", "until"], condition=Q(state__in=IN_FLIGHT), name="collection_open"),
        ),
        migrations.RunPython(keep_apart, migrations.RunPython.noop),
    ]
