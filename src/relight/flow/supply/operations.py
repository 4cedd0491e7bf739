"""What was seen of a service: facts for the next turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relight.flow.database import Tx, statements
from relight.flow.supply.port import Target

SQL = statements(__package__, "operations.sql")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A service that is ready and waits for its button, since the command of that generation."""

    service_id: int
    account_id: int
    driver: str
    generation: int
    target: Target


def target(
    kind: str, address: Mapping[str, Any], profile: str, serial: str | None, device: Mapping[str, Any] | None
) -> Target:
    """A service as its driver knows it: the device's address under the service's own."""
    return Target(kind=kind, address={**(device or {}), **address}, serial=serial or "", profile=profile)


def observe(tx: Tx, service_id: int, level: str, proof: str, now: datetime) -> None:
    """Keep what a read-back saw."""
    tx.run(SQL.observe, {"service": service_id, "level": level, "proof": proof, "now": now})


def forget(tx: Tx, service_id: int, now: datetime) -> None:
    """What was seen may no longer be so."""
    tx.run(SQL.forget, {"service": service_id, "now": now})


def looked(tx: Tx, one: Waiting, level: str, proof: str, now: datetime) -> bool:
    """Keep what a look saw; whether that counts: not where another command was sent since it began."""
    seen = {"service": one.service_id, "generation": one.generation, "level": level, "proof": proof, "now": now}
    return tx.run(SQL.looked, seen) == 1


def looked_in_vain(tx: Tx, service_id: int, now: datetime) -> None:
    """A service that waits for its button could not be read: others are looked at before it is again."""
    tx.run(SQL.looked_in_vain, {"service": service_id, "now": now})


def waiting_for_button(tx: Tx, *, before: datetime, now: datetime, limit: int, patient: bool = False) -> list[Waiting]:
    """Services that wait for their button and were not looked at since `before`; `patient`: the longer one waits the
    less often, down to once a minute."""
    rows = tx.rows(SQL.waiting_for_button, {"before": before, "now": now, "limit": limit, "patient": patient})
    return [
        Waiting(service_id, account_id, driver, generation, target(kind, address, profile, serial, device))
        for service_id, account_id, driver, generation, kind, address, profile, serial, device in rows
    ]
