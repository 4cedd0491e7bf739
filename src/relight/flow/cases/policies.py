"""Published policies: kept as text, compiled once a process, looked up by version."""

from datetime import datetime
from threading import Lock

from relight.core.findings import Findings
from relight.core.policy import Policy
from relight.core.policy_reader import read_policy
from relight.flow.cases.errors import UnableTo
from relight.flow.database import Tx, statements

SQL = statements(__package__, "policies.sql")


class UnusablePolicy(UnableTo):
    """The text has mistakes; nothing was published."""


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


def put_in_force(tx: Tx, policy: Policy, text: str, *, actor: str, now: datetime, priority: int = 0) -> int | None:
    """Lay a policy down for new cases; its version id, or None when this very text is in force already.

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
            "now": now,
            "actor": actor,
        },
    )
