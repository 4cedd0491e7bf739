"""Every payment provider behind one face, for the suite that all of them pass: what the customer and the provider do,
and the webhooks that a provider would send of it, genuine, late, changed and forged."""

import base64
import hashlib
import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

from relight.drivers.adyen_notification import signature_of
from relight.drivers.testpay import TestProvider
from relight.drivers.vipps_signature import authorisation, content_hash
from relight.flow.payments.port import PaymentProvider, RefundOrder
from relight.flow.payments.providers import provider
from tests.counterparts.back_office import BackOffice, Kept
from tests.counterparts.localstripe import WEBHOOK_SECRET, LocalStripe

Webhook = tuple[dict[str, str], bytes]

ADYEN_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"  # of Adyen's published example
MIDNIGHT = "2020-01-01T00:00:00+00:00"
OLD = timedelta(minutes=6)
NOWHERE = "http://127.0.0.1:9"  # nobody listens on the discard port


class Till(ABC):
    """A provider and its counterpart. `signs`: webhooks are signed; `dates`: the signature tells their age."""

    name: ClassVar[str]
    signs: ClassVar[bool] = True
    dates: ClassVar[bool] = True
    settings: dict[str, Any]

    @property
    def provider(self) -> PaymentProvider:
        """The driver, as a partner with these settings has it."""
        return provider({self.name: self.settings}, self.name)

    @property
    def heeds_keys(self) -> PaymentProvider:
        """The driver at a counterpart that heeds idempotency keys."""
        return self.provider

    @property
    def settlements(self) -> PaymentProvider:
        """The driver at a counterpart that has settlements."""
        return self.provider

    @property
    def unreachable(self) -> dict[str, Any]:
        """Settings of the same provider, where nobody answers."""
        return {**self.settings, "api_base": NOWHERE}

    @abstractmethod
    def pays(self, ref: str) -> None:
        """The customer pays."""

    @abstractmethod
    def declines(self, ref: str) -> None:
        """The customer's bank says no."""

    @abstractmethod
    def becomes(self, ref: str, *, amount: int = 0, currency: str = "") -> None:
        """The payment turns out to be of another sum or currency than was asked for."""

    @abstractmethod
    def webhook(self, ref: str, *, what: str = "paid", at: datetime | None = None, amount: int = 0) -> Webhook:
        """What the provider sends: "paid", "declined", or "refunded" (of `amount`), signed at that moment."""

    @abstractmethod
    def settles(self, ref: str, day: date) -> None:
        """The payment is in the settlement of a day."""

    @abstractmethod
    def orders_taken(self) -> int:
        """How many payments the provider has."""

    def forged(self, ref: str) -> list[Webhook]:
        """What somebody who does not know the secret would send."""
        headers, body = self.webhook(ref)
        return [({}, body), ({name: _spoilt(value) for name, value in headers.items()}, body)]

    def changed(self, ref: str, amount: int) -> Webhook:
        """A genuine webhook whose sum was changed on the way."""
        headers, body = self.webhook(ref)
        return headers, body.replace(str(amount).encode(), b"1")


class TestpayTill(Till):
    """The test provider, which is its own counterpart."""

    name = "testpay"

    def __init__(self, folder: Path) -> None:
        self.settings = {"secret": "whsec-contract", "folder": str(folder)}

    @property
    def unreachable(self) -> dict[str, Any]:
        """A folder that nobody can make."""
        return {**self.settings, "folder": "/dev/null/nowhere"}

    @property
    def _own(self) -> TestProvider:
        return TestProvider(self.settings)

    def pays(self, ref: str) -> None:
        self._own.finish(ref, "pay")

    def declines(self, ref: str) -> None:
        self._own.finish(ref, "decline")

    def becomes(self, ref: str, *, amount: int = 0, currency: str = "") -> None:
        payment = self._own.payment(ref)
        self._own._keep(replace(payment, amount=amount or payment.amount, currency=currency or payment.currency))

    def webhook(self, ref: str, *, what: str = "paid", at: datetime | None = None, amount: int = 0) -> Webhook:
        clock = (lambda: at) if at else (lambda: datetime.now(UTC))
        told = TestProvider(self.settings, clock=clock)
        if what == "refunded" and told.payment(ref).refunded < amount:
            told.refund(RefundOrder(key="by-hand", provider_ref=ref, amount=amount, currency="NOK"))
        return told.webhook_of(told.payment(ref))

    def settles(self, ref: str, day: date) -> None:
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).isoformat()
        self._own._keep(replace(self._own.payment(ref), state="paid", paid_at=at))

    def orders_taken(self) -> int:
        return len(list(Path(self.settings["folder"]).glob("test_*.json")))


