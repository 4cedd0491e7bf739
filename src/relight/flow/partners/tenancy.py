"""Partners kept apart by the database: composite keys and row-level security, made from the models' own declarations.

Each stage's second migration calls `Tenancy`. The role that runs in production owns nothing and cannot bypass; the
owner (migrations, and the few SECURITY DEFINER functions) is not subject to the policies.
"""

from collections.abc import Iterable

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import ForeignKey, Model

PARTNER_MATCHES = "partner_id = nullif(current_setting('relight.partner', true), '')::integer"


def _is_partner_row(model: type[Model]) -> bool:
    return any(field.name == "partner" for field in model._meta.get_fields())


def key_by_partner(model: type[Model]) -> Iterable[str]:
    """The statement that makes `(partner_id, id)` the primary key, where the table has an `id`."""
    table = model._meta.db_table
    if any(field.column == "id" for field in model._meta.local_fields):
        yield f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_pkey", ADD PRIMARY KEY (partner_id, id)'


def protect(model: type[Model], *, readable: str = "") -> Iterable[str]:
    """Statements that tie a table's references to the same partner, and switch on its policy. Rows where `readable`
    holds may be read from outside their partner, and never written."""
    table = model._meta.db_table
    for field in model._meta.local_fields:
        if not isinstance(field, ForeignKey) or field.name == "partner" or not _is_partner_row(field.related_model):
            continue
        target = field.related_model._meta
        target_key = target.pk.column
        yield (
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{field.column}_fk" FOREIGN KEY (partner_id, {field.column})'
            f' REFERENCES "{target.db_table}" (partner_id, {target_key}) DEFERRABLE INITIALLY IMMEDIATE'
        )
    yield f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY'
    yield f'CREATE POLICY own_partner ON "{table}" USING ({PARTNER_MATCHES}) WITH CHECK ({PARTNER_MATCHES})'
    if readable:
        yield f'CREATE POLICY readable ON "{table}" FOR SELECT USING ({readable})'


class Tenancy(migrations.RunPython):
    """Protect every partner table of one app. `append_only` tables lose UPDATE and DELETE for the runtime role;
    `readable` tells by model which rows may be read from outside their partner."""

    def __init__(self, app_label: str, *, append_only: tuple[str, ...] = (), readable: dict[str, str] | None = None):
        self.app_label, self.append_only, self.readable = app_label, append_only, readable or {}
        super().__init__(self._forwards, migrations.RunPython.noop)

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        """How the migration writer would spell it."""
        return "Tenancy", [self.app_label], {"append_only": self.append_only, "readable": self.readable}

    def _forwards(self, apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        models = [model for model in apps.get_app_config(self.app_label).get_models() if _is_partner_row(model)]
        for statement in (statement for model in models for statement in key_by_partner(model)):
            schema_editor.execute(statement)
        for model in models:
            for statement in protect(model, readable=self.readable.get(model._meta.model_name, "")):
                schema_editor.execute(statement)
        for table in self.append_only:
            schema_editor.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM relight_app')
