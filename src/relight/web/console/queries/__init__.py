"""Reads of the console: SQL on the request's own connection, where row-level security knows the partner.

Statements stay in `.sql` files. Optional filters are written `%(x)s = '' OR …`: Django binds on the client, so the
planner sees literals and folds away what is not asked for; there is no SQL put together from strings.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.db import connection


def rows(statement: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params or {})
        return cursor.fetchall()


def row(statement: str, params: Mapping[str, Any] | None = None) -> tuple[Any, ...] | None:
    """The first row, or None."""
    found = rows(statement, params)
    return found[0] if found else None


def from_json(value: str | None) -> Any:
    """A jsonb column: Django hands it over as text. None stays None."""
    return None if value is None else json.loads(value)
