"""Published policies: kept as text, compiled once a process, looked up by version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from psycopg.types.json import Jsonb

from relight.core.findings import Findings
from relight.core.policy import Policy
from relight.core.policy_reader import read_policy
from relight.flow.cases.errors import UnableTo, UnableToFind
from relight.flow.database import Tx, statements

SQL = statements(__package__, "policies.sql")


class UnusablePolicy(UnableTo):
    """The text has mistakes; nothing was published."""


@dataclass(frozen=True, slots=True)
class InForce:
    """A version that new cases may get; `share` of a hundred of them."""

    name: str
    version: int
    hash: str
    services: list[str]
    debtor: str
    priority: int
    share: int
    published_at: datetime
    published_by: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version in the history of a policy; `cases` are those that run under it still."""

    version: int
    hash: str
    text: str
    share: int
    priority: int
    published_at: datetime
    published_by: str
    retired_at: datetime | None
    cases: int


class PolicyShelf:
    """Compiled policies by version id. A version never changes, so nothing here is ever stale."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[int, int], Policy] = {}
        self._lock = Lock()

    def get(self, tx: Tx, version_id: int) -> Policy:
        """The compiled policy of a version of this transaction's partner."""
        key = (tx.partner_id or 0, version_id)
        found = self._compiled.get(key)
        if found is None:
            text, _ = tx.row(SQL.by_id, {"id": version_id}) or ("", "")
            found = compile_policy(text)
            with self._lock:
                self._compiled[key] = found
        return found


def compile_policy(text: str) -> Policy:
    """Read a policy's text; raises `UnusablePolicy` with every finding."""
    read = read_policy(text)
    if isinstance(read, Findings):
        raise UnusablePolicy("The policy cannot be used:\n" + "\n".join(str(finding) for finding in read))
    return read


def put_in_force(
    tx: Tx,
    policy: Policy,
    text: str,
    *,
    actor: str,
    now: datetime,
    proof: Mapping[str, Any],
    priority: int = 0,
    share: int = 100,
) -> int | None:
    """Lay a policy down for `share` of a hundred new cases; its version id, or None when this very text is in force.

    Whether it may go live is asked before, in `road.publishing`.
    """
    return tx.value(
        SQL.publish,
        {
            "partner": tx.partner_id,
            "name": policy.name,
            "text": text,
            "hash": policy.hash,
            "services": sorted(policy.services),
            "debtor": policy.debtor,
            "priority": priority,
            "share": share,
            "proof": Jsonb(dict(proof)),
            "now": now,
            "actor": actor,
        },
    )


def rivals(tx: Tx, policy: Policy, *, priority: int, now: datetime) -> list[str]:
    """Names of other policies in force for some of the same customers, with the same priority."""
    params = {"name": policy.name, "services": sorted(policy.services), "debtor": policy.debtor, "priority": priority}
    return [row[0] for row in tx.rows(SQL.rivals, {**params, "now": now})]


def share_out(tx: Tx, name: str, share: int, *, now: datetime) -> int:
    """Give the newest version of a policy `share` of a hundred new cases; its number. At 100 older ones are retired.

    Running cases stay where they are. Raises `UnableToFind`.
    """
    found = tx.row(SQL.newest, {"name": name})
    if found is None:
        raise UnableToFind(f"No policy {name!r} is in force.")
    id_, version, _ = found
    tx.run(SQL.set_share, {"id": id_, "share": share})
    if share == 100:
        tx.run(SQL.retire_older, {"id": id_, "name": name, "now": now})
    return version


def in_force(tx: Tx, now: datetime) -> list[InForce]:
    """What new cases may get now, by name and version."""
    return [InForce(*row) for row in tx.rows(SQL.in_force, {"now": now})]


def versions(tx: Tx, name: str) -> list[Version]:
    """The history of a policy, newest first. Raises `UnableToFind` for a name that was never published."""
    found = [Version(*row) for row in tx.rows(SQL.versions, {"name": name})]
    if not found:
        raise UnableToFind(f"No policy {name!r} was ever published.")
    return found
