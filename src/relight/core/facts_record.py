"""Facts for the record: the whole as JSON, which cuts and refusals keep, and a hash of it for every decision."""

import dataclasses
import hashlib
from datetime import datetime
from operator import attrgetter
from typing import Any, cast

import orjson

from relight.core.facts import CaseFacts, PartnerFacts

_OWN_FIELDS = tuple(field.name for field in dataclasses.fields(CaseFacts) if field.name != "partner")
_own = attrgetter(*_OWN_FIELDS)


def as_json(facts: CaseFacts) -> str:
    """The facts as a JSON object: moments and days in ISO 8601, amounts in minor units. The same facts are the same
    text in every process: sets and mappings are in order."""
    data = dict(zip(_OWN_FIELDS, _own(facts), strict=True))
    data["flags"] = dict(sorted(facts.flags.items()))
    data["partner"] = _partner(facts.partner)
    return orjson.dumps(data, default=_plain).decode()


def digest(told: str, now: datetime) -> str:
    """SHA-256 over everything that the decision saw, as `as_json` tells it, the moment included."""
    return hashlib.sha256(f"{now.isoformat()} {told}".encode()).hexdigest()


def _partner(partner: PartnerFacts) -> dict[str, Any]:
    return {
        "id": partner.id,
        "country": partner.country,
        "currency": partner.currency,
        "zone": partner.zone.key,
        "calendar": partner.calendar.hash,
        "closed_dates": partner.closed_dates,
        "money_complete_until": partner.money_complete_until,
        "money_stale_after_hours": partner.money_stale_after_hours,
        "stopped": partner.stopped,
        "shadow": partner.shadow,
        "agencies": partner.agencies,
    }


def _plain(value: Any) -> Any:
    """What the encoder does not know as what it knows; records, moments, days and levels it walks by itself.

    Raises TypeError for anything else.
    """
    if isinstance(value, frozenset):
        return sorted(cast("frozenset[Any]", value))
    raise TypeError(f"{type(value).__name__} is no part of facts")
