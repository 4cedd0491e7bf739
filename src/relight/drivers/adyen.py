"""Adyen (Checkout API 71): a payment link with Adyen's own page, signed notifications, and the daily accounting report.

Settings: `api_key`, `merchant_account`, `hmac_key` (hexadecimal, of the standard webhook) and `api_base` (the test
host, or the live one with the account's prefix); `methods` limits the ways to pay ("ideal,scheme"); `report_user` and
`report_password`, with `report_base`, to read settlements. Money is in minor units, as Adyen counts them too.
A payment is known by the reference that we give it, `rl-` and the order's key, which every notification signs. Links
and not sessions: a session can be asked about only with a word that the customer's browser holds. The account must
capture at once ("immediate").
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from relight.drivers.adyen_notification import PREFIX, read_notification
from relight.drivers.message_settings import read_settings
from relight.drivers.payment_http import Api, Refused, lack, minor_of
from relight.flow.payments.port import (
    CannotReconcile,
    Checkout,
    Order,
    PaymentState,
    ProviderEvent,
    ProviderUnavailable,
    RefundOrder,
)

_LOCALES = {"nb": "no-NO", "da": "da-DK", "nl": "nl-NL", "en": "en-GB", "de": "de-DE"}
_DESCRIPTION_MAX = 280
_NOT_FOUND, _UNPROCESSABLE = 404, 422
_IN_THE_REPORT: Final = {
    "Settled": PaymentState.BOOKED,
    "SettledExternally": PaymentState.BOOKED,
    "Refunded": PaymentState.RETURNED,
    "RefundedExternally": PaymentState.RETURNED,
    "Chargeback": PaymentState.RETURNED,
    "ChargebackExternally": PaymentState.RETURNED,
}


@dataclass(frozen=True, slots=True)
class AdyenSettings:
    """See the module's first lines."""

    api_key: str
    merchant_account: str
    hmac_key: str
    api_base: str
    methods: str = ""
    report_user: str = ""
    report_password: str = ""
    report_base: str = "https://ca-live.adyen.com"

    def __post_init__(self) -> None:
        """The key must be what Adyen shows: hexadecimal."""
        try:
            bytes.fromhex(self.hmac_key)
        except ValueError:
            raise ValueError("adyen: hmac_key is hexadecimal, as the Customer Area shows it") from None


