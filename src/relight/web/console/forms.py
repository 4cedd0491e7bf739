"""What people fill in before an act: read, checked, and given back with what was wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOLD_REASONS = (
    "says_paid", "promise", "plan", "dispute", "complaint", "debt_help", "municipality", "medical", "deceased",
    "wrong_person", "manual",
)  # fmt: skip
PROTECTIVE_REASONS = frozenset({"deceased", "medical", "complaint", "dispute"})
_CLAIM_REASONS = frozenset({"dispute"})
NOTE_MAX = 2000
_YEARS_MAX = timedelta(days=3660)
_REVIEW_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ShareForm:
    """A policy's share of a hundred new cases and its cap, as typed. `wrong` maps a field to a words key."""

    share: str
    cap: str
    wrong: Mapping[str, str]

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "ShareForm":
        """Read the fields."""
        share, cap = (given.get(name, "").strip() for name in ("share", "cap"))
        wrong = {}
        if not _is_whole(share, 3) or int(share) > 100:
            wrong["share"] = "policies.wrong_share"
        if cap and (not _is_whole(cap, 9) or not int(cap)):
            wrong["cap"] = "policies.wrong_cap"
        return cls(share, cap, wrong)

    @property
    def percent(self) -> int:
        """Of a hundred new cases."""
        return int(self.share)

    @property
    def limit(self) -> int | None:
        """How many may run at a time; None for as many as come."""
        return int(self.cap) if self.cap else None


@dataclass(frozen=True, slots=True)
class HoldForm:
    """A hold as typed: `until` is the last whole local day. `wrong` maps a field to a words key."""

    reason: str
    until: str
    claim: str
    protective: bool
    note: str
    wrong: Mapping[str, str]

    @classmethod
    def of(cls, given: Mapping[str, str], *, today: date, claims: frozenset[int]) -> "HoldForm":
        """Read the fields; `claims` are the ids that may be named."""
        reason, until, claim = (given.get(name, "").strip() for name in ("reason", "until", "claim"))
        wrong = {}
        if reason not in HOLD_REASONS:
            wrong["reason"] = "act.hold_wrong_reason"
        if until and not _is_to_come(until, today):
            wrong["until"] = "act.hold_wrong_date"
        if claim and (not claim.isdigit() or int(claim) not in claims):
            wrong["claim"] = "act.hold_needs_claim"
        if reason in _CLAIM_REASONS and not claim:
            wrong["claim"] = "act.hold_needs_claim"
        return cls(reason, until, claim, bool(given.get("protective")), note_of(given), wrong)

    @property
    def protects(self) -> bool:
        """Whether it does not end by itself: because that was ticked, or because the reason demands it."""
        return self.protective or self.reason in PROTECTIVE_REASONS

    def ends_at(self, zone: ZoneInfo) -> datetime | None:
        """The midnight after the last day; None for a hold that has no end of its own."""
        if not self.until or self.protects:
            return None
        following = date.fromisoformat(self.until) + timedelta(days=1)
        return datetime.combine(following, time(), zone)

    def review_date(self, today: date) -> date | None:
        """When a protecting hold becomes a task: the day that was typed, else in thirty days, so none is forgotten."""
        if not self.protects:
            return None
        return date.fromisoformat(self.until) if self.until else today + _REVIEW_AFTER


def note_of(given: Mapping[str, str]) -> str:
    """The note field: trimmed, and no longer than a timeline can bear."""
    return given.get("note", "").replace("\x00", "").strip()[:NOTE_MAX]


def _is_to_come(text: str, today: date) -> bool:
    try:
        return today <= date.fromisoformat(text) <= today + _YEARS_MAX
    except ValueError:
        return False


def _is_whole(text: str, digits_max: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= digits_max
