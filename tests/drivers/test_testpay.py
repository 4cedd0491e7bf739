"""The test provider: orders are kept once, webhooks are signed over body and time, answers are final where money is."""

from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from relight.drivers import testpay
from relight.drivers.testpay import SIGNATURE_HEADER, TestProvider, UnknownHostedPayment
from relight.flow.payments.port import Order, PaymentState, ProviderUnavailable, WebhookRefused

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ORDER = Order("key-1", 89900, "NOK", "Nordlys 2345676", "2345676", "https://betal.example/p/token/status")


@pytest.fixture
def provider(tmp_path: Path) -> TestProvider:
    return TestProvider({"secret": "whsec", "folder": str(tmp_path)}, clock=lambda: NOW)


def test_the_card_page_lies_beside_the_page_that_the_customer_returns_to(provider: TestProvider) -> None:
    checkout = provider.create(ORDER)

    assert checkout.redirect_url == f"https://betal.example/p/token/testpay/{checkout.provider_ref}"


def test_the_same_key_is_the_same_payment_and_another_key_another(provider: TestProvider) -> None:
    first, again, other = (provider.create(order).provider_ref for order in (ORDER, ORDER, _with_key("key-2")))

    assert first == again != other


def test_an_order_given_again_does_not_undo_the_answer(provider: TestProvider) -> None:
    ref = provider.create(ORDER).provider_ref
    provider.finish(ref, "pay")

    provider.create(ORDER)

    assert provider.payment(ref).state == "paid"


def test_a_webhook_says_what_the_customer_did(provider: TestProvider) -> None:
    ref = provider.create(ORDER).provider_ref

    (event,) = provider.parse_webhook(*provider.webhook_of(provider.finish(ref, "pay")), NOW)

    assert (event.provider_ref, event.state, event.amount, event.currency) == (
        ref,
        PaymentState.CONFIRMED,
        89900,
        "NOK",
    )
    assert event.occurred_at == NOW


@pytest.mark.parametrize(
    ("choices", "state"),
    [
        (("decline", "pay"), "paid"),
        (("cancel", "pay"), "paid"),
        (("pay", "decline"), "paid"),
        (("pay", "cancel"), "paid"),
        (("pay", "refund"), "refunded"),
        (("pay", "refund", "pay"), "refunded"),
        (("refund",), "ordered"),
    ],
)
def test_money_that_came_can_only_go_back(choices: tuple[str, ...], state: str, provider: TestProvider) -> None:
    ref = provider.create(ORDER).provider_ref

    for choice in choices:
        provider.finish(ref, choice)

    assert provider.payment(ref).state == state


@pytest.mark.parametrize(
    ("age", "refused"),
    [
        (timedelta(minutes=5), False),
        (timedelta(minutes=5, seconds=1), True),
        (timedelta(minutes=-5, seconds=-1), True),
    ],
)
def test_a_signature_lasts_five_minutes(age: timedelta, refused: bool, provider: TestProvider) -> None:
    ref = provider.create(ORDER).provider_ref
    webhook = provider.webhook_of(provider.finish(ref, "pay"))

    if refused:
        with pytest.raises(WebhookRefused, match="too old"):
            provider.parse_webhook(*webhook, NOW + age)
    else:
        assert len(provider.parse_webhook(*webhook, NOW + age)) == 1


def test_every_byte_of_the_body_is_signed(provider: TestProvider) -> None:
    ref = provider.create(ORDER).provider_ref
    headers, body = provider.webhook_of(provider.finish(ref, "pay"))

    for place in range(len(body)):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        with pytest.raises(WebhookRefused):
            provider.parse_webhook(headers, changed, NOW)


def test_the_time_is_signed_too(provider: TestProvider) -> None:
    ref = provider.create(ORDER).provider_ref
    headers, body = provider.webhook_of(provider.finish(ref, "pay"))
    signature = headers[SIGNATURE_HEADER].partition(",")[2]
    fresh = NOW + timedelta(days=1)

    with pytest.raises(WebhookRefused, match="signature"):
        provider.parse_webhook({SIGNATURE_HEADER: f"t={int(fresh.timestamp())},{signature}"}, body, fresh)


def test_another_secret_signs_nothing(provider: TestProvider, tmp_path: Path) -> None:
    ref = provider.create(ORDER).provider_ref
    other = TestProvider({"secret": "another", "folder": str(tmp_path)}, clock=lambda: NOW)

    with pytest.raises(WebhookRefused):
        provider.parse_webhook(*other.webhook_of(provider.finish(ref, "pay")), NOW)


def test_asking_tells_the_same_as_the_webhook(provider: TestProvider) -> None:
    ref = provider.create(ORDER).provider_ref
    before = provider.poll(ref, NOW)
    told = provider.parse_webhook(*provider.webhook_of(provider.finish(ref, "pay")), NOW)

    assert before == []
    assert provider.poll(ref, NOW) == told


@pytest.mark.parametrize("ref", ["test_" + "0" * 32, "../../etc/passwd", "", "test_" + "0" * 31 + "/"])
def test_a_payment_that_is_not_there_is_unknown_whatever_its_name(ref: str, provider: TestProvider) -> None:
    with pytest.raises(UnknownHostedPayment):
        provider.payment(ref)
    with pytest.raises(ProviderUnavailable):
        provider.poll(ref, NOW)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"secret": "s"}, "folder must be set"),
        ({"folder": "f"}, "secret must be set"),
        ({"secret": "s", "folder": "f", "colour": "red"}, "no setting 'colour'"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        TestProvider(settings)


class Listener:
    """A webhook's other end, which answers with the statuses that it is given, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.bodies: list[bytes] = []
        left = list(statuses)
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                listener.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(left.pop(0) if left else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_a_webhook_that_is_not_taken_is_sent_again(provider: TestProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testpay.time, "sleep", lambda _: None)
    payment = provider.finish(provider.create(ORDER).provider_ref, "pay")
    listener = Listener(500, 503)

    taken = provider.deliver(payment, listener.url)

    listener.close()
    assert taken
    assert len(listener.bodies) == 3
    assert len(set(listener.bodies)) == 1


def test_a_webhook_that_nobody_takes_is_given_up(provider: TestProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testpay.time, "sleep", lambda _: None)
    payment = provider.finish(provider.create(ORDER).provider_ref, "pay")
    listener = Listener(*[500] * 9)

    taken = provider.deliver(payment, listener.url)

    listener.close()
    assert not taken
    assert len(listener.bodies) == testpay.TRIES


def _with_key(key: str) -> Order:
    return Order(key, ORDER.amount, "NOK", ORDER.description, ORDER.reference, ORDER.return_url)
