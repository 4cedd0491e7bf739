"""Drafts and the record: what was done about a policy and by whom, and how far a content has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from relight.core.policy import Policy
from relight.flow.cases.people import Person
from relight.flow.database import Tx, statements

SQL = statements(__package__, "drafts.sql")
_SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class Stage:
    """A check or a what-if that this content passed: what it came to, by whom and when."""

    params: Mapping[str, Any]
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Stages:
    """How far a content has come under given packs; None where it has not."""

    checked: Stage | None = None
    simulated: Stage | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A content that was kept and never published. `packs` are those of the check and of the what-if, name to hash."""

    name: str
    hash: str
    text: str
    kept_at: datetime
    kept_by: str
    checked_at: datetime | None
    simulated_at: datetime | None
    checked_packs: Mapping[str, str] | None
    simulated_packs: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Act:
    """One entry of a policy's history."""

    id: int
    code: str
    hash: str
    version: int | None
    params: Mapping[str, Any]
    actor: str
    at: datetime


def keep_draft(tx: Tx, policy: Policy, text: str, *, by: Person, now: datetime) -> None:
    """Keep a policy's text; one with the same content is there already."""
    params = {"partner": tx.partner_id, "name": policy.name, "hash": policy.hash, "text": text}
    tx.run(SQL.keep, {**params, "now": now, "actor": by.name})


def put_on_record(
    tx: Tx,
    code: str,
    *,
    name: str,
    hash: str,
    by: Person,
    now: datetime,
    version: int | None = None,
    params: Mapping[str, Any] | None = None,
) -> int:
    """Put an act into a policy's history; its id."""
    return tx.value(
        SQL.put_down,
        {
            "partner": tx.partner_id,
            "name": name,
            "hash": hash,
            "version": version,
            "code": code,
            "params": Jsonb(dict(params or {})),
            "actor": by.name,
            "now": now,
        },
    )


def stages(tx: Tx, policy: Policy, packs: Mapping[str, str]) -> Stages:
    """How far this very content has come under these very packs."""
    asked = {"name": policy.name, "hash": policy.hash, "packs": Jsonb(dict(packs))}
    found = {row[0]: Stage(*row[1:]) for row in tx.rows(SQL.stages, asked)}
    return Stages(found.get("checked"), found.get("simulated"))


def drafts(tx: Tx) -> list[Draft]:
    """What was kept and is not published, newest first; at most fifty."""
    return [Draft(*row) for row in tx.rows(SQL.drafts, {"limit": _SHOWN_MAX})]


def acts(tx: Tx, name: str) -> list[Act]:
    """All that was done about a policy, newest first."""
    return [Act(*row) for row in tx.rows(SQL.acts, {"name": name})]
