"""Vipps MobilePay (ePayment API): the customer confirms in the app, we capture at once, a webhook tells.

Settings: `client_id`, `client_secret`, `subscription_key`, `merchant_serial_number`; `webhook_secret` and
`webhook_url`, as they were registered there (host and path are part of what is signed); `api_base` for the test
environment; `ledger_id` to read settlements. Money is in minor units, as Vipps counts them too.
A payment is known by the reference that we give it, `rl-` and the order's key: references without it are other sales.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import Any, Final

from relight.drivers.message_settings import read_settings
from relight.drivers.payment_http import Api, Refused, lack
from relight.drivers.vipps_signature import verified
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

PREFIX: Final = "rl-"
_PAYMENTS = "/epayment/v1/payments"
_UNAUTHORISED, _CONFLICT = 401, 409
_DESCRIPTION_MIN, _DESCRIPTION_MAX = 3, 100
_ENDED = frozenset({"ABORTED", "EXPIRED", "TERMINATED", "CANCELLED"})
_WENT_BACK = frozenset({"refund", "retained-disputed-capture"})


@dataclass(frozen=True, slots=True)
class VippsSettings:
    """See the module's first lines."""

    client_id: str
    client_secret: str
    subscription_key: str
    merchant_serial_number: str
    webhook_secret: str
    webhook_url: str
    api_base: str = "https://api.vipps.no"
    ledger_id: str = ""


