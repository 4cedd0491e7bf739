"""What the pay page and the webhooks read: one row each, as frozen data.

The statements run in one round trip after `BEGIN` (see `web/database.py`), which sets the partner and the moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from relight.core.plans.paid import Left, what_is_left
from relight.flow.cases.plans import LIVE, paid_of, part_of
from relight.flow.database import Tx, statements
from relight.flow.payments.providers import Settings
from relight.flow.payments.ways import Payer, Rules, WayToPay, ways_for

SQL = statements(__package__, "queries.sql")

CHECK_WINDOW = timedelta(hours=1)
MISSES_MAX = 5
HISTORY_MAX = 30

Question = tuple[str, Mapping[str, Any]]
"""A statement and its parameters."""


@dataclass(frozen=True, slots=True)
class PayFacts:
    """All that the first screen may know of a link's account, without a name or an invoice. Sums are in minor units."""

    partner_id: int
    slug: str
    country: str
    partner_language: str
    time_zone: str
    providers: Settings | None
    ways: Rules | None
    link_id: int
    case_id: int
    account_id: int
    expires_at: datetime
    revoked_at: datetime | None
    opened_at: datetime | None
    brand_name: str
    brand_site: str
    brand_phone: str
    brand_email: str
    brand_colour: str
    co_brand: str
    creditor: str
    bank_account: str
    account_ref: str
    currency: str
    language: str
    overdue: int
    total: int
    outside: int  # overdue, and no part of a plan
    reference: str | None
    due_date: date | None
    claims: int
    kinds: Sequence[str] | None
    levels: Sequence[str] | None
    plan_state: str | None
    plan_parts: Sequence[Sequence[Any]] | None
    plan_paid: Sequence[Sequence[Any]] | None
    collect_amount: int | None
    collect_date: date | None

    @property
    def amount(self) -> int:
        """What is asked for: in a plan its next part and what is overdue besides; else all that is owed."""
        return self.coming.amount + self.outside if self.coming else self.owed

    @property
    def owed(self) -> int:
        """What is overdue, fees included; before anything is, all that is open."""
        return self.overdue or self.total

    @property
    def in_plan(self) -> bool:
        """Whether a plan was agreed on and is not over."""
        return self.plan_state in LIVE

    @property
    def coming(self) -> Left | None:
        """The next part of the plan; None without one."""
        if not self.in_plan:
            return None
        parts, paid = map(part_of, self.plan_parts or ()), map(paid_of, self.plan_paid or ())
        return next((left for left in what_is_left(tuple(parts), tuple(paid)) if left.amount > 0), None)

    def ways_to_pay(self) -> list[WayToPay]:
        """The ways that fit this customer, in the partner's order."""
        payer = Payer(country=self.country, currency=self.currency, brand=self.brand_name)
        return ways_for(self.providers, self.ways, payer)

    def today(self, now: datetime) -> date:
        """The partner's day."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()

    def is_usable(self, now: datetime) -> bool:
        """Whether the link still opens the page."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class ServiceProgress:
    """A service that was blocked for arrears when the money came. `blocked`: a block of ours is still open."""

    kind: str
    desired: str
    observed: str
    blocked: bool
    observed_at: datetime | None
    gave_up: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """From the last checkout of a link to light. None where it has not come so far."""

    checkout_state: str | None
    provider: str | None
    amount: int | None
    currency: str | None
    created_at: datetime | None
    payment_state: str | None
    paid: int | None
    confirmed_at: datetime | None
    services: tuple[ServiceProgress, ...]
    somebody_knows: bool


@dataclass(frozen=True, slots=True)
class Check:
    """What the second check compares with."""

    postcodes: Sequence[str]
    phones: Sequence[str]
    misses: int

    @property
    def is_locked(self) -> bool:
        """Five wrong answers within the hour."""
        return self.misses >= MISSES_MAX


def begin(partner_id: int | None) -> Question:
    """The first statement of a round trip; answers the moment."""
    return SQL.begin, {"partner": str(partner_id or "")}


def page(link_id: int) -> Question:
    """The pay page's row; none when there is no such link."""
    return SQL.page, {"link": link_id}


def opened(link_id: int) -> Question:
    """Note that somebody has looked."""
    return SQL.opened, {"link": link_id}


def progress(link_id: int) -> Question:
    """The status page's row."""
    return SQL.progress, {"link": link_id}


def details(link_id: int) -> tuple[Question, Question, Question]:
    """Who, the open claims, and what has happened."""
    link = {"link": link_id}
    return (
        (SQL.details, link),
        (SQL.claims, link),
        (SQL.history, {**link, "templates": list(_TOLD), "limit": HISTORY_MAX}),
    )


# Messages that the history names; receipts and the like would only lengthen it.
_TOLD = ("friendly_reminder", "reminder", "disconnect_notice", "service_limited", "disconnected", "restored")


def progress_of(row: Mapping[str, Any]) -> Progress:
    """The status page's facts from its row."""
    services = tuple(_service(found) for found in row["services"])
    return Progress(**{**row, "services": services})


def check(tx: Tx, link_id: int, now: datetime) -> Check | None:
    """What the second check of a link compares with; None when there is no such link."""
    found = tx.row(SQL.check, {"link": link_id, "now": now, "window": CHECK_WINDOW})
    return Check(*found) if found else None


def facts(tx: Tx, link_id: int) -> tuple[PayFacts, datetime] | None:
    """The pay page's facts inside a transaction, and its moment; None when there is no such link."""
    _, now = tx.row(*begin(tx.partner_id or 0)) or ("", None)
    found = tx.connection.execute(SQL.page, {"link": link_id})
    names = [column.name for column in found.description or ()]
    row = found.fetchone()
    return (PayFacts(**dict(zip(names, row, strict=True))), now) if row else None


def _service(found: Mapping[str, Any]) -> ServiceProgress:
    at = found["observed_at"]
    return ServiceProgress(**{**found, "observed_at": datetime.fromisoformat(at) if at else None})
