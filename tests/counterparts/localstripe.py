"""Stripe's API as localstripe plays it: PaymentIntents, refunds and signed webhooks, in a process of its own.

    with LocalStripe() as stripe:
        provider = StripeProvider({**stripe.settings, "mode": "intent"})
        ref = provider.create(order).provider_ref
        stripe.send_webhooks_to(url)
        stripe.pay(ref)

It has no Checkout, ignores idempotency keys, and sends each webhook once, a second after the event.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

GOOD_CARD = "4242424242424242"
DECLINED_CARD = "4000000000000341"  # taken as a card, and then refused when it is charged
API_KEY = "sk_test_localstripe"
WEBHOOK_SECRET = "whsec_localstripe"

_PROCESS = Path(__file__).with_name("localstripe_process.py")
_TIMEOUT_SECONDS = 15


class LocalStripe:
    """A running localstripe. `pay` and `decline` are what the customer's card does."""

    def __enter__(self) -> Self:
        if importlib.util.find_spec("localstripe") is None:
            raise RuntimeError("localstripe is missing: run `make counterparts`")
        # -P: without the script's own folder, where this very file would stand before the package of the same name
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_PROCESS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        told = self._process.stdout.readline()
        if not told:
            raise RuntimeError("localstripe did not start; its words are above")
        self.api_base = f"http://127.0.0.1:{int(told)}"
        self._api = httpx.Client(base_url=self.api_base, auth=(API_KEY, ""), trust_env=False, timeout=_TIMEOUT_SECONDS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._api.close()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    @property
    def settings(self) -> dict[str, str]:
        """What a StripeProvider needs to talk to it; it has PaymentIntents only."""
        return {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET, "api_base": self.api_base, "mode": "intent"}

    def send_webhooks_to(self, url: str) -> None:
        """From now on every event goes to `url`, signed with `WEBHOOK_SECRET`."""
        self._post("/_config/webhooks/relight", url=url, secret=WEBHOOK_SECRET)

    def pay(self, intent_id: str) -> None:
        """The customer pays an intent with a good card."""
        self._confirm(intent_id, GOOD_CARD)

    def decline(self, intent_id: str) -> None:
        """The customer's bank says no."""
        answer = self._confirm(intent_id, DECLINED_CARD, refused=True)
        assert answer.status_code == 402, answer.text

    def cancel(self, intent_id: str) -> None:
        """The intent is given up."""
        self._post(f"/v1/payment_intents/{intent_id}/cancel")

    def foreign_payment(self, amount: int) -> str:
        """Something else that the same Stripe account sells; its intent's id."""
        intent = self._post("/v1/payment_intents", amount=str(amount), currency="nok").json()
        self.pay(intent["id"])
        return intent["id"]

    def intents(self) -> list[dict[str, Any]]:
        """All intents."""
        return self._api.get("/v1/payment_intents").json()["data"]

    def intent(self, intent_id: str) -> dict[str, Any] | None:
        """One intent, or None."""
        answer = self._api.get(f"/v1/payment_intents/{intent_id}")
        return answer.json() if answer.is_success else None

    def _confirm(self, intent_id: str, card: str, *, refused: bool = False) -> httpx.Response:
        number = {"card[number]": card, "card[exp_month]": "12", "card[exp_year]": "2030", "card[cvc]": "123"}
        method = self._post("/v1/payment_methods", type="card", **number).json()["id"]
        self._post(f"/v1/payment_intents/{intent_id}", payment_method=method)
        return self._post(f"/v1/payment_intents/{intent_id}/confirm", refused=refused)

    def _post(self, path: str, *, refused: bool = False, **fields: str) -> httpx.Response:
        answer = self._api.post(path, data=fields)
        assert answer.is_success or refused, f"{path}: {answer.status_code} {answer.text}"
        return answer