class VippsProvider:
    """Takes payments through Vipps MobilePay. See `PaymentProvider` for the contract."""

    labels: Mapping[str, str] = {
        "nb": "Betal med Vipps",
        "da": "Betal med MobilePay",
        "nl": "Betalen met Vipps MobilePay",
        "en": "Pay with Vipps MobilePay",
        "de": "Mit Vipps MobilePay zahlen",
    }
    form_targets = ("https://*.vipps.no", "https://*.mobilepay.dk", "https://*.vippsmobilepay.com")
    currencies = frozenset({"NOK", "DKK", "EUR"})
    countries = frozenset({"NO", "DK", "FI"})
    webhook_answer = ""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self.name = "vipps"
        self._settings = read_settings("vipps", VippsSettings, settings)
        self._api = Api(
            "vipps",
            self._settings.api_base,
            {
                "Ocp-Apim-Subscription-Key": self._settings.subscription_key,
                "Merchant-Serial-Number": self._settings.merchant_serial_number,
                "Vipps-System-Name": "relight",
                "Vipps-System-Version": version("relight"),
                "Vipps-System-Plugin-Name": "relight-payments",
                "Vipps-System-Plugin-Version": version("relight"),
            },
        )
        self._token = ""

    def create(self, order: Order) -> Checkout:
        """Start a payment that the customer confirms in the app, by way of a page of Vipps MobilePay's."""
        ref = PREFIX + order.key
        told = self._ask(
            "POST",
            _PAYMENTS,
            key=order.key,
            json={
                "amount": {"currency": order.currency, "value": order.amount},
                "paymentMethod": {"type": "WALLET"},
                "customerInteraction": "CUSTOMER_NOT_PRESENT",
                "userFlow": "WEB_REDIRECT",
                "reference": ref,
                "returnUrl": order.return_url,
                "paymentDescription": order.description[:_DESCRIPTION_MAX].ljust(_DESCRIPTION_MIN, "."),
                "metadata": {"reference": order.reference},
            },
        )
        url = told.get("redirectUrl")
        if not url:
            raise ProviderUnavailable("vipps made a payment without an address")
        return Checkout(provider_ref=ref, redirect_url=str(url))

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[ProviderEvent]:
        """Verify the HMAC of address, date, host and body (five minutes), and read one event.

        A payment that the customer has confirmed is captured here, before the webhook is answered.
        """
        told = verified(headers, body, now, secret=self._settings.webhook_secret, url=self._settings.webhook_url)
        try:
            return self._read(told)
        except (KeyError, TypeError, ValueError) as wrong:
            raise WebhookRefused(f"the event lacks {lack(wrong)}") from wrong

    def poll(self, provider_ref: str, now: datetime, handle: str = "") -> list[ProviderEvent]:
        """Ask for the payment; one that is confirmed and not captured yet is captured."""
        told = self._ask("GET", f"{_PAYMENTS}/{provider_ref}")
        try:
            if told["state"] == "AUTHORIZED" and _may_capture(told["aggregate"]):
                told = self._captured(provider_ref, told["aggregate"]["authorizedAmount"])
            return _payment_said(told, provider_ref, now)
        except (KeyError, TypeError, ValueError) as wrong:
            raise ProviderUnavailable(f"vipps: the payment lacks {lack(wrong)}") from wrong

    def cancel(self, provider_ref: str, handle: str = "") -> bool:
        """End a payment that nobody has confirmed; Vipps refuses to end another (`cancelTransactionOnly`)."""
        try:
            told = self._ask(
                "POST",
                f"{_PAYMENTS}/{provider_ref}/cancel",
                key=f"{provider_ref}-end",
                json={"cancelTransactionOnly": True},
            )
        except Refused as refused:
            if refused.status == _CONFLICT:
                return False
            raise
        return str(told.get("state")) in _ENDED

    def refund(self, order: RefundOrder) -> str:
        """Give back of what was captured."""
        amount = {"currency": order.currency, "value": order.amount}
        path = f"{_PAYMENTS}/{order.provider_ref}/refund"
        return str(self._ask("POST", path, key=order.key, json={"modificationAmount": amount}).get("pspReference", ""))

    def reconcile(self, day: date, now: datetime) -> list[ProviderEvent]:
        """The ledger's funds of one day: captures, refunds, and what was kept for disputes."""
        if not self._settings.ledger_id:
            raise CannotReconcile("vipps: set ledger_id to read settlements")
        path = f"/report/v2/ledgers/{self._settings.ledger_id}/funds/dates/{day.isoformat()}"
        events: list[ProviderEvent] = []
        cursor = ""
        while True:
            told = self._ask("GET", path, params={"cursor": cursor} if cursor else None)
            if _is_true(told.get("tryLater")):
                raise ProviderUnavailable(f"vipps: {day} is not complete yet")
            try:
                events += [event for item in told["items"] for event in _item_said(item)]
            except (KeyError, TypeError, ValueError) as wrong:
                raise ProviderUnavailable(f"vipps: a line of the report lacks {lack(wrong)}") from wrong
            if not _is_true(told.get("hasMore")) or told.get("cursor", "") == cursor:
                return events
            cursor = str(told["cursor"])

    def _read(self, told: Mapping[str, Any]) -> list[ProviderEvent]:
        ref = str(told["reference"])
        if not ref.startswith(PREFIX) or not told["success"]:
            return []
        name, psp, at = str(told["name"]), str(told["pspReference"]), datetime.fromisoformat(told["timestamp"])
        amount, currency = int(told["amount"]["value"]), str(told["amount"]["currency"])
        if name == "AUTHORIZED":
            self._capture(ref, told["amount"])
            state = PaymentState.CONFIRMED
        elif name == "CAPTURED":
            state = PaymentState.CONFIRMED
        elif name == "REFUNDED":
            state = PaymentState.RETURNED
        elif name in _ENDED:
            state = PaymentState.FAILED
        else:
            return []
        reason = name.lower() if state is PaymentState.FAILED else ""
        return [ProviderEvent(f"{name}:{ref}:{psp}", ref, state, amount, currency, at, reason, psp)]

    def _captured(self, ref: str, amount: Mapping[str, Any]) -> dict[str, Any]:
        self._capture(ref, amount)
        return self._ask("GET", f"{_PAYMENTS}/{ref}")

    def _capture(self, ref: str, amount: Mapping[str, Any]) -> None:
        """Take what was confirmed. The key makes a second webhook of it harmless."""
        path = f"{_PAYMENTS}/{ref}/capture"
        self._ask("POST", path, key=f"{ref}-take", json={"modificationAmount": dict(amount)})

    def _ask(
        self,
        method: str,
        path: str,
        *,
        key: str = "",
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Ask with an access token; one that has run out is fetched anew, once."""
        fresh = not self._token
        headers = {"Authorization": self._authorised(renew=fresh), **({"Idempotency-Key": key} if key else {})}
        try:
            return self._api.ask(method, path, json=json, params=params, headers=headers)
        except Refused as refused:
            if fresh or refused.status != _UNAUTHORISED:
                raise
        headers["Authorization"] = self._authorised(renew=True)
        return self._api.ask(method, path, json=json, params=params, headers=headers)

    def _authorised(self, *, renew: bool) -> str:
        if renew:
            ours = {"client_id": self._settings.client_id, "client_secret": self._settings.client_secret}
            told = self._api.ask("POST", "/accesstoken/get", headers=ours)
            if not told.get("access_token"):
                raise ProviderUnavailable("vipps gave no access token")
            self._token = str(told["access_token"])
        return f"Bearer {self._token}"


def _may_capture(aggregate: Mapping[str, Any]) -> bool:
    taken = int(aggregate["capturedAmount"]["value"]) + int(aggregate["cancelledAmount"]["value"])
    return int(aggregate["authorizedAmount"]["value"]) > 0 and not taken


def _payment_said(told: Mapping[str, Any], ref: str, now: datetime) -> list[ProviderEvent]:
    captured, refunded = told["aggregate"]["capturedAmount"], told["aggregate"]["refundedAmount"]
    psp = str(told["pspReference"])
    events = []
    if int(captured["value"]):
        events.append((PaymentState.CONFIRMED, captured, ""))
    if int(refunded["value"]):
        events.append((PaymentState.RETURNED, refunded, ""))
    if not events and told["state"] in _ENDED:
        events.append((PaymentState.FAILED, told["amount"], str(told["state"]).lower()))
    return [
        ProviderEvent(
            f"poll:{ref}:{state}:{sum_['value']}", ref, state, int(sum_["value"]), str(sum_["currency"]), now, why, psp
        )
        for state, sum_, why in events
    ]


def _item_said(item: Mapping[str, Any]) -> list[ProviderEvent]:
    ref, kind, psp = str(item.get("reference") or ""), str(item["entryType"]), str(item.get("pspReference") or "")
    if not ref.startswith(PREFIX) or not (kind == "capture" or kind in _WENT_BACK):
        return []
    state = PaymentState.BOOKED if kind == "capture" else PaymentState.RETURNED
    at = datetime.fromisoformat(str(item["time"]))
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    amount = abs(int(item["amount"]))
    return [ProviderEvent(f"settled:{kind}:{psp}", ref, state, amount, str(item["currency"]), at, "", psp)]


def _is_true(word: object) -> bool:
    return word is True or str(word).lower() == "true"
