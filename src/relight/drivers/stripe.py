"""Stripe: hosted Checkout by redirect, signed webhooks, and asking what became of a payment.

Settings: `api_key`, `webhook_secret`; `mode` is "checkout" (the customer pays on Stripe's own page) or "intent" (a
bare PaymentIntent, which something else confirms: a saved card, or localstripe, which has no Checkout); `api_base`
only to talk to another host than Stripe's. Money is in minor units, as Stripe counts them too.
Checkout payments are known by their session's id (`cs_…`), intents by their own (`pi_…`). Every object that we create
carries `metadata.relight`, so that a Stripe account may serve a shop beside Relight: what is not ours is left alone.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, Final, TypeVar

import stripe

from relight.drivers.message_settings import read_settings
from relight.drivers.payment_http import lack
from relight.drivers.stripe_events import Told, intent_said, is_ours, polled, session_said
from relight.flow.payments.port import (
    Checkout,
    Order,
    PaymentState,
    ProviderEvent,
    ProviderUnavailable,
    RefundOrder,
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

    labels: Mapping[str, str] = {
        "nb": "Betal med kort",
        "da": "Betal med kort",
        "nl": "Betalen met kaart",
        "en": "Pay by card",
        "de": "Mit Karte zahlen",
    }
    form_targets = ("https://checkout.stripe.com",)  # browsers check a form's redirect against the page's policy
    currencies: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    webhook_answer = ""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self.name = "stripe"
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
            raise WebhookRefused(f"the event lacks {lack(wrong)}") from wrong

    def poll(self, provider_ref: str, now: datetime, handle: str = "") -> list[ProviderEvent]:
        """Retrieve the session or the intent."""
        if provider_ref.startswith("cs_"):
            session = _asked(lambda: self._api.v1.checkout.sessions.retrieve(provider_ref))
            return session_said(session.to_dict(), polled(provider_ref), now)
        intent = _asked(lambda: self._api.v1.payment_intents.retrieve(provider_ref))
        return intent_said(intent.to_dict(), polled(provider_ref), now)

    def cancel(self, provider_ref: str, handle: str = "") -> bool:
        """Expire an open session, or cancel the intent; Stripe refuses for one that is paid or under way."""
        try:
            if provider_ref.startswith("cs_"):
                return _asked(lambda: self._api.v1.checkout.sessions.expire(provider_ref)).status == "expired"
            return _asked(lambda: self._api.v1.payment_intents.cancel(provider_ref)).status == "canceled"
        except ProviderUnavailable as refused:
            if isinstance(refused.__cause__, stripe.InvalidRequestError):
                return False
            raise

    def refund(self, order: RefundOrder) -> str:
        """Give back of a payment; sessions are refunded by the intent that they made."""
        intent = order.provider_ref
        if intent.startswith("cs_"):
            session = _asked(lambda: self._api.v1.checkout.sessions.retrieve(order.provider_ref)).to_dict()
            intent = str(session["payment_intent"] or "")
        params: Any = {"payment_intent": intent, "amount": order.amount}
        options: Any = {"idempotency_key": order.key}
        return _asked(lambda: self._api.v1.refunds.create(params=params, options=options)).id

    def reconcile(self, day: date, now: datetime) -> list[ProviderEvent]:
        """What changed the account's balance on a day (UTC): charges, refunds, disputes; ours alone."""
        return [event for line in self._balance_of(day) for event in self._settled(line)]

    def _balance_of(self, day: date) -> Iterator[_Object]:
        begins = int(datetime.combine(day, time(), UTC).timestamp())
        ends = int(datetime.combine(day + timedelta(days=1), time(), UTC).timestamp())
        after: dict[str, str] = {}
        while True:
            page: Any = {"created": {"gte": begins, "lt": ends}, "limit": 100, "expand": ["data.source"], **after}
            found = _asked(partial(self._api.v1.balance_transactions.list, params=page)).to_dict()
            yield from found["data"]
            if not found["has_more"] or not found["data"]:
                return
            after = {"starting_after": found["data"][-1]["id"]}

    def _settled(self, line: _Object) -> list[ProviderEvent]:
        source = line.get("source")
        if line["type"] not in ("charge", "payment", "refund", "payment_refund", "adjustment"):
            return []
        if not isinstance(source, Mapping) or not source.get("payment_intent"):
            return []
        came = line["type"] in ("charge", "payment")
        ref = self._ref_of(source["payment_intent"])
        state = PaymentState.BOOKED if came else PaymentState.RETURNED
        at = datetime.fromtimestamp(int(line["created"]), UTC)
        told = Told(f"settled:{line['id']}")
        return [told.event(ref, state, source["amount"], source["currency"], at)] if ref else []

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
        told = Told(event["id"])
        if kind.startswith("checkout.session."):
            failed = kind == "checkout.session.async_payment_failed"
            return session_said(thing, told, at, failed=failed) if is_ours(thing, "checkout") else []
        if kind.startswith("payment_intent."):
            failed = kind == "payment_intent.payment_failed"
            return intent_said(thing, told, at, failed=failed) if is_ours(thing, "intent") else []
        if kind in ("charge.refunded", "charge.dispute.funds_withdrawn"):
            return self._returned(thing, told, at)
        return []

    def _returned(self, thing: _Object, told: Told, at: datetime) -> list[ProviderEvent]:
        """Money that went back names the intent only; ask Stripe whether it is ours, and under which id we know it."""
        ref = self._ref_of(thing.get("payment_intent"))
        amount = thing.get("amount_refunded") or thing["amount"]
        return [told.event(ref, PaymentState.RETURNED, amount, thing["currency"], at)] if ref else []

    def _ref_of(self, intent_id: str | None) -> str:
        """Under which id we know an intent; empty where it is not ours."""
        intent = _asked(lambda: self._api.v1.payment_intents.retrieve(intent_id)).to_dict() if intent_id else {}
        if is_ours(intent, "checkout"):
            found = _asked(lambda: self._api.v1.checkout.sessions.list(params={"payment_intent": str(intent_id)}))
            return found.data[0].id if found.data else ""
        return str(intent_id) if is_ours(intent, "intent") else ""


def _asked(question: Callable[[], _T]) -> _T:
    try:
        return question()
    except stripe.StripeError as error:
        raise ProviderUnavailable(f"stripe: {type(error).__name__} {error.code or ''}".strip()) from error
