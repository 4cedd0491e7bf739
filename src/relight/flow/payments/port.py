"""The driver's side of payments: start one, end one, understand a webhook, ask what became of it, give money back.

Synchronous: the web serves these within a request. Card data never reaches us: `create` answers an address of the
provider's own page. A provider never decides what a payment means; it says what the provider said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol


class PaymentState(StrEnum):
    """Where a payment stands. CONFIRMED restores; BOOKED is in the bank; RETURNED takes it back."""

    ORDERED = "ordered"
    AUTHORISED = "authorised"
    CONFIRMED = "confirmed"
    BOOKED = "booked"
    FAILED = "failed"
    RETURNED = "returned"


REFUND_FAILED = "refund_failed"
"""The `reason` of a FAILED event that is about a refund: the money stayed with us after all."""


class WebhookRefused(Exception):
    """The request is not a genuine webhook: signature, age or form is wrong. Answer 400, keep nothing."""


@dataclass(frozen=True, slots=True)
class Order:
    """What we ask a provider to collect. `key` makes a repeated `create` harmless; money is in minor units."""

    key: str
    amount: int
    currency: str
    description: str
    reference: str
    return_url: str
    language: str = "nb"


@dataclass(frozen=True, slots=True)
class Checkout:
    """An order that the provider has taken: the id that its events carry, and where the customer pays.

    `handle` is what the provider calls its page, where that is another name than the events'.
    """

    provider_ref: str
    redirect_url: str
    expires_at: datetime | None = None
    handle: str = ""


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """One thing that a provider told us. `event_id` is unique for the provider; the same event twice has the same.

    `operation` is the provider's own number of the money's movement, where a refund must name it.
    """

    event_id: str
    provider_ref: str
    state: PaymentState
    amount: int
    currency: str
    occurred_at: datetime
    reason: str = ""
    operation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """Money to give back of one payment, in minor units. `key` makes asking twice harmless."""

    key: str
    provider_ref: str
    amount: int
    currency: str
    operation: str = ""


class PaymentProvider(Protocol):
    """One way to pay.

    `name` is what the partner's settings call it. Where `currencies` or `countries` are given, others are not served.
    `webhook_answer` is what it wants to read when its webhook was taken; empty where any 200 will do.
    """

    name: str
    labels: Mapping[str, str]  # what the button on the pay page says, by language code
    currencies: frozenset[str]
    countries: frozenset[str]
    webhook_answer: str

    def create(self, order: Order) -> Checkout:
        """Start a payment; raises `ProviderUnavailable`."""
        ...

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[ProviderEvent]:
        """Verify and read a webhook; raises `WebhookRefused`. Unknown kinds of event give an empty list."""
        ...

    def poll(self, provider_ref: str, now: datetime, handle: str = "") -> list[ProviderEvent]:
        """Ask what became of a payment; raises `ProviderUnavailable`. Nothing while the customer has not answered."""
        ...

    def cancel(self, provider_ref: str, handle: str = "") -> bool:
        """See to it that an open payment cannot be paid any more; False when it still can, or has been.

        Raises `ProviderUnavailable`.
        """
        ...

    def refund(self, order: RefundOrder) -> str:
        """Give money back; the provider's number of the refund. Its event tells when it is done.

        Raises `ProviderUnavailable`.
        """
        ...

    def reconcile(self, day: date, now: datetime) -> list[ProviderEvent]:
        """What the provider settled on a day of its own: payments BOOKED, and RETURNED what went back, before fees.

        Raises `ProviderUnavailable`, also while the day is not complete, and `CannotReconcile`.
        """
        ...


class ProviderUnavailable(Exception):
    """The provider did not answer or answered nonsense; nothing was started that we know of. Try again."""


class CannotReconcile(Exception):
    """The provider's settlements cannot be read with these settings; the text names what is missing."""
