"""The desk: who sits at the console in this request, at which partner, with which rights, and what time it is."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from relight.flow.partners.rights import may


@dataclass(frozen=True, slots=True)
class Workplace:
    """A partner that the user belongs to."""

    partner_id: int
    name: str
    role: str
    country: str
    currency: str
    language: str
    time_zone: str
    mode: str
    stopped_at: datetime | None
    money_stale_after_hours: int

    @property
    def zone(self) -> ZoneInfo:
        """Where the partner's clock hangs."""
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True, slots=True)
class Desk:
    """One signed-in request. `partner` is None for a user who belongs to no partner: then no rows are visible."""

    user_id: int
    user_name: str
    actor: str
    now: datetime
    language: str
    partner: Workplace | None
    others: tuple[Workplace, ...]
    everything_stopped_at: datetime | None

    def may(self, act: str) -> bool:
        """Whether the user's role at this partner allows an act: hold, note, task, approve, void or policy."""
        return self.partner is not None and may(self.partner.role, act)

    @property
    def at(self) -> Workplace:
        """The partner, where a page needs one; `signed_in` has seen to it."""
        assert self.partner is not None
        return self.partner
