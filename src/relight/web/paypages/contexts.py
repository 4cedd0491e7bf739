"""What each page a customer meets needs to know. Addresses come from the caller; nothing here knows a path.

Money is in minor units of `currency` (ISO 4217); moments carry the partner's time zone.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from relight.flow.messages.context import Brand, ClaimItem, HelpContact


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What every page shares.

    `nonce` is the response's Content-Security-Policy nonce for the page's own style and script. `brand` is None only
    where a link told us nothing. `languages` are the other languages and the same page's address in each.
    """

    language: str
    country: str
    nonce: str
    brand: Brand | None = None
    service: str = "other"
    csrf_name: str = "csrfmiddlewaretoken"
    csrf_token: str = ""
    help: tuple[HelpContact, ...] = ()  # empty: the country's own
    languages: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """A way to pay: what the form sends as `way`, and what its button says (the provider's label)."""

    value: str
    label: str


class ServiceState(StrEnum):
    """What the customer has right now, as far as the page tells."""

    ON = "on"
    LIMITED = "limited"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class PlanPart:
    """A part of a plan: its day, its sum, and what is still owed of it."""

    due_date: date
    amount: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PayPage:
    """The sum and the ways to pay it. No name, no invoice, no history: those wait behind the second check.

    `pay_url` takes POST `way`; `not_me_url` takes POST; `more_time_url` (POST), `details_url` and `easier_url`
    (GET) may be empty. `part` is the next one of a plan, which is then asked for; `offers_plan`: one can be had.
    `collected` is what will be collected by a mandate, and when.
    """

    shell: Shell
    creditor: str
    amount: int
    currency: str
    reference: str
    account: str
    ways: tuple[Way, ...]
    pay_url: str
    not_me_url: str
    details_url: str = ""
    more_time_url: str = ""
    easier_url: str = ""
    offers_plan: bool = False
    part: PlanPart | None = None
    collected: tuple[date, int] | None = None
    pay_by: date | None = None
    state: ServiceState = ServiceState.ON


@dataclass(frozen=True, slots=True, kw_only=True)
class EasierPage:
    """What can be done when all at once is too much: parts, a later day, a call. Everything is seen before a yes.

    `options` are months to choose from with the sum of each part; `parts` the days and sums of those chosen (`months`),
    or of a plan that was agreed (`state`: "agreed", "running"; "" before). `chosen_url` (GET `months`) shows them,
    `agree_url` takes POST `months`. `earliest` to `latest` are the days that can be promised, to `promise_url` (POST
    `day`); `promised` the day that was. `gone` after a yes to what is no longer on offer, `wrong_day` after such a day.
    """

    shell: Shell
    currency: str
    amount: int
    pay_page_url: str
    state: str = ""
    options: tuple[tuple[int, int], ...] = ()
    months: int = 0
    parts: tuple[PlanPart, ...] = ()
    chosen_url: str = ""
    agree_url: str = ""
    earliest: date | None = None
    latest: date | None = None
    promised: date | None = None
    promise_url: str = ""
    more_time_url: str = ""
    gone: bool = False
    wrong_day: bool = False


class Question(StrEnum):
    """What the second check asks for; the form sends it as `answer`."""

    POSTCODE = "postcode"
    PHONE_LAST4 = "phone_last4"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyPage:
    """The second check. `verify_url` takes POST `answer`; `wrong` after a miss, `locked` after too many."""

    shell: Shell
    question: Question
    verify_url: str
    back_url: str
    wrong: bool = False
    locked: bool = False


class Happened(StrEnum):
    """What a line of the history says."""

    INVOICE_SENT = "invoice_sent"
    REMINDER_SENT = "reminder_sent"
    NOTICE_SENT = "notice_sent"
    LIMITED = "limited"
    DISCONNECTED = "disconnected"
    PAYMENT_RECEIVED = "payment_received"
    RESTORED = "restored"
    PLAN_AGREED = "plan_agreed"
    HOLD_BEGAN = "hold_began"


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One thing that happened; `amount` where money is part of it."""

    on: date
    what: Happened
    amount: int | None = None


class Next(StrEnum):
    """What happens next unless the customer pays. All but NOTHING need a date."""

    REMIND = "remind"
    NOTICE = "notice"
    LIMIT = "limit"
    DISCONNECT = "disconnect"
    HANDOVER = "handover"
    WAIT = "wait"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to come."""

    what: Next
    on: date | None = None


@dataclass(frozen=True, slots=True)
class InterestSlice:
    """Days with one sum and one rate, the first and the last included: how late interest comes about."""

    reference: str
    first: date
    last: date
    percent: Decimal
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailsPage:
    """After the second check: who, what for, what has happened, what comes."""

    shell: Shell
    name: str
    claims: tuple[ClaimItem, ...]
    total: int
    currency: str
    pay_page_url: str
    fees: int = 0
    interest: int = 0
    interest_slices: tuple[InterestSlice, ...] = ()
    service_address: str = ""
    history: tuple[HistoryItem, ...] = ()
    next_steps: tuple[NextStep, ...] = ()


class Stage(StrEnum):
    """Where a payment is on its way to light. Power ends at the meter's button: READY, then ONLINE."""

    WAITING = "waiting"  # the provider has not confirmed yet
    PAID = "paid"
    RESTORING = "restoring"
    READY = "ready"
    ONLINE = "online"
    SLOW = "slow"  # not back in the usual time: a person has been told
    SETTLED = "settled"  # paid, and nothing had been cut


# Nothing more will happen that the page could show.
FINAL_STAGES = frozenset({Stage.ONLINE, Stage.SETTLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPage:
    """Live after paying. `json_url` answers `status_json`; `self_url` is this page; `seconds` from paid to online."""

    shell: Shell
    stage: Stage
    json_url: str
    self_url: str
    receipt_url: str = ""
    seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptPage:
    """What was paid, when and how. `status_url` while a service is on its way back."""

    shell: Shell
    creditor: str
    amount_paid: int
    currency: str
    paid_at: datetime
    reference: str
    way: str = ""
    remaining: int = 0
    status_url: str = ""
    pay_page_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownLinkPage:
    """A link that we do not know, or that has expired; `reference` only where the link was genuine."""

    shell: Shell
    expired: bool = False
    reference: str = ""


class Hitch(StrEnum):
    """Why a payment did not go through."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    UNAVAILABLE = "unavailable"
    ON_ITS_WAY = "on_its_way"


@dataclass(frozen=True, slots=True, kw_only=True)
class TryAgainPage:
    """Nothing was taken, or a payment is under way already; the way back to the ways to pay.

    `go_on_url` is the page where the customer is paying, when there is one.
    """

    shell: Shell
    why: Hitch
    pay_page_url: str
    go_on_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimplePage:
    """The pages that only say something: not_me_done, more_time_done, nothing_due, error."""

    shell: Shell


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPayPage:
    """The built-in test provider's page, clearly a test. `submit_url` takes POST `outcome`: paid, failed, cancelled."""

    shell: Shell
    creditor: str
    amount: int
    currency: str
    reference: str
    submit_url: str


Page = (
    PayPage
    | EasierPage
    | VerifyPage
    | DetailsPage
    | StatusPage
    | ReceiptPage
    | UnknownLinkPage
    | TryAgainPage
    | SimplePage
    | TestPayPage
)
