"""The driver's side of payments: start a payment, understand a webhook, ask what became of one.

Synchronous: the web serves these within a request. Card data never reaches us: `create` answers an address of the
provider's own page. A provider never decides what a payment means; it says what the provider said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
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
    """An order that the provider has taken: its own id, and where the customer pays."""

    provider_ref: str
    redirect_url: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """One thing that a provider told us. `event_id` is unique for the provider; the same event twice has the same."""

    event_id: str
    provider_ref: str
    state: PaymentState
    amount: int
    currency: str
    occurred_at: datetime
    reason: str = ""


class PaymentProvider(Protocol):
    """One way to pay."""

    name: str
    labels: Mapping[str, str]  # what the button on the pay page says, by language code

    def create(self, order: Order) -> Checkout:
        """Start a payment; raises `ProviderUnavailable`."""
        ...

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[ProviderEvent]:
        """Verify and read a webhook; raises `WebhookRefused`. Unknown kinds of event give an empty list."""
        ...

    def poll(self, provider_ref: str, now: datetime) -> list[ProviderEvent]:
        """Ask what became of a payment; raises `ProviderUnavailable`."""
        ...


class ProviderUnavailable(Exception):
    """The provider did not answer or answered nonsense; nothing was started that we know of. Try again."""
