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
    cap: int | None
    published_at: datetime
    published_by: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version in the history of a policy; `cases` are those that run under it still."""

    id: int
    version: int
    hash: str
    text: str
    share: int
    cap: int | None
    priority: int
    published_at: datetime
    published_by: str
    retired_at: datetime | None
    cases: int


@dataclass(frozen=True, slots=True)
class Line:
    """A version in a list of several policies: for whom it is, and with which proof it was published."""

    name: str
    services: list[str]
    debtor: str
    proof: Mapping[str, Any]
    at: Version


@dataclass(frozen=True, slots=True)
class RolledOut:
    """How a version is rolled out: `share` of a hundred new cases, and at most `cap` running at a time, if any."""

    id: int
    version: int
    hash: str
    text: str
    share: int
    cap: int | None
    priority: int


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


def take_turn(tx: Tx, name: str) -> None:
    """Publish and share out one after the other at a partner, and hold a policy's versions until the commit."""
    tx.rows(SQL.take_turn, {"partner": tx.partner_id})
    tx.rows(SQL.lock_versions, {"name": name})


def is_in_force(tx: Tx, policy: Policy) -> bool:
    """Whether new cases get this very content already."""
    return tx.value(SQL.is_in_force, {"name": policy.name, "hash": policy.hash}) is not None


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
    cap: int | None = None,
) -> tuple[int, int] | None:
    """Lay a policy down for `share` of a hundred new cases; its (id, version), or None when this content is in force.

    Whether it may go live is asked before, in `road.publishing`.
    """
    row = tx.row(
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
            "cap": cap,
            "proof": Jsonb(dict(proof)),
            "now": now,
            "actor": actor,
        },
    )
    return (row[0], row[1]) if row else None


def rivals(tx: Tx, policy: Policy, *, priority: int) -> list[str]:
    """Names of other policies in force for some of the same customers, with the same priority."""
    params = {"name": policy.name, "services": sorted(policy.services), "debtor": policy.debtor, "priority": priority}
    return [row[0] for row in tx.rows(SQL.rivals, params)]


def newest(tx: Tx, name: str) -> RolledOut:
    """The newest version in force. Raises `UnableToFind`."""
    found = tx.row(SQL.newest, {"name": name})
    if found is None:
        raise UnableToFind(f"No policy {name!r} is in force. See which are: relight policy list")
    return RolledOut(*found)


def version_before(tx: Tx, name: str, version: int) -> tuple[RolledOut, bool] | None:
    """The version that new cases go back to when they do not get this one, and whether it is retired; None if none."""
    found = tx.row(SQL.before, {"name": name, "version": version})
    return (RolledOut(*found[:-1]), found[-1]) if found else None


def roll_out(tx: Tx, at: RolledOut, *, share: int, cap: int | None, now: datetime) -> None:
    """Set share and cap of a version; with a share of 0 it is retired."""
    tx.run(SQL.roll_out, {"id": at.id, "share": share, "cap": cap, "now": now})


def retire_older(tx: Tx, name: str, at: RolledOut, now: datetime) -> None:
    """No new case gets another version than this one."""
    tx.run(SQL.retire_older, {"id": at.id, "name": name, "now": now})


def take_up(tx: Tx, at: RolledOut) -> None:
    """Give new cases a version again that was retired."""
    tx.run(SQL.take_up, {"id": at.id})


def running(tx: Tx, version_id: int) -> int:
    """How many cases run under a version."""
    return tx.value(SQL.running, {"id": version_id})


def followed(tx: Tx, policy: Policy) -> int:
    """How many cases run, under whichever policy, of those that this policy is for."""
    return tx.value(SQL.followed, {"services": sorted(policy.services), "debtor": policy.debtor})


def in_force(tx: Tx, now: datetime) -> list[InForce]:
    """What new cases may get now, by name and version."""
    return [InForce(*row) for row in tx.rows(SQL.in_force, {"now": now})]


def lines(tx: Tx, name: str = "") -> list[Line]:
    """All versions of a policy, newest first; without a name, of every policy those that are in force, that cases run
    under, or that are its newest."""
    found = tx.rows(SQL.lines, {"name": name})
    return [Line(row[0], row[1], row[2], row[3], Version(*row[4:])) for row in found]


def versions(tx: Tx, name: str) -> list[Version]:
    """The history of a policy, newest first. Raises `UnableToFind` for a name that was never published."""
    found = [Version(*row) for row in tx.rows(SQL.versions, {"name": name})]
    if not found:
        raise UnableToFind(f"No policy {name!r} was ever published.")
    return found
