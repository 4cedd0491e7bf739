"""Reads of the handover stage: which agency's driver a partner has set up."""

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

from relight.flow.database import statements
from relight.flow.handover.errors import UnableToFindAgency
from relight.flow.handover.port import HandoverDriver

SQL = statements(__package__, "queries.sql")
GROUP = "relight.drivers.handover"
_BUILT_MAX = 256


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
