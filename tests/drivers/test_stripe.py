"""Stripe: intents and signed webhooks against localstripe; hosted Checkout, which it lacks, against a scripted API."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from relight.drivers.stripe import StripeProvider
from relight.flow.payments.port import Order, PaymentState, ProviderUnavailable, WebhookRefused
from tests.counterparts.localstripe import API_KEY, WEBHOOK_SECRET, LocalStripe

ORDER = Order("key-1", 89900, "NOK", "Nordlys 2345676", "2345676", "https://betal.example/p/token/status")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def localstripe() -> Iterator[LocalStripe]:
    with LocalStripe() as running:
        yield running


class Ear:
    """An HTTP server that hears: every request it gets, answered with what `say` returns for it."""

    def __init__(self, **said: dict[str, Any]) -> None:
        self.heard: list[tuple[str, str, dict[str, str], bytes]] = []
        self._news = threading.Condition()
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with ear._news:
                    ear.heard.append((self.command, self.path, dict(self.headers), body))
                    ear._news.notify_all()
                found = next((answer for name, answer in said.items() if name in urlsplit(self.path).path), {})
                answer = json.dumps(found).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def wait(self, count: int) -> list[tuple[str, str, dict[str, str], bytes]]:
        with self._news:
            assert self._news.wait_for(lambda: len(self.heard) >= count, timeout=15), f"heard {len(self.heard)}"
        return self.heard

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.close()


# -- against localstripe


@pytest.mark.counterpart
def test_a_paid_intent_is_told_by_a_webhook_that_localstripe_signed(localstripe: LocalStripe, ear: Ear) -> None:
    provider = StripeProvider(localstripe.settings)
    ref = provider.create(ORDER).provider_ref
    localstripe.send_webhooks_to(ear.url)

    localstripe.pay(ref)

    ((_, _, headers, body),) = ear.wait(1)
    (event,) = provider.parse_webhook(headers, body, datetime.now(UTC))
    assert (event.provider_ref, event.state, event.amount, event.currency) == (
        ref,
        PaymentState.CONFIRMED,
        89900,
        "NOK",
    )
    assert event.event_id.startswith("evt_")


@pytest.mark.counterpart
def test_a_webhook_changed_on_the_way_is_refused(localstripe: LocalStripe, ear: Ear) -> None:
    provider = StripeProvider(localstripe.settings)
    ref = provider.create(ORDER).provider_ref
    localstripe.send_webhooks_to(ear.url)
    localstripe.pay(ref)
    ((_, _, headers, body),) = ear.wait(1)
    stranger = StripeProvider({**localstripe.settings, "webhook_secret": "whsec_another"})

    with pytest.raises(WebhookRefused):
        provider.parse_webhook(headers, body.replace(b"89900", b"1"), datetime.now(UTC))
    with pytest.raises(WebhookRefused):
        stranger.parse_webhook(headers, body, datetime.now(UTC))
    with pytest.raises(WebhookRefused, match="too old"):
        provider.parse_webhook(headers, body, datetime.now(UTC) + timedelta(minutes=6))


@pytest.mark.counterpart
def test_a_declined_card_is_a_failure(localstripe: LocalStripe, ear: Ear) -> None:
    provider = StripeProvider(localstripe.settings)
    ref = provider.create(ORDER).provider_ref
    localstripe.send_webhooks_to(ear.url)

    localstripe.decline(ref)

    ((_, _, headers, body),) = ear.wait(1)
    (event,) = provider.parse_webhook(headers, body, datetime.now(UTC))
    assert (event.provider_ref, event.state, event.reason) == (ref, PaymentState.FAILED, "card_declined")


@pytest.mark.counterpart
def test_what_else_the_stripe_account_sells_is_left_alone(localstripe: LocalStripe, ear: Ear) -> None:
    provider = StripeProvider(localstripe.settings)
    localstripe.send_webhooks_to(ear.url)

    localstripe.foreign_payment(500)

    ((_, _, headers, body),) = ear.wait(1)
    assert b"payment_intent.succeeded" in body
    assert provider.parse_webhook(headers, body, datetime.now(UTC)) == []


@pytest.mark.counterpart
def test_asking_tells_what_became_of_an_intent(localstripe: LocalStripe) -> None:
    provider = StripeProvider(localstripe.settings)
    paid, given_up, open_ = (provider.create(ORDER).provider_ref for _ in range(3))
    localstripe.pay(paid)
    localstripe.cancel(given_up)

    answers = [provider.poll(ref, NOW) for ref in (paid, given_up, open_)]

    assert [[(event.state, event.amount) for event in answer] for answer in answers] == [
        [(PaymentState.CONFIRMED, 89900)],
        [(PaymentState.FAILED, 89900)],
        [],
    ]
    assert provider.poll(paid, NOW + timedelta(hours=1))[0].event_id == answers[0][0].event_id


@pytest.mark.counterpart
def test_the_order_travels_with_the_intent(localstripe: LocalStripe) -> None:
    ref = StripeProvider(localstripe.settings).create(ORDER).provider_ref

    (intent,) = [intent for intent in localstripe.intents() if intent["id"] == ref]

    assert intent["metadata"] == {"relight": "intent", "order": "key-1", "reference": "2345676"}


@pytest.mark.counterpart
def test_a_payment_that_stripe_does_not_know_is_not_made_up(localstripe: LocalStripe) -> None:
    with pytest.raises(ProviderUnavailable, match="stripe"):
        StripeProvider(localstripe.settings).poll("pi_nothing", NOW)


# -- against a scripted API: Stripe's documented answers for Checkout


SESSION = {
    "id": "cs_test_1",
    "object": "checkout.session",
    "url": "https://checkout.stripe.com/c/pay/cs_test_1",
    "expires_at": 1772528400,
    "amount_total": 89900,
    "currency": "nok",
    "status": "open",
    "payment_status": "unpaid",
    "metadata": {"relight": "checkout"},
}


def hosted(ear: Ear) -> StripeProvider:
    return StripeProvider({"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET, "api_base": ear.url})


def signed(event: dict[str, Any], at: datetime = NOW) -> tuple[dict[str, str], bytes]:
    body = json.dumps({"id": "evt_1", "created": int(at.timestamp()), **event}).encode()
    stamp = int(at.timestamp())
    signature = hmac.new(WEBHOOK_SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={signature}"}, body


@pytest.fixture
def scripted() -> Iterator[Ear]:
    intent = {"id": "pi_1", "object": "payment_intent", "metadata": {"relight": "checkout"}}
    made = Ear(**{"payment_intents": intent, "sessions/": SESSION, "sessions": {**SESSION, "data": [SESSION]}})
    yield made
    made.close()


def test_checkout_sends_the_customer_to_stripes_own_page(scripted: Ear) -> None:
    checkout = hosted(scripted).create(ORDER)

    ((_, path, headers, body),) = scripted.heard
    sent = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assert checkout.provider_ref == "cs_test_1"
    assert checkout.redirect_url == "https://checkout.stripe.com/c/pay/cs_test_1"
    assert path == "/v1/checkout/sessions"
    assert headers["Idempotency-Key"] == "key-1"
    assert sent["mode"] == "payment"
    assert sent["line_items[0][price_data][unit_amount]"] == "89900"
    assert sent["line_items[0][price_data][currency]"] == "nok"
    assert sent["payment_intent_data[metadata][relight]"] == "checkout"
    assert sent["success_url"] == ORDER.return_url


@pytest.mark.parametrize(
    ("kind", "session", "state"),
    [
        ("completed", {"status": "complete", "payment_status": "paid"}, PaymentState.CONFIRMED),
        ("completed", {"status": "complete", "payment_status": "unpaid"}, PaymentState.AUTHORISED),
        ("async_payment_succeeded", {"status": "complete", "payment_status": "paid"}, PaymentState.CONFIRMED),
        ("async_payment_failed", {"status": "complete", "payment_status": "unpaid"}, PaymentState.FAILED),
        ("expired", {"status": "expired"}, PaymentState.FAILED),
    ],
)
def test_what_checkout_tells(kind: str, session: dict[str, str], state: PaymentState, scripted: Ear) -> None:
    webhook = signed({"type": f"checkout.session.{kind}", "data": {"object": {**SESSION, **session}}})

    (event,) = hosted(scripted).parse_webhook(*webhook, NOW)

    assert (event.provider_ref, event.state, event.amount, event.currency) == ("cs_test_1", state, 89900, "NOK")


def test_checkouts_own_intent_is_not_a_second_payment(scripted: Ear) -> None:
    intent = {"id": "pi_1", "status": "succeeded", "amount": 89900, "currency": "nok"}
    webhook = signed(
        {"type": "payment_intent.succeeded", "data": {"object": {**intent, "metadata": {"relight": "checkout"}}}}
    )

    assert hosted(scripted).parse_webhook(*webhook, NOW) == []


def test_a_refund_finds_the_checkout_that_it_takes_back(scripted: Ear) -> None:
    charge = {"payment_intent": "pi_1", "amount": 89900, "amount_refunded": 89900, "currency": "nok"}
    webhook = signed({"type": "charge.refunded", "data": {"object": charge}})

    (event,) = hosted(scripted).parse_webhook(*webhook, NOW)

    assert (event.provider_ref, event.state, event.amount) == ("cs_test_1", PaymentState.RETURNED, 89900)


def test_an_event_that_does_not_concern_us_is_taken_in_silence(scripted: Ear) -> None:
    webhook = signed({"type": "customer.created", "data": {"object": {"id": "cus_1"}}})

    assert hosted(scripted).parse_webhook(*webhook, NOW) == []


@pytest.mark.parametrize(
    "headers",
    [{}, {"Stripe-Signature": ""}, {"Stripe-Signature": "t=,v1="}, {"Stripe-Signature": "v1=abc"}, {"X": "y"}],
)
def test_a_webhook_without_a_signature_is_refused(headers: dict[str, str], scripted: Ear) -> None:
    _, body = signed({"type": "customer.created", "data": {"object": {}}})

    with pytest.raises(WebhookRefused):
        hosted(scripted).parse_webhook(headers, body, NOW)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"{}", b"null"])
def test_a_signed_body_that_is_no_event_is_refused(body: bytes, scripted: Ear) -> None:
    stamp = int(NOW.timestamp())
    signature = hmac.new(WEBHOOK_SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()

    with pytest.raises(WebhookRefused):
        hosted(scripted).parse_webhook({"Stripe-Signature": f"t={stamp},v1={signature}"}, body, NOW)


def test_asking_for_a_session_tells_what_became_of_it(scripted: Ear) -> None:
    assert hosted(scripted).poll("cs_test_1", NOW) == []


def test_nobody_at_home_is_unavailable() -> None:
    provider = StripeProvider({"api_key": "k", "webhook_secret": "w", "api_base": "http://127.0.0.1:9"})

    with pytest.raises(ProviderUnavailable, match="APIConnectionError"):
        provider.create(ORDER)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"api_key": "k"}, "webhook_secret must be set"),
        ({"api_key": "k", "webhook_secret": "w", "mode": "magic"}, 'mode is "checkout" or "intent"'),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        StripeProvider(settings)
