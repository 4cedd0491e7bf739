"""What a message may know: the facts of one case that words are made from, before a word is chosen.

Everything here is data from the case and the partner's brand. Money is in minor units of `currency` (ISO 4217).
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

LANGUAGES = ("nb", "da", "nl", "en", "de")

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"']+")


class WrongContext(ValueError):
    """The facts for a message or a page contradict each other, or one that is needed is missing."""


class Tone(StrEnum):
    """How a request sounds. There is nothing harder than firm, and firm is never unkind."""

    WARM = "warm"
    PLAIN = "plain"
    FIRM = "firm"


class TermUnit(StrEnum):
    """Legal units stay legal units: one month is not thirty days."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


@dataclass(frozen=True)
class Brand:
    """Whose name, colours and telephone the customer meets.

    `site` is the partner's own domain as one would say it ("fjordnett.no"); `colour` is `#rrggbb`; `logo_url` is for
    pages (a path or https address), `logo_svg` the same mark for letters. `co_brand` is a second name shown beside.
    """

    name: str
    site: str
    phone: str
    email: str = ""
    colour: str = "#0b4f6c"
    address: tuple[str, ...] = ()
    co_brand: str = ""
    logo_url: str = ""
    logo_svg: str = ""

    def __post_init__(self) -> None:
        """Colour and logo go into style sheets and links: refuse whatever is not one."""
        if not _COLOUR.fullmatch(self.colour):
            raise WrongContext(f"brand colour {self.colour!r}: write it as #rrggbb, for example #0b4f6c")
        if self.logo_url and not self.logo_url.startswith(("/", "https://")):
            raise WrongContext(f"brand logo_url {self.logo_url!r}: start it with / or https://")

    @cached_property
    def site_url(self) -> str:
        """The partner's site as a link."""
        return self.site if self.site.startswith(("https://", "http://")) else f"https://{self.site}"

    @cached_property
    def phone_url(self) -> str:
        """The partner's telephone as a link."""
        return phone_link(self.phone)


@dataclass(frozen=True, slots=True)
class HelpContact:
    """Someone other than the creditor who can help. `social_service` marks the municipality's own; `short` is its
    name in a text message."""

    name: str
    short: str = ""
    phone: str = ""
    site: str = ""
    social_service: bool = False

    @property
    def site_url(self) -> str:
        """The site as a link, or nothing."""
        return f"https://{self.site}" if self.site else ""

    @property
    def phone_url(self) -> str:
        """The telephone as a link, or nothing."""
        return phone_link(self.phone) if self.phone else ""


@dataclass(frozen=True, slots=True)
class ClaimItem:
    """One claim as the customer knows it: the invoice's number, its due date, what is still open."""

    reference: str
    due_date: date
    amount: int


@dataclass(frozen=True, slots=True)
class Term:
    """The term that a notice gives, in the unit that the law or the policy names."""

    count: int
    unit: TermUnit


@dataclass(frozen=True, slots=True)
class Interest:
    """Interest for late payment that runs on the claims: percent a year, and since when."""

    percent: Decimal
    since: date


@dataclass(frozen=True, slots=True)
class Draw:
    """What is drawn from the customer's account by a mandate: the day, each bill with its sum, and the names by which
    the bank shows it. `again`: an earlier try came to nothing."""

    day: date
    bills: tuple[tuple[str, int], ...]
    mandate: str
    creditor_id: str = ""
    again: bool = False


@dataclass(frozen=True)
class MessageContext:
    """The facts for one message to one customer.

    `amount_due` is the exact sum owed now; `claims`, fees and interest must add up to it. `reference` is what the
    bank matches on (KID, FIK, kenmerk, RF). `first_name` is used in e-mail and letters only. `recipient` are postal
    lines, letters only. `amount_paid` is for receipts. `dated` is the day the message is sent. `collection_cost` is
    what comes on top once the term of a fourteen-day letter has passed, `security` what is demanded for bills to come,
    `plan_months` the shortest and the longest plan that is offered. `plan_parts` are the days and sums of a plan that
    was agreed (`amount_due` is then its next part), `missed` the part that did not come. `draw` is what will be
    drawn from the customer's account, or (in `collection_failed`) what could not be. `consumer` is false for companies.
    """

    language: str
    country: str
    brand: Brand
    creditor: str
    dated: date
    amount_due: int
    currency: str
    reference: str
    account: str
    pay_url: str
    service: str
    tone: Tone = Tone.PLAIN
    pay_by: date | None = None
    term: Term | None = None
    cut_date: date | None = None
    amount_paid: int | None = None
    collection_cost: int | None = None
    security: int | None = None
    plan_months: tuple[int, int] | None = None
    plan_parts: tuple[tuple[date, int], ...] = ()
    missed: tuple[date, int] | None = None
    draw: Draw | None = None
    interest: Interest | None = None
    consumer: bool = True
    claims: tuple[ClaimItem, ...] = ()
    fees: int = 0
    late_interest: int = 0
    help: tuple[HelpContact, ...] = ()  # empty: the country's own, from help.yaml
    first_name: str = ""
    service_address: str = ""
    recipient: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """A message with a wrong sum or a broken link is worse than none."""
        if self.language not in LANGUAGES:
            raise WrongContext(f"language {self.language!r}: one of {', '.join(LANGUAGES)}")
        if not _WEB_ADDRESS.fullmatch(self.pay_url):
            raise WrongContext("pay_url: must be one http(s) address without spaces or quotes")
        listed = sum(claim.amount for claim in self.claims) + self.fees + self.late_interest
        if self.claims and listed != self.amount_due:
            raise WrongContext(f"claims, fees and interest add up to {listed}, but amount_due is {self.amount_due}")
        if self.pay_by and self.pay_by < self.dated:
            raise WrongContext(f"pay_by {self.pay_by} lies before the message's own date {self.dated}")


def phone_link(phone: str) -> str:
    """A `tel:` address (RFC 3966) of a number as people write it."""
    return "tel:" + re.sub(r"[^\d+]", "", phone)
