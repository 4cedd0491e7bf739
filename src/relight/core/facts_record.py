"""Facts for the record: a hash of every decision's facts, and the whole as plain data for cuts and refusals."""

import dataclasses
import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any, cast

from relight.core.facts import CaseFacts, PartnerFacts

_OWN_FIELDS = tuple(field.name for field in dataclasses.fields(CaseFacts) if field.name != "partner")


def digest(facts: CaseFacts, now: datetime) -> str:
    """SHA-256 over everything that the decision saw, the moment included; the calendar has a hash of its own."""
    own = tuple(_ordered(name, getattr(facts, name)) for name in _OWN_FIELDS)
    text = repr((now, own, _partner(facts.partner)))
    return hashlib.sha256(text.encode()).hexdigest()


def _ordered(name: str, value: Any) -> Any:
    """Sets and mappings in a fixed order: each process walks its sets in another one."""
    match name:
        case "flags":
            return sorted(value.items())
        case "reach":
            return sorted(value)
        case "approvals":
            return [(one.id, one.step, one.state, sorted(one.claims), one.decided_at) for one in value]
        case "handovers":
            return [_plain(one) for one in value]
        case _:
            return value


def as_data(facts: CaseFacts) -> dict[str, Any]:
    """The facts as JSON-ready data: moments and days in ISO 8601, amounts in minor units."""
    data = {name: _plain(getattr(facts, name)) for name in _OWN_FIELDS}
    data["partner"] = _plain(dict(_partner(facts.partner)))
    return data


def _partner(partner: PartnerFacts) -> tuple[tuple[str, Any], ...]:
    return (
        ("id", partner.id),
        ("country", partner.country),
        ("currency", partner.currency),
        ("zone", partner.zone.key),
        ("calendar", partner.calendar.hash),
        ("closed_dates", tuple(sorted(partner.closed_dates))),
        ("money_complete_until", partner.money_complete_until),
        ("money_stale_after_hours", partner.money_stale_after_hours),
        ("stopped", partner.stopped),
        ("shadow", partner.shadow),
        ("agencies", partner.agencies),
    )


def _plain(value: Any) -> Any:
    """Dataclasses, sets and moments as what JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, frozenset):
        return sorted(_plain(item) for item in cast("frozenset[Any]", value))
    if isinstance(value, tuple | list):
        return [_plain(item) for item in cast("tuple[Any, ...]", value)]
    return value
