"""Reads of the handover stage: which agency's driver a partner has set up, and what agencies have of a case."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

from relight.flow.database import Tx, statements
from relight.flow.handover.errors import UnableToFindAgency
from relight.flow.handover.port import HandoverDriver

SQL = statements(__package__, "queries.sql")
GROUP = "relight.drivers.handover"
_BUILT_MAX = 256
_ENDED = frozenset({"recalled", "refused", "uncollectable", "paid", "failed"})


@dataclass(frozen=True, slots=True)
class AtAgency:
    """Claims of a case that an agency has or had; `amount` and `received` (through the agency) in minor units."""

    id: int
    agency: str
    kind: str
    state: str
    agency_case: str
    ref: str
    placed_at: datetime | None
    ended_at: datetime | None
    wanted_back: str
    amount: int
    received: int
    words: int

    @property
    def is_open(self) -> bool:
        """Whether the agency has them, or may have them."""
        return self.state not in _ENDED

    @property
    def may_be_recalled(self) -> bool:
        """Whether a person can ask for them back."""
        return self.is_open and not self.wanted_back


def of_case(tx: Tx, case_id: int) -> tuple[AtAgency, ...]:
    """What agencies have or had of a case, newest first."""
    return tuple(AtAgency(*row) for row in tx.rows(SQL.of_case, {"case": case_id}))


def agency_driver(settings: Mapping[str, Any] | None, name: str) -> HandoverDriver:
    """The driver of a partner's agency. Raises `UnableToFindAgency`, or the driver's ValueError for bad settings."""
    if not settings or name not in settings:
        raise UnableToFindAgency(f"There is no agency {name!r} in the driver settings.")
    return _built(json.dumps(settings[name], sort_keys=True))


@lru_cache(maxsize=_BUILT_MAX)
def _built(settings: str) -> HandoverDriver:
    """One object for each settings; new settings make a new one."""
    told = json.loads(settings)
    kind = told.pop("driver", "")
    found = next(iter(entry_points(group=GROUP, name=kind)), None)
    if found is None:
        raise UnableToFindAgency(f"No handover driver {kind!r} is installed.")
    return found.load()(told)
