"""A policy's life: drafts, what was done about them and by whom, and a cap on the cases that run under a version.

The role that runs may add to all three tables, and change nothing of a version but how it is rolled out.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from relight.flow.partners.tenancy import key_by_partner, protect

ROLLED_OUT = "share, cap, retired_at"
RIGHTS = f"""
REVOKE UPDATE, DELETE, TRUNCATE ON policy_draft, policy_act, policy_version FROM relight_app;
GRANT UPDATE ({ROLLED_OUT}) ON policy_version TO relight_app;
"""
RIGHTS_BEFORE = "GRANT UPDATE, DELETE ON policy_version TO relight_app;"


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
    for name in ("PolicyDraft", "PolicyAct"):
        model = apps.get_model("relight_cases", name)
        for statement in (*key_by_partner(model), *protect(model)):
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("relight_cases", "0004_policy_share")]
    operations = [
        migrations.CreateModel(
            "PolicyDraft",
            [
                ("id", number()),
                ("name", models.TextField()),
                ("hash", models.CharField(max_length=64)),
                ("text", models.TextField()),
                ("kept_at", models.DateTimeField()),
                ("kept_by", models.TextField()),
                ("partner", partner_key()),
            ],
            options={"db_table": "policy_draft"},
        ),
        migrations.CreateModel(
            "PolicyAct",
            [
                ("id", number()),
                ("name", models.TextField()),
                ("hash", models.CharField(max_length=64)),
                ("version", models.IntegerField(null=True)),
                ("code", models.TextField()),
                ("params", models.JSONField(db_default=models.Value("{}"))),
                ("actor", models.TextField()),
                ("at", models.DateTimeField()),
                ("partner", partner_key()),
            ],
            options={"db_table": "policy_act"},
        ),
        migrations.AddConstraint(
            "policydraft",
            models.UniqueConstraint(fields=("partner", "name", "hash"), name="policy_draft_once"),
        ),
        migrations.AddConstraint(
            "policyact",
            models.CheckConstraint(
                condition=models.Q(("code__in", ("checked", "simulated", "published", "shared", "moving", "moved"))),
                name="policyact_code",
            ),
        ),
        migrations.AddIndex("policyact", models.Index(fields=["partner", "name", "id"], name="policy_act_name")),
        migrations.RunPython(keep_apart, migrations.RunPython.noop),
        migrations.AddField("policyversion", "cap", models.IntegerField(null=True)),
        migrations.RemoveConstraint("policyversion", "policy_version_share"),
        migrations.AddConstraint(
            "policyversion",
            models.CheckConstraint(condition=models.Q(("share__range", (0, 100))), name="policy_version_share"),
        ),
        migrations.AddConstraint(
            "policyversion",
            models.CheckConstraint(
                condition=models.Q(("cap__isnull", True), ("cap__gte", 1), _connector="OR"), name="policy_version_cap"
            ),
        ),
        migrations.RunSQL(RIGHTS, RIGHTS_BEFORE),
    ]
