"""Stripe: hosted Checkout by redirect, signed webhooks, and asking what became of a payment.

Settings: `api_key`, `webhook_secret`; `mode` is "checkout" (the customer pays on Stripe's own page) or "intent" (a
bare PaymentIntent, which something else confirms: a saved card, or localstripe, which has no Checkout); `api_base`
only to talk to another host than Stripe's. Money is in minor units, as Stripe counts them too.
Checkout payments are known by their session's id (`cs_…`), intents by their own (`pi_…`). Every object that we create
carries `metadata.relight`, so that a Stripe account may serve a shop beside Relight: what is not ours is left alone.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import stripe

from relight.drivers.message_settings import read_settings
from relight.flow.payments.port import (
    Checkout,
    Order,
    PaymentState,
    ProviderEvent,
    ProviderUnavailable,
    WebhookRefused,
)

AGE_MAX: Final = timedelta(minutes=5)
_TIMEOUT_SECONDS = 10
_RETRIES = 2
_LOCALES = {"nb": "nb", "da": "da", "nl": "nl", "en": "en-GB", "de": "de"}

_T = TypeVar("_T")
_Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StripeSettings:
    """See the module's first lines."""

    api_key: str
    webhook_secret: str
    mode: str = "checkout"
    api_base: str = ""

    def __post_init__(self) -> None:
        """Only two ways of asking for money are known."""
        if self.mode not in ("checkout", "intent"):
            raise ValueError(f'stripe: mode is "checkout" or "intent", not {self.mode!r}')