class StripeTill(Till):
    """Stripe: intents at localstripe, its balance behind Prism."""

    name = "stripe"

    def __init__(self, localstripe: LocalStripe, office: BackOffice, prism: str) -> None:
        self._there, self._office, self.prism = localstripe, office, prism
        self.settings = dict(localstripe.settings)
        self._other: dict[str, dict[str, Any]] = {}

    @property
    def settlements(self) -> PaymentProvider:
        """localstripe has no balance, and heeds no keys."""
        return provider({"stripe": {**self.settings, "api_base": self.prism}}, "stripe")

    heeds_keys = settlements

    def pays(self, ref: str) -> None:
        self._there.pay(ref)

    def declines(self, ref: str) -> None:
        self._there.decline(ref)

    def becomes(self, ref: str, *, amount: int = 0, currency: str = "") -> None:
        said = {**({"amount": amount, "amount_received": amount} if amount else {})}
        self._other[ref] = {**said, **({"currency": currency.lower()} if currency else {})}

    def webhook(self, ref: str, *, what: str = "paid", at: datetime | None = None, amount: int = 0) -> Webhook:
        found = self._there.intent(ref)
        ours = {"id": ref, "status": "succeeded", "amount": 100, "currency": "nok", "metadata": {"relight": "intent"}}
        thing = {**(found or ours), **self._other.get(ref, {})}
        kind = {"paid": "succeeded", "declined": "payment_failed"}.get(what, "")
        if what == "refunded":
            kind, thing = "", {"payment_intent": ref, "amount": amount, "amount_refunded": amount, "currency": "nok"}
        moment = int((at or datetime.now(UTC)).timestamp())
        event = {
            "id": f"evt_{ref}_{what}_{amount}",
            "type": f"payment_intent.{kind}" if kind else "charge.refunded",
            "created": moment,
            "data": {"object": thing},
        }
        body = json.dumps(event).encode()
        mac = hmac.new(WEBHOOK_SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return {"Stripe-Signature": f"t={moment},v1={mac}"}, body

    def settles(self, ref: str, day: date) -> None:
        intent = self._there.intent(ref) or {}
        source = {"payment_intent": ref, "amount": intent["amount"], "currency": intent["currency"]}
        created = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())
        self._office.reports["stripe"] = [
            {"id": f"txn_{ref}", "type": "charge", "created": created, "source": source},
            {"id": "txn_payout", "type": "payout", "created": created, "source": "po_1"},
        ]

    def orders_taken(self) -> int:
        return len(self._office.payments)


class OfficeTill(Till):
    """A provider whose payments the back office keeps."""

    def __init__(self, office: BackOffice, prism: str) -> None:
        self._office, self._prism = office, prism

    def kept(self, ref: str) -> Kept:
        """The payment that goes by this reference."""
        return next(one for one in self._office.payments.values() if one.ref == ref)

    def pays(self, ref: str) -> None:
        self.kept(ref).state = "paid"

    def declines(self, ref: str) -> None:
        self.kept(ref).state = "declined"

    def becomes(self, ref: str, *, amount: int = 0, currency: str = "") -> None:
        kept = self.kept(ref)
        kept.amount, kept.currency = amount or kept.amount, currency or kept.currency

    def orders_taken(self) -> int:
        return len(self._office.payments)

    def _known(self, ref: str) -> Kept:
        unknown = Kept(ref, 100, "NOK", {}, self._office.number(), "paid")
        return next((one for one in self._office.payments.values() if one.ref == ref), unknown)


class VippsTill(OfficeTill):
    """Vipps MobilePay: confirmed in the app; the driver captures."""

    name = "vipps"
    url = "https://betal.example/webhooks/nordlys/vipps"

    def __init__(self, office: BackOffice, prism: str) -> None:
        super().__init__(office, prism)
        self.settings = {
            "client_id": "id",
            "client_secret": "secret",
            "subscription_key": "key",
            "merchant_serial_number": "123456",
            "webhook_secret": "whsec-vipps",
            "webhook_url": self.url,
            "api_base": prism,
            "ledger_id": "302321",
        }

    def pays(self, ref: str) -> None:
        self.kept(ref).state = "authorised"

    def webhook(self, ref: str, *, what: str = "paid", at: datetime | None = None, amount: int = 0) -> Webhook:
        kept = self._known(ref)
        told_of = ref in self._office.payments
        names = {"paid": "AUTHORIZED" if told_of else "CAPTURED", "declined": "ABORTED", "refunded": "REFUNDED"}
        event = {
            "msn": "123456",
            "reference": ref,
            "pspReference": kept.psp,
            "name": names[what],
            "amount": {"currency": kept.currency, "value": amount or kept.amount},
            "timestamp": "2026-03-02T09:00:00.123Z",
            "success": True,
        }
        body = json.dumps(event).encode()
        moment = format_datetime((at or datetime.now(UTC)).astimezone(UTC), usegmt=True)
        signature = authorisation(secret="whsec-vipps", url=self.url, date=moment, body=body)
        return {"X-Ms-Date": moment, "X-Ms-Content-Sha256": content_hash(body), "Authorization": signature}, body

    def settles(self, ref: str, day: date) -> None:
        kept = self.kept(ref)
        line = {"ledgerDate": day.isoformat(), "time": f"{day}T10:00:00Z", "currency": kept.currency}
        items = [
            {**line, "pspReference": kept.psp, "entryType": "capture", "reference": ref, "amount": kept.amount},
            {**line, "pspReference": "fees", "entryType": "fees-retained", "amount": -250},
            {**line, "pspReference": "payout", "entryType": "payout-scheduled", "amount": -kept.amount + 250},
        ]
        self._office.reports[day.isoformat()] = {"items": items, "hasMore": False, "tryLater": False}


