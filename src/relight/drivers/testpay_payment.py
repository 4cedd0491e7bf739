"""A payment as the test provider keeps it, what it may become, and what a webhook says of it."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from relight.flow.payments.port import PaymentState, ProviderEvent, WebhookRefused

STATES = {
    "paid": PaymentState.CONFIRMED,
    "declined": PaymentState.FAILED,
    "cancelled": PaymentState.FAILED,
    "closed": PaymentState.FAILED,
    "refunded": PaymentState.RETURNED,
}
CHOICES = {"pay": "paid", "decline": "declined", "cancel": "cancelled", "refund": "refunded"}
# What a payment may become: a declined card may be tried again, money that came can only go back.
MAY_BECOME = {
    "ordered": {"paid", "declined", "cancelled", "closed"},
    "declined": {"paid", "declined", "cancelled", "closed"},
    "cancelled": {"paid", "closed"},
    "closed": set[str](),
    "paid": {"refunded"},
    "refunded": set[str](),
}


@dataclass(frozen=True, slots=True)
class HostedPayment:
    """A payment as the provider keeps it. Sums are in minor units; `state` as in `MAY_BECOME`.

    `refunds` are what went back of it, by the keys that asked for it.
    """

    ref: str
    amount: int
    currency: str
    description: str
    reference: str
    return_url: str
    language: str
    state: str
    at: str
    refunds: dict[str, int] = field(default_factory=dict)
    paid_at: str = ""

    @property
    def refunded(self) -> int:
        """What went back of it so far."""
        return sum(self.refunds.values())


def settled(payment: HostedPayment, day: date) -> list[ProviderEvent]:
    """What a payment adds to a day (UTC): that it was paid, and what went back."""
    events = []
    for state, at, amount in (
        (PaymentState.BOOKED, payment.paid_at, payment.amount),
        (PaymentState.RETURNED, payment.at, payment.refunded),
    ):
        if at and amount and datetime.fromisoformat(at).astimezone(UTC).date() == day:
            said = f"settled:{payment.ref}:{state}:{amount}"
            events.append(ProviderEvent(said, payment.ref, state, amount, payment.currency, datetime.fromisoformat(at)))
    return events


def body_of(payment: HostedPayment) -> bytes:
    """The webhook's body that tells of a payment."""
    state = "refunded" if payment.refunds else payment.state
    told = {
        "id": f"{payment.ref}-{state}" + (f"-{payment.refunded}" if payment.refunds else ""),
        "payment": payment.ref,
        "state": state,
        "amount": payment.refunded or payment.amount,
        "currency": payment.currency,
        "at": payment.at,
    }
    return json.dumps(told).encode()


def events_of(body: bytes) -> list[ProviderEvent]:
    """What a webhook's body says; raises `WebhookRefused`."""
    try:
        told = json.loads(body)
        state = STATES.get(told["state"])
        if state is None:
            return []
        return [
            ProviderEvent(
                event_id=str(told["id"]),
                provider_ref=str(told["payment"]),
                state=state,
                amount=int(told["amount"]),
                currency=str(told["currency"]),
                occurred_at=datetime.fromisoformat(told["at"]),
                reason=told["state"] if state is PaymentState.FAILED else "",
            )
        ]
    except (ValueError, KeyError, TypeError) as wrong:
        raise WebhookRefused(f"the body is not a test webhook: {type(wrong).__name__}") from wrong