class StripeProvider:
    """Takes payments through Stripe. See `PaymentProvider` for the contract."""

    name = "stripe"
    labels: Mapping[str, str] = {
        "nb": "Betal med kort",
        "da": "Betal med kort",
        "nl": "Betalen met kaart",
        "en": "Pay by card",
        "de": "Mit Karte zahlen",
    }
    form_targets = ("https://checkout.stripe.com",)  # browsers check a form's redirect against the page's policy

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._settings = read_settings("stripe", StripeSettings, settings)
        self._api = stripe.StripeClient(
            self._settings.api_key,
            base_addresses={"api": self._settings.api_base} if self._settings.api_base else {},
            http_client=stripe.RequestsClient(timeout=_TIMEOUT_SECONDS),
            max_network_retries=_RETRIES,
        )

    def create(self, order: Order) -> Checkout:
        """Start a Checkout session, or in mode "intent" a PaymentIntent (its `redirect_url` is the return page)."""
        if self._settings.mode == "intent":
            intent = _asked(lambda: self._create_intent(order))
            return Checkout(provider_ref=intent.id, redirect_url=order.return_url)
        session = _asked(lambda: self._create_session(order))
        if not session.url:
            raise ProviderUnavailable("stripe made a session without an address")
        expires = datetime.fromtimestamp(session.expires_at, UTC) if session.expires_at else None
        return Checkout(provider_ref=session.id, redirect_url=session.url, expires_at=expires)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[ProviderEvent]:
        """Verify `Stripe-Signature` (HMAC-SHA-256 of "t.body", five minutes) and read one event."""
        event = self._verified({name.lower(): value for name, value in headers.items()}, body, now)
        try:
            return self._read(event)
        except (KeyError, TypeError, AttributeError) as wrong:
            raise WebhookRefused(f"the event lacks {wrong}") from wrong

    def poll(self, provider_ref: str, now: datetime) -> list[ProviderEvent]:
        """Retrieve the session or the intent."""
        if provider_ref.startswith("cs_"):
            session = _asked(lambda: self._api.v1.checkout.sessions.retrieve(provider_ref))
            return _session_said(session.to_dict(), _polled(provider_ref), now)
        intent = _asked(lambda: self._api.v1.payment_intents.retrieve(provider_ref))
        return _intent_said(intent.to_dict(), _polled(provider_ref), now)

    def _create_session(self, order: Order) -> stripe.checkout.Session:
        ours = {"relight": "checkout", "order": order.key, "reference": order.reference}
        price = {
            "currency": order.currency.lower(),
            "unit_amount": order.amount,
            "product_data": {"name": order.description},
        }
        params: Any = {
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": price}],
            "success_url": order.return_url,
            "cancel_url": f"{order.return_url}?cancelled=1",
            "client_reference_id": order.key,
            "locale": _LOCALES.get(order.language, "auto"),
            "metadata": ours,
            "payment_intent_data": {"metadata": ours, "description": order.description},
        }
        return self._api.v1.checkout.sessions.create(params=params, options={"idempotency_key": order.key})

    def _create_intent(self, order: Order) -> stripe.PaymentIntent:
        return self._api.v1.payment_intents.create(
            params={
                "amount": order.amount,
                "currency": order.currency.lower(),
                "metadata": {"relight": "intent", "order": order.key, "reference": order.reference},
            },
            options={"idempotency_key": order.key},
        )

    def _verified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> _Object:
        signature = headers.get("stripe-signature", "")
        try:
            # Without `tolerance`, which reads the host's clock: the age is measured against `now` below.
            stripe.WebhookSignature.verify_header(
                body.decode(), signature, self._settings.webhook_secret, tolerance=None
            )
            stamp = next(int(item[2:]) for item in signature.split(",") if item.startswith("t="))
            event = json.loads(body)
        except (stripe.SignatureVerificationError, ValueError, StopIteration) as wrong:
            raise WebhookRefused(f"not a webhook of this Stripe account: {type(wrong).__name__}") from wrong
        if abs(now.timestamp() - stamp) > AGE_MAX.total_seconds():
            raise WebhookRefused("the signature is too old")
        return event

    def _read(self, event: _Object) -> list[ProviderEvent]:
        kind, thing = str(event["type"]), event["data"]["object"]
        at = datetime.fromtimestamp(int(event["created"]), UTC)
        told = _Told(event["id"])
        if kind.startswith("checkout.session."):
            failed = kind == "checkout.session.async_payment_failed"
            return _session_said(thing, told, at, failed=failed) if _is_ours(thing, "checkout") else []
        if kind.startswith("payment_intent."):
            failed = kind == "payment_intent.payment_failed"
            return _intent_said(thing, told, at, failed=failed) if _is_ours(thing, "intent") else []
        if kind in ("charge.refunded", "charge.dispute.funds_withdrawn"):
            return self._returned(thing, told, at)
        return []

    def _returned(self, thing: _Object, told: "_Told", at: datetime) -> list[ProviderEvent]:
        """Money that went back names the intent only; ask Stripe whether it is ours, and under which id we know it."""
        intent_id = thing.get("payment_intent")
        intent = _asked(lambda: self._api.v1.payment_intents.retrieve(intent_id)).to_dict() if intent_id else {}
        ref = intent_id if _is_ours(intent, "intent") else ""
        if _is_ours(intent, "checkout"):
            found = _asked(lambda: self._api.v1.checkout.sessions.list(params={"payment_intent": str(intent_id)}))
            ref = found.data[0].id if found.data else ""
        amount = thing.get("amount_refunded") or thing["amount"]
        return [told.event(ref, PaymentState.RETURNED, amount, thing["currency"], at)] if ref else []


@dataclass(frozen=True, slots=True)
class _Told:
    """What an event is called: Stripe's id, or for an answer that we asked for one made of what it says."""

    event_id: str
    asked: bool = False

    def event(
        self, ref: str, state: PaymentState, amount: int, currency: str, at: datetime, reason: str = ""
    ) -> ProviderEvent:
        name = f"{self.event_id}:{state}" if self.asked else self.event_id
        return ProviderEvent(name, ref, state, int(amount), str(currency).upper(), at, reason)


def _polled(ref: str) -> _Told:
    return _Told(f"poll:{ref}", asked=True)


def _is_ours(thing: _Object, mode: str) -> bool:
    return (thing.get("metadata") or {}).get("relight") == mode


def _session_said(session: _Object, told: _Told, at: datetime, *, failed: bool = False) -> list[ProviderEvent]:
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


def _intent_said(intent: _Object, told: _Told, at: datetime, *, failed: bool = False) -> list[ProviderEvent]:
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


def _asked(question: Callable[[], _T]) -> _T:
    try:
        return question()
    except stripe.StripeError as error:
        raise ProviderUnavailable(f"stripe: {type(error).__name__} {error.code or ''}".strip()) from error
