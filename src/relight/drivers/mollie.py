"""Mollie: iDEAL and what else the account offers, on Mollie's page. Its webhook carries an id; we fetch the payment.

Settings: `api_key`; `webhook_url`, the public address of the partner's webhook; `method` ("ideal"; empty lets the
customer choose); `settlement_token`, an organisation's access token, to read settlements; `api_base` only to talk to
another host. Mollie writes sums as text with decimals.
A webhook without a signature proves nothing: what counts is what Mollie answers to our question. Every payment that we
create carries `metadata.relight`, so that the account may serve a shop besides.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from relight.drivers.message_settings import read_settings
from relight.drivers.payment_http import Api, Refused, decimal_of, lack, minor_of
from relight.flow.payments.port import (
    CannotReconcile,
    Checkout,
    Order,
    PaymentState,
    ProviderEvent,
    ProviderUnavailable,
    RefundOrder,
    WebhookRefused,
)

_REF = re.compile(r"tr_[A-Za-z0-9]{4,40}")
_NOT_FOUND, _GONE, _UNPROCESSABLE = 404, 410, 422
_PAGE = "250"
_LOCALES = {"nb": "nb_NO", "da": "da_DK", "nl": "nl_NL", "en": "en_GB", "de": "de_DE"}
_DESCRIPTION_MAX = 255


@dataclass(frozen=True, slots=True)
class MollieSettings:
    """See the module's first lines."""

    api_key: str
    webhook_url: str
    method: str = "ideal"
    settlement_token: str = ""
    api_base: str = "https://api.mollie.com"


class MollieProvider:
    """Takes payments through Mollie. See `PaymentProvider` for the contract."""

    form_targets = ("https://www.mollie.com", "https://*.mollie.com", "https://pay.ideal.nl")
    countries: frozenset[str] = frozenset()
    webhook_answer = ""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self.name = "mollie"
        self._settings = read_settings("mollie", MollieSettings, settings)
        self._api = Api("mollie", self._settings.api_base, _bearer(self._settings.api_key))
        self._settlements = Api("mollie", self._settings.api_base, _bearer(self._settings.settlement_token))
        is_ideal = self._settings.method == "ideal"
        self.labels: Mapping[str, str] = _IDEAL if is_ideal else _ANY
        self.currencies = frozenset({"EUR"}) if is_ideal else frozenset[str]()
        if is_ideal:
            self.countries = frozenset({"NL"})

    def create(self, order: Order) -> Checkout:
        """Start a payment on Mollie's page."""
        told = self._api.ask(
            "POST",
            "/v2/payments",
            headers={"Idempotency-Key": order.key},
            json={
                "amount": {"currency": order.currency, "value": decimal_of(order.amount)},
                "description": order.description[:_DESCRIPTION_MAX],
                "redirectUrl": order.return_url,
                "webhookUrl": self._settings.webhook_url,
                "locale": _LOCALES.get(order.language, "en_GB"),
                "metadata": {"relight": "payment", "order": order.key, "reference": order.reference},
                **({"method": self._settings.method} if self._settings.method else {}),
            },
        )
        try:
            url, expires = str(told["_links"]["checkout"]["href"]), told.get("expiresAt")
            return Checkout(str(told["id"]), url, datetime.fromisoformat(expires) if expires else None)
        except (KeyError, TypeError, ValueError) as wrong:
            raise ProviderUnavailable(f"mollie made a payment without {lack(wrong)}") from wrong

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[ProviderEvent]:
        """Fetch the payment that the webhook names. One that Mollie does not know is no webhook of Mollie's."""
        try:
            (ref,) = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=4)["id"]
        except (UnicodeDecodeError, KeyError, ValueError) as wrong:
            raise WebhookRefused("the body names no payment") from wrong
        if not _REF.fullmatch(ref):
            raise WebhookRefused("what the body names is no payment")
        try:
            return self.poll(ref, now)
        except Refused as refused:
            if refused.status in (_NOT_FOUND, _GONE):
                raise WebhookRefused("mollie knows no such payment") from refused
            raise

    def poll(self, provider_ref: str, now: datetime, handle: str = "") -> list[ProviderEvent]:
        """Fetch the payment."""
        if not _REF.fullmatch(provider_ref):
            raise ProviderUnavailable("mollie has no payments of that name")
        told = self._api.ask("GET", f"/v2/payments/{provider_ref}")
        try:
            return _payment_said(told, now) if _is_ours(told) else []
        except (KeyError, TypeError, ValueError) as wrong:
            raise ProviderUnavailable(f"mollie: the payment lacks {lack(wrong)}") from wrong

    def cancel(self, provider_ref: str, handle: str = "") -> bool:
        """Cancel an open payment; some ways to pay, iDEAL among them, cannot be cancelled: they end by themselves."""
        try:
            told = self._api.ask("DELETE", f"/v2/payments/{provider_ref}")
        except Refused as refused:
            if refused.status == _UNPROCESSABLE:
                return False
            raise
        return told.get("status") == "canceled"

    def refund(self, order: RefundOrder) -> str:
        """Give back of a paid payment."""
        told = self._api.ask(
            "POST",
            f"/v2/payments/{order.provider_ref}/refunds",
            headers={"Idempotency-Key": order.key},
            json={"amount": {"currency": order.currency, "value": decimal_of(order.amount)}},
        )
        return str(told.get("id", ""))

    def reconcile(self, day: date, now: datetime) -> list[ProviderEvent]:
        """What the settlements that were paid out on a day hold: payments, refunds, chargebacks."""
        if not self._settings.settlement_token:
            raise CannotReconcile("mollie: set settlement_token to read settlements")
        events: list[ProviderEvent] = []
        try:
            for settlement in self._paid_out_on(day):
                path = f"/v2/settlements/{settlement['id']}"
                events += [_settled(it, now) for it in self._pages(f"{path}/payments", "payments") if _is_ours(it)]
                events += [_went_back(it, now) for it in self._pages(f"{path}/refunds", "refunds")]
                events += [_went_back(it, now) for it in self._pages(f"{path}/chargebacks", "chargebacks")]
        except (KeyError, TypeError, ValueError) as wrong:
            raise ProviderUnavailable(f"mollie: a settlement lacks {lack(wrong)}") from wrong
        return events

    def _paid_out_on(self, day: date) -> Iterator[Mapping[str, Any]]:
        """Settlements come newest first; one that was paid out before the day ends the search."""
        for settlement in self._pages("/v2/settlements", "settlements"):
            paid_out = settlement.get("settledAt")
            at = datetime.fromisoformat(paid_out).date() if paid_out else None
            if at == day:
                yield settlement
            elif at is not None and at < day:
                return

    def _pages(self, path: str, name: str) -> Iterator[Mapping[str, Any]]:
        params: Mapping[str, str] | None = {"limit": _PAGE}
        while path:
            told = self._settlements.ask("GET", path, params=params)
            yield from told["_embedded"][name]
            after = ((told.get("_links") or {}).get("next") or {}).get("href", "")
            parts = urlsplit(after)
            # only the path: a link never leads our token to another host
            path, params = parts.path, {key: values[0] for key, values in parse_qs(parts.query).items()}


