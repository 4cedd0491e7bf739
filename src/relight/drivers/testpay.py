"""The built-in test provider: a payment service of its own in small, with hosted card page and signed webhooks.

No money moves and no card is asked for. It keeps its payments in its own folder, not in Relight's database, and tells
what became of them the way that outside providers do: a webhook over HTTP, signed, tried again when not answered.
Settings: `secret` (signs webhooks) and `folder` (one file a payment; shared by web and worker); `webhook_url` only
when webhooks go elsewhere than to the site that shows the card page.
"""

import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import httpx

from relight.drivers.message_settings import read_settings
from relight.drivers.testpay_payment import CHOICES, MAY_BECOME, HostedPayment, body_of, events_of, settled
from relight.flow.payments.port import (
    Checkout,
    Order,
    ProviderEvent,
    ProviderUnavailable,
    RefundOrder,
    WebhookRefused,
)

SIGNATURE_HEADER: Final = "Relight-Test-Signature"
AGE_MAX: Final = timedelta(minutes=5)
TRIES: Final = 3

_REF = re.compile(r"test_[0-9a-f]{32}")
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_TIMEOUT_SECONDS = 10.0
_log = logging.getLogger(__name__)


class UnknownHostedPayment(LookupError):
    """There is no such payment at the test provider."""


@dataclass(frozen=True, slots=True)
class Settings:
    """See the module's first lines."""

    secret: str
    folder: str
    webhook_url: str = ""


