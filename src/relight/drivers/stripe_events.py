"""What Stripe says of a session or an intent, as events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relight.flow.payments.port import PaymentState, ProviderEvent

_Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What an event is called: Stripe's id, or for an answer that we asked for one made of what it says."""

    event_id: str
    asked: bool = False

    def event(
        self, ref: str, state: PaymentState, amount: int, currency: str, at: datetime, reason: str = ""
    ) -> ProviderEvent:
        """An event of that name; an answer says the same each time."""
        name = f"{self.event_id}:{state}" if self.asked else self.event_id
        return ProviderEvent(name, ref, state, int(amount), str(currency).upper(), at, reason)


def polled(ref: str) -> Told:
    """The name of an answer that we asked for."""
    return Told(f"poll:{ref}", asked=True)


def is_ours(thing: _Object, mode: str) -> bool:
    """Whether an object was created by us, in this mode ("checkout" or "intent")."""
    return (thing.get("metadata") or {}).get("relight") == mode


def session_said(session: _Object, told: Told, at: datetime, *, failed: bool = False) -> list[ProviderEvent]:
    """A Checkout session's state. `failed`: the event says so, whatever the session does."""
    amount, currency = session["amount_total"], session["currency"]
    if session["payment_status"] == "paid":
        state, reason = PaymentState.CONFIRMED, ""
    elif failed or session["status"] == "expired":
        state, reason = PaymentState.FAILED, "expired" if session["status"] == "expired" else "declined"
    elif session["status"] == "complete":
        state, reason = PaymentState.AUTHORISED, ""  # a bank debit that takes days
    else:
        return []
    return [told.event(session["id"], state, amount, currency, at, reason)]


def intent_said(intent: _Object, told: Told, at: datetime, *, failed: bool = False) -> list[ProviderEvent]:
    """A PaymentIntent's state."""
    error = intent.get("last_payment_error") or {}
    if failed:
        state = PaymentState.FAILED
    elif intent["status"] == "succeeded":
        state = PaymentState.CONFIRMED
    elif intent["status"] == "processing":
        state = PaymentState.AUTHORISED
    elif intent["status"] == "canceled" or error:
        state = PaymentState.FAILED
    else:
        return []
    received = intent.get("amount_received") if state is PaymentState.CONFIRMED else None
    reason = str(error.get("code") or intent["status"]) if state is PaymentState.FAILED else ""
    return [told.event(intent["id"], state, received or intent["amount"], intent["currency"], at, reason)]
