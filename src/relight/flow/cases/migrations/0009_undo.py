"""Undo of a wrong run: who asked and agreed, how far it has come, and what it did by case.

The role that runs deletes nothing of it, and may not change what was asked.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F, Q

from relight.flow.partners.tenancy import key_by_partner, protect

RIGHTS = """
REVOKE DELETE, TRUNCATE, UPDATE ON undo, undo_case FROM relight_app;
GRANT UPDATE (state, until, answered_at, answered_by, started_at, finished_at, after_case, act, apology, apology_at,
    apology_by) ON undo TO relight_app;
GRANT UPDATE (apology) ON undo_case TO relight_app;
"""
CODES = ("checked", "simulated", "published", "shared", "moving", "moved")
TABLES = ("Undo", "UndoCase")


def number() -> models.BigAutoField:
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def link(to: str, *, null: bool = False) -> "models.ForeignKey[object, object]":
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
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


def among(model: str, field: str, *values: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q((f"{field}__in", values)), name=f"{model}_{field}")


def keep_apart(apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    found = [apps.get_model("relight_cases", name) for name in TABLES]
    for statement in (statement for model in found for statement in key_by_partner(model)):
        schema_editor.execute(statement)
    for statement in (statement for model in found for statement in protect(model)):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("relight_cases", "0008_collection_holds")]
    operations = [
        migrations.CreateModel(
            "Undo",
            [
                ("id", number()),
                ("policy", models.TextField(db_default="")),
                ("version", models.IntegerField(null=True)),
                ("bulk", models.BigIntegerField(null=True)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
                ("why", models.TextField()),
                ("state", models.TextField(db_default="asked")),
                ("found", models.JSONField(db_default=models.Value("{}"))),
                ("needs", models.SmallIntegerField()),
                ("asked_at", models.DateTimeField()),
                ("asked_by", models.TextField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("answered_by", models.TextField(db_default="")),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("after_case", models.BigIntegerField(db_default=0)),
                ("act", models.BigIntegerField(null=True)),
                ("apology", models.TextField(db_default="")),
                ("apology_at", models.DateTimeField(null=True)),
                ("apology_by", models.TextField(db_default="")),
                ("import_run", link("relight_claims.importrun", null=True)),
                ("partner", partner_key()),
            ],
            options={"db_table": "undo"},
        ),
        migrations.CreateModel(
            "UndoCase",
            [
                ("id", number()),
                ("steps", django.contrib.postgres.fields.ArrayField(models.IntegerField())),
                ("fees", models.BigIntegerField()),
                ("services", models.IntegerField()),
                ("messages", models.IntegerField()),
                ("letters", models.IntegerField()),
                ("stopped", models.IntegerField()),
                ("handovers", models.IntegerField()),
                ("reached", models.BooleanField()),
                ("apology", models.TextField(db_default="")),
                ("at", models.DateTimeField()),
                ("account", link("relight_accounts.account")),
                ("case", link("relight_cases.case")),
                ("undo", link("relight_cases.undo")),
                ("partner", partner_key()),
            ],
            options={"db_table": "undo_case"},
        ),
        *(
            migrations.AddConstraint(model, constraint)
            for model, constraint in (
                ("undo", among("undo", "state", "asked", "granted", "running", "done", "refused")),
                ("undo", among("undo", "apology", "", "draft", "approved", "dropped")),
                (
                    "undo",
                    models.CheckConstraint(
                        condition=Q(needs=1)
                        | Q(state__in=("asked", "refused"))
                        | (~Q(answered_by="") & ~Q(answered_by=F("asked_by"))),
                        name="undo_two_people",
                    ),
                ),
                ("undocase", among("undocase", "apology", "", "draft", "wanted", "told", "dropped")),
                ("undocase", models.UniqueConstraint(fields=("partner", "undo", "case"), name="undo_case_once")),
            )
        ),
        migrations.AddIndex(
            "undo",
            models.Index(fields=["partner", "id"], condition=Q(state__in=("granted", "running")), name="undo_open"),
        ),
        migrations.AddIndex(
            "undocase",
            models.Index(fields=["partner", "case"], condition=Q(apology="wanted"), name="undo_case_apology"),
        ),
        migrations.RunPython(keep_apart, migrations.RunPython.noop),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
        migrations.RemoveConstraint("policyact", "policyact_code"),
        migrations.AddConstraint("policyact", among("policyact", "code", *CODES, "undoing", "undone")),
    ]