class TestProvider:
    """Takes test payments. See `PaymentProvider` for the contract; `payment`, `finish` and `deliver` serve its page."""

    __test__ = False  # for pytest, which would take any Test… that a test imports for one of its own
    labels: Mapping[str, str] = {
        "nb": "Testbetaling",
        "da": "Testbetaling",
        "nl": "Testbetaling",
        "en": "Test payment",
        "de": "Testzahlung",
    }
    currencies: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    webhook_answer = ""

    def __init__(
        self, settings: Mapping[str, object], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.name = "testpay"
        self._settings = read_settings("testpay", Settings, settings)
        self._folder = Path(self._settings.folder)
        self._clock = clock

    @property
    def webhook_url(self) -> str:
        """Where webhooks go, or nothing: to the site that shows the card page."""
        return self._settings.webhook_url

    def create(self, order: Order) -> Checkout:
        """Take an order; the same key again is the same payment. Its card page lies beside `order.return_url`."""
        ref = "test_" + hmac.digest(self._settings.secret.encode(), order.key.encode(), hashlib.sha256).hex()[:32]
        if not self._path(ref).exists():
            self._keep(
                HostedPayment(
                    ref=ref,
                    amount=order.amount,
                    currency=order.currency,
                    description=order.description,
                    reference=order.reference,
                    return_url=order.return_url,
                    language=order.language,
                    state="ordered",
                    at=self._clock().isoformat(),
                )
            )
        return Checkout(provider_ref=ref, redirect_url=urljoin(order.return_url, f"testpay/{ref}"))

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[ProviderEvent]:
        """Verify `t=<unix seconds>,v1=<HMAC-SHA-256 of "t.sha256(body)">`, not older than five minutes, and read it."""
        given = {name.lower(): value for name, value in headers.items()}.get(SIGNATURE_HEADER.lower(), "")
        found = _SIGNATURE.fullmatch(given)
        if found is None:
            raise WebhookRefused(f"{SIGNATURE_HEADER} is missing or has another form")
        stamp = int(found[1])
        if not hmac.compare_digest(found[2], self._signature(stamp, body)):
            raise WebhookRefused("the signature is not of this body")
        if abs(int(now.timestamp()) - stamp) > AGE_MAX.total_seconds():
            raise WebhookRefused("the signature is too old")
        return events_of(body)

    def poll(self, provider_ref: str, now: datetime, handle: str = "") -> list[ProviderEvent]:
        """What became of a payment; nothing while the customer has not answered."""
        payment = self._known(provider_ref)
        return [] if payment.state == "ordered" else events_of(body_of(payment))

    def cancel(self, provider_ref: str, handle: str = "") -> bool:
        """Close the card page, unless it was paid."""
        payment = self._known(provider_ref)
        if "closed" not in MAY_BECOME[payment.state]:
            return payment.state == "closed"
        self._keep(replace(payment, state="closed", at=self._clock().isoformat()))
        return True

    def refund(self, order: RefundOrder) -> str:
        """Give back of a paid payment; the same key again is the same refund."""
        payment = self._known(order.provider_ref)
        if order.key in payment.refunds:
            return f"{payment.ref}-{order.key}"
        left = payment.amount - payment.refunded
        if payment.state != "paid" or order.currency != payment.currency or not 0 < order.amount <= left:
            raise ProviderUnavailable("the test provider cannot give that back")
        state = "refunded" if order.amount == left else "paid"
        refunds = {**payment.refunds, order.key: order.amount}
        self._keep(replace(payment, state=state, refunds=refunds, at=self._clock().isoformat()))
        return f"{payment.ref}-{order.key}"

    def reconcile(self, day: date, now: datetime) -> list[ProviderEvent]:
        """What was paid, and what was last given back, on a day (UTC)."""
        found = [self.payment(path.stem) for path in sorted(self._folder.glob("test_*.json"))]
        return [event for payment in found for event in settled(payment, day)]

    def _known(self, ref: str) -> HostedPayment:
        try:
            return self.payment(ref)
        except UnknownHostedPayment as unknown:
            raise ProviderUnavailable("the test provider does not know this payment") from unknown
        except OSError as wrong:
            raise ProviderUnavailable(f"the test provider cannot read in {self._folder}") from wrong

    def payment(self, ref: str) -> HostedPayment:
        """A payment by its reference; raises `UnknownHostedPayment`."""
        if not _REF.fullmatch(ref):
            raise UnknownHostedPayment(ref)
        try:
            return HostedPayment(**json.loads(self._path(ref).read_text("utf-8")))
        except FileNotFoundError:
            raise UnknownHostedPayment(ref) from None

    def finish(self, ref: str, choice: str) -> HostedPayment:
        """The customer's answer: pay, decline, cancel (or a refund). One that comes too late changes nothing."""
        payment = self.payment(ref)
        state = CHOICES[choice]
        if state not in MAY_BECOME[payment.state]:
            return payment
        at = self._clock().isoformat()
        finished = replace(payment, state=state, at=at, paid_at=at if state == "paid" else payment.paid_at)
        if state == "refunded":
            finished = replace(finished, refunds={**payment.refunds, "whole": payment.amount - payment.refunded})
        self._keep(finished)
        return finished

    def deliver(self, payment: HostedPayment, url: str) -> bool:
        """Send the payment's webhook to `url`, three times at most; whether it was answered with 2xx."""
        body = body_of(payment)
        for number in range(TRIES):
            if number:
                time.sleep(2**number)
            try:
                # trust_env: a proxy in the environment has no business between a machine and itself
                with httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
                    answer = client.post(url, content=body, headers=self.signed_headers(body))
            except httpx.HTTPError as error:
                _log.warning("testpay: webhook to %s: %s", url, type(error).__name__)
                continue
            if answer.is_success:
                return True
            _log.warning("testpay: webhook to %s was answered with %s", url, answer.status_code)
        return False

    def signed_headers(self, body: bytes) -> dict[str, str]:
        """The headers that make `body` a genuine webhook at this moment."""
        stamp = int(self._clock().timestamp())
        return {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: f"t={stamp},v1={self._signature(stamp, body)}",
        }

    def webhook_of(self, payment: HostedPayment) -> tuple[dict[str, str], bytes]:
        """Headers and body of the webhook that tells of a payment, for whoever carries it himself."""
        body = body_of(payment)
        return self.signed_headers(body), body

    def _signature(self, stamp: int, body: bytes) -> str:
        text = f"{stamp}.{hashlib.sha256(body).hexdigest()}"
        return hmac.digest(self._settings.secret.encode(), text.encode(), hashlib.sha256).hex()

    def _path(self, ref: str) -> Path:
        return self._folder / f"{ref}.json"

    def _keep(self, payment: HostedPayment) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = self._folder / f"{payment.ref}.{time.monotonic_ns()}.draft"
            draft.write_text(json.dumps(asdict(payment), ensure_ascii=False), encoding="utf-8")
            draft.replace(self._path(payment.ref))
        except OSError as wrong:
            raise ProviderUnavailable(f"the test provider cannot write in {self._folder}") from wrong
