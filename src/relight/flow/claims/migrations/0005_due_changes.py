"""When a claim was due before its due date was changed: so that its age on an earlier day can be told."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from relight.flow.partners.tenancy import key_by_partner, protect


def keep_apart(apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    model = apps.get_model("relight_claims", "DueChange")
    for statement in (*key_by_partner(model), *protect(model)):
        schema_editor.execute(statement)
    schema_editor.execute("REVOKE UPDATE, DELETE, TRUNCATE ON claim_due_change FROM relight_app")


def _reference(to: str, **more: bool) -> "models.ForeignKey[object, object]":
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to=to, **more
    )


class Migration(migrations.Migration):
    dependencies = [("relight_claims", "0004_by_hand")]
    operations = [
        migrations.CreateModel(
            "DueChange",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_date", models.DateField()),
                ("changed_at", models.DateTimeField()),
                ("claim", _reference("relight_claims.claim", db_constraint=False)),
                ("partner", _reference("relight_partners.partner")),
            ],
            options={"db_table": "claim_due_change"},
        ),
        migrations.AddIndex(
            "duechange", models.Index(fields=["partner", "claim", "changed_at"], name="claim_due_change_claim")
        ),
        migrations.RunPython(keep_apart, migrations.RunPython.noop),
    ]
