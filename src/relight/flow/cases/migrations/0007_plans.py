"""Instalment plans with their claims and parts, and when a decision saw that a promise was over.

The role that runs may change of a plan what happens to it, and nothing of what was agreed part by part.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from relight.flow.partners.tenancy import key_by_partner, protect

RIGHTS = """
REVOKE DELETE, TRUNCATE ON instalment_plan FROM relight_app;
REVOKE UPDATE, DELETE, TRUNCATE ON plan_claim, plan_part FROM relight_app;
"""
TABLES = ("Plan", "PlanClaim", "PlanPart")


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


def keep_apart(apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    found = [apps.get_model("relight_cases", name) for name in TABLES]
    for statement in (statement for model in found for statement in key_by_partner(model)):
        schema_editor.execute(statement)
    for statement in (statement for model in found for statement in protect(model)):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("relight_cases", "0006_remission")]
    operations = [
        migrations.AddField("hold", "noted_at", models.DateTimeField(null=True)),
        migrations.CreateModel(
            "Plan",
            [
                ("id", number()),
                ("name", models.TextField()),
                ("state", models.TextField()),
                ("step_number", models.IntegerField(null=True)),
                ("months_min", models.SmallIntegerField()),
                ("months_max", models.SmallIntegerField()),
                ("months", models.SmallIntegerField(null=True)),
                ("amount", models.BigIntegerField(null=True)),
                ("offered_at", models.DateTimeField()),
                ("offered_by", models.TextField()),
                ("valid_until", models.DateField()),
                ("agreed_at", models.DateTimeField(null=True)),
                ("agreed_by", models.TextField(db_default="")),
                ("source", models.TextField(db_default="")),
                ("after_transfer", models.BigIntegerField(null=True)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("told", models.SmallIntegerField(db_default=0)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.TextField(db_default="")),
                ("note", models.TextField(db_default="")),
                ("account", link("relight_accounts.account")),
                ("case", link("relight_cases.case")),
                ("hold", link("relight_cases.hold", null=True)),
                ("partner", partner_key()),
            ],
            options={"db_table": "instalment_plan"},
        ),
        migrations.CreateModel(
            "PlanClaim",
            [
                ("id", number()),
                ("amount", models.BigIntegerField()),
                ("claim", link("relight_claims.claim", index=True)),
                ("plan", link("relight_cases.plan")),
                ("partner", partner_key()),
            ],
            options={"db_table": "plan_claim"},
        ),
        migrations.CreateModel(
            "PlanPart",
            [
                ("id", number()),
                ("number", models.SmallIntegerField()),
                ("due_date", models.DateField()),
                ("amount", models.BigIntegerField()),
                ("remind_date", models.DateField()),
                ("late_date", models.DateField()),
                ("plan", link("relight_cases.plan")),
                ("partner", partner_key()),
            ],
            options={"db_table": "plan_part"},
        ),
        migrations.AddIndex("plan", models.Index(fields=["partner", "case"], name="plan_case")),
        migrations.AddConstraint(
            "plan",
            models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ("offered", "agreed", "running", "paid", "broken", "lapsed", "ended", "withdrawn"),
                    )
                ),
                name="plan_state",
            ),
        ),
        migrations.AddConstraint(
            "plan",
            models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ("offered", "withdrawn")),
                    models.Q(
                        ("after_transfer__isnull", False),
                        ("agreed_at__isnull", False),
                        ("amount__gt", 0),
                        ("months__gte", 1),
                    ),
                    _connector="OR",
                ),
                name="plan_agreed_on",
            ),
        ),
        migrations.AddConstraint(
            "plan",
            models.UniqueConstraint(
                condition=models.Q(("state__in", ("agreed", "running"))),
                fields=("partner", "case"),
                name="plan_one_live",
            ),
        ),
        migrations.AddConstraint(
            "plan",
            models.UniqueConstraint(
                condition=models.Q(("state", "offered")), fields=("partner", "case"), name="plan_one_offer"
            ),
        ),
        migrations.AddConstraint(
            "planclaim", models.UniqueConstraint(fields=("partner", "plan", "claim"), name="plan_claim_once")
        ),
        migrations.AddConstraint(
            "planclaim", models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="plan_claim_amount")
        ),
        migrations.AddConstraint(
            "planpart", models.UniqueConstraint(fields=("partner", "plan", "number"), name="plan_part_number")
        ),
        migrations.AddConstraint(
            "planpart", models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="plan_part_amount")
        ),
        migrations.AddConstraint(
            "planpart",
            models.CheckConstraint(condition=models.Q(("late_date__gt", models.F("due_date"))), name="plan_part_days"),
        ),
        migrations.RunPython(keep_apart, migrations.RunPython.noop),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
    ]