_IDEAL = {
    "nb": "Betal med iDEAL",
    "da": "Betal med iDEAL",
    "nl": "Betalen met iDEAL",
    "en": "Pay with iDEAL",
    "de": "Mit iDEAL zahlen",
}
_ANY = {
    "nb": "Betal på nett",
    "da": "Betal online",
    "nl": "Online betalen",
    "en": "Pay online",
    "de": "Online zahlen",
}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _is_ours(payment: Mapping[str, Any]) -> bool:
    marks = payment.get("metadata")
    return isinstance(marks, Mapping) and marks.get("relight") == "payment"


def _payment_said(told: Mapping[str, Any], now: datetime) -> list[ProviderEvent]:
    """A payment's state, and what went back of it: refunds and chargebacks are sums beside the state."""
    ref, status = str(told["id"]), str(told["status"])
    amount, currency = minor_of(told["amount"]["value"]), str(told["amount"]["currency"])
    events = []
    if status == "paid":
        at = datetime.fromisoformat(told["paidAt"]) if told.get("paidAt") else now
        events.append(ProviderEvent(f"{ref}:paid", ref, PaymentState.CONFIRMED, amount, currency, at))
    elif status in ("pending", "authorized"):
        events.append(ProviderEvent(f"{ref}:{status}", ref, PaymentState.AUTHORISED, amount, currency, now))
    elif status in ("failed", "canceled", "expired"):
        events.append(ProviderEvent(f"{ref}:{status}", ref, PaymentState.FAILED, amount, currency, now, status))
    for name in ("amountRefunded", "amountChargedBack"):
        back = minor_of(told[name]["value"]) if told.get(name) else 0
        if back:
            said = f"{ref}:{name}:{back}"
            events.append(ProviderEvent(said, ref, PaymentState.RETURNED, back, str(told[name]["currency"]), now))
    return events


def _settled(payment: Mapping[str, Any], now: datetime) -> ProviderEvent:
    ref, amount = str(payment["id"]), payment["amount"]
    at = datetime.fromisoformat(payment["paidAt"]) if payment.get("paidAt") else now
    minor, currency = minor_of(amount["value"]), str(amount["currency"])
    return ProviderEvent(f"settled:{ref}", ref, PaymentState.BOOKED, minor, currency, at)


def _went_back(thing: Mapping[str, Any], now: datetime) -> ProviderEvent:
    ref, amount = str(thing["paymentId"]), thing["amount"]
    minor, currency = abs(minor_of(amount["value"])), str(amount["currency"])
    return ProviderEvent(f"settled:{thing['id']}", ref, PaymentState.RETURNED, minor, currency, now)