class MollieTill(OfficeTill):
    """Mollie: the webhook is an id, so what is forged can only make us ask."""

    name = "mollie"
    signs = dates = False

    def __init__(self, office: BackOffice, prism: str) -> None:
        super().__init__(office, prism)
        self.settings = {
            "api_key": "test_key",
            "webhook_url": "https://betal.example/webhooks/nordlys/mollie",
            "method": "",
            "settlement_token": "access_1",
            "api_base": prism,
        }

    def webhook(self, ref: str, *, what: str = "paid", at: datetime | None = None, amount: int = 0) -> Webhook:
        if what == "refunded" and amount > self.kept(ref).back:
            self.kept(ref).refunds.append(amount - self.kept(ref).back)
        return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode({"id": ref}).encode()

    def forged(self, ref: str) -> list[Webhook]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return [(headers, b"id=tr_nobodyhasit"), (headers, b"id=../settlements"), (headers, b"{}"), (headers, b"\xff")]

    def changed(self, ref: str, amount: int) -> Webhook:
        headers, body = self.webhook(ref)
        return headers, body + b"9"

    def settles(self, ref: str, day: date) -> None:
        kept = self.kept(ref)
        stl = f"stl_{day:%Y%m%d}"
        at = f"{day}T06:00:00+00:00"
        self._office.reports |= {
            "settlements": [{"id": "stl_open"}, {"id": stl, "settledAt": at}, {"id": "stl_old", "settledAt": MIDNIGHT}],
            f"settlements/{stl}/payments": [self._office._mollie_view(kept)],
            f"settlements/{stl}/refunds": [],
            f"settlements/{stl}/chargebacks": [],
        }


class AdyenTill(OfficeTill):
    """Adyen: one HMAC an item, of what money it tells; nothing signed tells its age."""

    name = "adyen"
    dates = False

    def __init__(self, office: BackOffice, prism: str) -> None:
        super().__init__(office, prism)
        self.settings = {
            "api_key": "key",
            "merchant_account": "NordlysNO",
            "hmac_key": ADYEN_KEY,
            "api_base": f"{prism}/v71",
            "report_user": "report",
            "report_password": "secret",
            "report_base": prism,
        }

    @property
    def unreachable(self) -> dict[str, Any]:
        return {**self.settings, "api_base": f"{NOWHERE}/v71"}

    def webhook(self, ref: str, *, what: str = "paid", at: datetime | None = None, amount: int = 0) -> Webhook:
        kept = self._known(ref)
        item: dict[str, Any] = {
            "amount": {"currency": kept.currency, "value": amount or kept.amount},
            "eventCode": "REFUND" if what == "refunded" else "AUTHORISATION",
            "eventDate": "2026-03-02T10:00:00+01:00",
            "merchantAccountCode": "NordlysNO",
            "merchantReference": ref,
            "originalReference": kept.psp if what == "refunded" else "",
            "pspReference": f"{kept.psp[:10]}R{amount:05d}" if what == "refunded" else kept.psp,
            "reason": "",
            "success": "false" if what == "declined" else "true",
        }
        item["additionalData"] = {"hmacSignature": signature_of(item, bytes.fromhex(ADYEN_KEY))}
        told: Mapping[str, Any] = {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
        return {"Content-Type": "application/json"}, json.dumps(told).encode()

    def forged(self, ref: str) -> list[Webhook]:
        headers, body = self.webhook(ref)
        told = json.loads(body)
        item = told["notificationItems"][0]["NotificationRequestItem"]
        item["additionalData"]["hmacSignature"] = base64.b64encode(b"x" * 32).decode()
        bare = {**item, "additionalData": {}}
        unsigned = {"notificationItems": [{"NotificationRequestItem": bare}]}
        return [(headers, json.dumps(told).encode()), (headers, json.dumps(unsigned).encode()), (headers, b"{}")]

    def settles(self, ref: str, day: date) -> None:
        kept = self.kept(ref)
        head = "Psp Reference,Merchant Reference,Booking Date,TimeZone,Main Currency,Main Amount,Record Type"
        sum_ = f"{kept.amount // 100}.{kept.amount % 100:02d}"
        rows = [
            f"{kept.psp},{ref},{day} 12:00:00,CET,{kept.currency},{sum_},{kind}" for kind in ("Authorised", "Settled")
        ]
        rows.append(f"{kept.psp},another shop's,{day} 12:00:00,CET,EUR,1.00,Settled")
        name = f"payments_accounting_report_{day:%Y_%m_%d}.csv"
        self._office.reports[name] = "\n".join([head, *rows]) + "\n"


def _spoilt(value: str) -> str:
    """The same length, another end."""
    return value[:-6] + "AAAAA="
