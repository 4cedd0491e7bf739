"""What the demo's command tells the demo's pages: one JSON file in the folder that `RELIGHT_DEMO` names.

The command replaces the file whole; it is read anew when it has changed. Nothing here asks the database: these pages
stand where customers and meters stand, outside.
"""

import json
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

FILE_NAME = "story.json"


@dataclass(frozen=True, slots=True)
class Supplied:
    """One service of a household. `key` is its device."""

    kind: str
    key: str
    product: str
    serial: str

    @property
    def has_meter(self) -> bool:
        """Whether it is power, with a meter and its button."""
        return self.kind.startswith("electricity")


@dataclass(frozen=True, slots=True)
class Household:
    """Who lives where, and what reaches them; `postal` is the address as letters have it."""

    ref: str
    name: str
    mobile: str
    email: str
    street: str
    place: str
    postal: str
    services: tuple[Supplied, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """How far the demo has come. `stands` are an evening's counts, `result` the whole story's (empty until its end)."""

    ready: bool
    seed: int
    days: int
    day_number: int
    day: date | None
    stands: tuple[int, ...]
    result: dict[str, Any]
    user: str
    password: str
    visitor: str
    zone: ZoneInfo
    people: tuple[Household, ...] = ()
    by_ref: dict[str, Household] = field(default_factory=dict[str, Household])
    by_key: dict[str, Household] = field(default_factory=dict[str, Household])


def folder() -> Path:
    """Where the demo keeps devices, messages and its story."""
    return Path(settings.DEMO_FOLDER)


def story() -> Story:
    """The story as it stands; raises FileNotFoundError before the command has begun to tell it."""
    path = folder() / FILE_NAME
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _read(path: Path, _: int) -> Story:
    told = json.loads(path.read_text("utf-8"))
    people = tuple(
        Household(**{**one, "services": tuple(Supplied(**service) for service in one["services"])})
        for one in told["people"]
    )
    return Story(
        ready=told["ready"],
        seed=told["seed"],
        days=told["days"],
        day_number=told["day_number"],
        day=date.fromisoformat(told["day"]) if told["day"] else None,
        stands=tuple(told["stands"]),
        result=told["result"],
        user=told["user"],
        password=told["password"],
        visitor=told["visitor"],
        zone=ZoneInfo(told["zone"]),
        people=people,
        by_ref={one.ref: one for one in people},
        by_key={service.key: one for one in people for service in one.services},
    )