class AdyenProvider:
    """Takes payments through Adyen. See `PaymentProvider` for the contract."""

    labels: Mapping[str, str] = {
        "nb": "Betal med kort eller annet",
        "da": "Betal med kort eller andet",
        "nl": "Betalen met kaart of anders",
        "en": "Pay by card or another way",
        "de": "Mit Karte oder anders zahlen",
    }
    form_targets = ("https://*.adyen.link", "https://*.adyen.com")
    currencies: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    webhook_answer = "[accepted]"

    def __init__(self, settings: Mapping[str, object]) -> None:
        self.name = "adyen"
        self._settings = read_settings("adyen", AdyenSettings, settings)
        self._key = bytes.fromhex(self._settings.hmac_key)
        self._api = Api("adyen", self._settings.api_base, {"X-API-Key": self._settings.api_key})
        credentials = (self._settings.report_user, self._settings.report_password)
        self._reports = Api("adyen", self._settings.report_base, basic=credentials)

    def create(self, order: Order) -> Checkout:
        """Make a payment link that can be paid once."""
        ref = PREFIX + order.key
        methods = [name.strip() for name in self._settings.methods.split(",") if name.strip()]
        told = self._api.ask(
            "POST",
            "paymentLinks",
            headers={"Idempotency-Key": order.key},
            json={
                "amount": {"currency": order.currency, "value": order.amount},
                "merchantAccount": self._settings.merchant_account,
                "reference": ref,
                "description": order.description[:_DESCRIPTION_MAX],
                "returnUrl": order.return_url,
                "shopperLocale": _LOCALES.get(order.language, "en-GB"),
                "metadata": {"relight": "link", "reference": order.reference[:80]},
                **({"allowedPaymentMethods": methods} if methods else {}),
            },
        )
        try:
            expires = told.get("expiresAt")
            until = datetime.fromisoformat(expires) if expires else None
            return Checkout(ref, str(told["url"]), until, handle=str(told["id"]))
        except (KeyError, TypeError, ValueError) as wrong:
            raise ProviderUnavailable(f"adyen made a link without {lack(wrong)}") from wrong

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[ProviderEvent]:
        """Verify every item's HMAC and read them. Nothing signed tells the age: an old one was told before."""
        return read_notification(body, key=self._key, merchant_account=self._settings.merchant_account)

    def poll(self, provider_ref: str, now: datetime, handle: str = "") -> list[ProviderEvent]:
        """Ask for the link, by its own id."""
        told = self._api.ask("GET", f"paymentLinks/{_named(handle)}")
        try:
            return _link_said(told, now) if told["reference"] == provider_ref else []
        except (KeyError, TypeError, ValueError) as wrong:
            raise ProviderUnavailable(f"adyen: the link lacks {lack(wrong)}") from wrong

    def cancel(self, provider_ref: str, handle: str = "") -> bool:
        """Let the link expire at once; one that was paid, or is being paid, cannot."""
        try:
            told = self._api.ask("PATCH", f"paymentLinks/{_named(handle)}", json={"status": "expired"})
        except Refused as refused:
            if refused.status == _UNPROCESSABLE:
                return False
            raise
        return told.get("status") == "expired"

    def refund(self, order: RefundOrder) -> str:
        """Give back of a payment, which Adyen knows by the number that its notification told."""
        if not order.operation:
            raise ProviderUnavailable("adyen has not told its number of this payment yet")
        told = self._api.ask(
            "POST",
            f"payments/{order.operation}/refunds",
            headers={"Idempotency-Key": order.key},
            json={
                "amount": {"currency": order.currency, "value": order.amount},
                "merchantAccount": self._settings.merchant_account,
                "reference": order.provider_ref,
            },
        )
        return str(told.get("pspReference", ""))

    def reconcile(self, day: date, now: datetime) -> list[ProviderEvent]:
        """The day's payment accounting report: what was settled, refunded, charged back."""
        if not self._settings.report_user:
            raise CannotReconcile("adyen: set report_user and report_password to read settlements")
        name = f"payments_accounting_report_{day:%Y_%m_%d}.csv"
        path = f"/reports/download/MerchantAccount/{self._settings.merchant_account}/{name}"
        try:
            text = self._reports.text("GET", path)
        except Refused as refused:
            if refused.status == _NOT_FOUND:
                raise ProviderUnavailable(f"adyen: there is no report of {day} yet") from refused
            raise
        rows = csv.DictReader(io.StringIO(text))
        try:
            return [event for row in rows for event in _row_said(row)]
        except (KeyError, TypeError, ValueError) as wrong:
            raise ProviderUnavailable(f"adyen: a row of the report lacks {lack(wrong)}") from wrong


def _named(handle: str) -> str:
    if not handle.isalnum():
        raise ProviderUnavailable("adyen has no links of that name")
    return handle


def _link_said(told: Mapping[str, Any], now: datetime) -> list[ProviderEvent]:
    ref, status = str(told["reference"]), str(told["status"])
    states = {
        "completed": PaymentState.CONFIRMED,
        "paid": PaymentState.CONFIRMED,
        "paymentPending": PaymentState.AUTHORISED,
        "expired": PaymentState.FAILED,
    }
    state = states.get(status)
    if state is None:
        return []
    amount, currency = int(told["amount"]["value"]), str(told["amount"]["currency"])
    reason = status if state is PaymentState.FAILED else ""
    return [ProviderEvent(f"poll:{ref}:{state}", ref, state, amount, currency, now, reason)]


def _row_said(row: Mapping[str, str]) -> list[ProviderEvent]:
    ref, kind, psp = row["Merchant Reference"], row["Record Type"], row["Psp Reference"]
    state = _IN_THE_REPORT.get(kind)
    if state is None or not ref.startswith(PREFIX):
        return []
    # The report writes its zone's name beside the moment; the day is all that is used of it.
    at = datetime.fromisoformat(row["Booking Date"]).replace(tzinfo=UTC)
    amount = abs(minor_of(row["Main Amount"]))
    said = f"settled:{psp}:{kind}:{amount}"
    return [ProviderEvent(said, ref, state, amount, row["Main Currency"], at, "", psp)]
