"""Tasks: work that the road gives to people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from relight.flow.database import Tx, statements

SQL = statements(__package__, "tasks.sql")


def add_task(
    tx: Tx,
    *,
    case_id: int | None,
    account_id: int,
    code: str,
    due_at: datetime,
    dedup: str,
    now: datetime,
    params: Mapping[str, Any] | None = None,
    urgent: bool = False,
) -> None:
    """Work for a person; nothing new while one with the same `dedup` is open."""
    tx.run(
        SQL.add_task,
        {
            "case": case_id,
            "account": account_id,
            "code": code,
            "due_at": due_at,
            "dedup": dedup,
            "now": now,
            "params": Jsonb(dict(params or {})),
            "urgent": urgent,
        },
    )
