"""Drivers that rest after failures, and due effects by their channel: one that is full or rests keeps no other waiting.

The role that runs deletes nothing of it.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q

from relight.flow.partners.tenancy import key_by_partner, protect

RIGHTS = "REVOKE DELETE, TRUNCATE ON driver_rest FROM relight_app"


def keep_apart(apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    model = apps.get_model("relight_effects", "DriverRest")
    for statement in (*key_by_partner(model), *protect(model)):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("relight_effects", "0005_again")]
    operations = [
        migrations.CreateModel(
            "DriverRest",
            [
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("kind", models.TextField()),
                ("name", models.TextField()),
                ("state", models.TextField(db_default="open")),
                ("failures", models.IntegerField(db_default=0)),
                ("rests", models.IntegerField(db_default=0)),
                ("rest_until", models.DateTimeField(null=True)),
                ("code", models.TextField(db_default="")),
                ("since", models.DateTimeField()),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="relight_partners.partner",
                    ),
                ),
            ],
            options={"db_table": "driver_rest"},
        ),
        migrations.AddConstraint(
            "driverrest",
            models.CheckConstraint(
                condition=Q(("kind__in", ("message", "supply", "handover"))), name="driverrest_kind"
            ),
        ),
        migrations.AddConstraint(
            "driverrest",
            models.CheckConstraint(condition=Q(("state__in", ("open", "resting", "probing"))), name="driverrest_state"),
        ),
        migrations.AddConstraint(
            "driverrest",
            models.UniqueConstraint(fields=("partner", "kind", "name"), name="driver_rest_once"),
        ),
        migrations.AddConstraint(
            "driverrest",
            models.CheckConstraint(
                condition=Q(("state", "open"), ("rest_until__isnull", False), _connector="OR"),
                name="driver_rest_ends",
            ),
        ),
        migrations.RunPython(keep_apart, migrations.RunPython.noop),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
        migrations.AddIndex(
            "effect",
            models.Index(
                fields=("partner", "kind", "channel", "due_at"),
                condition=Q(state="pending", lane="bulk"),
                name="effect_due_channel",
            ),
        ),
    ]
