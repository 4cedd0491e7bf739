"""Pauses: days on which a case was on hold do not count. What was to come then comes as much later."""

from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo

from relight.core.plans.facts import PauseFacts
from relight.core.windows import local_date


def later(day: date, since: date, pauses: Iterable[PauseFacts], claim_id: int, zone: ZoneInfo) -> date:
    """The day on which a wait from `since` to `day` is over, without the days of the pauses within it.

    A pause that began while the wait ran makes it longer by its days from then on; two at a time count once.
    """
    counted = since
    for begins, ends in _periods(pauses, claim_id, zone):
        if max(begins, counted) < min(day, ends):
            day += ends - max(begins, counted)
            counted = ends
    return day


def _periods(pauses: Iterable[PauseFacts], claim_id: int, zone: ZoneInfo) -> list[tuple[date, date]]:
    """The local days of what paused a claim, half-open, in order."""
    return sorted(
        [
            (local_date(one.starts_at, zone), local_date(one.ends_at, zone))
            for one in pauses
            if one.claim_id in (None, claim_id)
        ]
    )
