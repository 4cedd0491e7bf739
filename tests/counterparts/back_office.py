"""What the providers remember: payments, refunds and settlements in small, behind Prism, which holds each answer
against the descriptions in `specs`. The rules that matter are theirs: a key that comes again gets the first answer,
a payment that was taken cannot be ended, and nobody gets back more than was paid."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

TOKEN = "a-token"
MOMENT = "2026-03-02T09:00:00+00:00"

Answer = tuple[int, dict[str, Any] | str]


@dataclass
class Kept:
    """A payment. `state` is open, authorised, paid, declined or ended; sums are minor units."""

    ref: str
    amount: int
    currency: str
    told: dict[str, Any]
    psp: str
    state: str = "open"
    refunds: list[int] = field(default_factory=list)
    charged_back: int = 0

    @property
    def back(self) -> int:
        return sum(self.refunds)


class BackOffice:
    """An HTTP server on 127.0.0.1. `payments` by the provider's own name of each; `reports` by a day or a path.

    `is_away`: it answers nothing but 503, as in an outage.
    """

    def __init__(self) -> None:
        self.payments: dict[str, Kept] = {}
        self.reports: dict[str, Any] = {}
        self.is_away = False
        self.asked: list[str] = []
        self._answers: dict[str, Answer] = {}
        self._numbers = count(1)
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, told = office.answer(self.command, self.path, dict(self.headers), body)
                data = (told if isinstance(told, str) else json.dumps(told)).encode()
                self.send_response(status)
                self.send_header("Content-Type", office.kind_of(self.path, status))
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PATCH = do_DELETE = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def kind_of(self, path: str, status: int) -> str:
        """The media type that the provider of this path answers with."""
        if path.startswith("/reports/"):
            return "text/csv"
        if path.startswith("/v2/"):
            return "application/hal+json"
        return "application/problem+json" if status >= 400 and "/epayment/" in path else "application/json"

    def forget(self) -> None:
        """Begin anew: no payment, no settlement, no key."""
        with self._lock:
            for kept in (self.payments, self.reports, self._answers):
                kept.clear()

    def number(self) -> str:
        """Sixteen signs that nobody has had before."""
        return f"{next(self._numbers):016d}"

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """One request."""
        given = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            self.asked.append(f"{method} {path}")
            if self.is_away:
                return 503, {"title": "away", "status": 503, "message": "away"}
            key = given.get("idempotency-key", "")
            again = f"{method} {urlsplit(path).path} {key}"
            if key and again in self._answers:
                return self._answers[again]
            parts = [part for part in urlsplit(path).path.split("/") if part]
            is_form = given.get("content-type", "").startswith("application/x-www-form-urlencoded")
            sent = dict(parse_qsl(body.decode())) if is_form else json.loads(body or b"{}")
            told = self._desk(parts)(method, parts, sent, given)
            if key and told[0] < 300:
                self._answers[again] = told
            return told

    def _desk(self, parts: list[str]) -> Callable[[str, list[str], dict[str, Any], dict[str, str]], Answer]:
        if parts[0] in ("epayment", "accesstoken", "report"):
            return self._vipps
        if parts[0] == "v2":
            return self._mollie
        return self._stripe if parts[0] == "v1" else self._adyen

    def _open(self, name: str, amount: int, currency: str, told: dict[str, Any], ref: str = "") -> Kept:
        self.payments[name] = Kept(ref or name, amount, currency, told, self.number())
        return self.payments[name]

    # -- Vipps MobilePay

    def _vipps(self, method: str, parts: list[str], told: dict[str, Any], headers: dict[str, str]) -> Answer:
        if parts[0] == "accesstoken":
            return 200, {"access_token": TOKEN, "expires_in": "3600"}
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"title": "no token", "status": 401}
        if parts[0] == "report":
            return 200, self.reports.get(parts[-1], {"items": [], "hasMore": False, "tryLater": True})
        if len(parts) == 3:
            amount = told["amount"]
            self._open(told["reference"], amount["value"], amount["currency"], told)
            url = f"{self.url}/landing/{told['reference']}"
            return 201, {"reference": told["reference"], "redirectUrl": url}
        kept = self.payments.get(parts[3])
        if kept is None:
            return 404, {"title": "Not Found", "status": 404}
        return self._modified(kept, parts[4], told) if len(parts) > 4 else (200, self._vipps_view(kept))

    def _modified(self, kept: Kept, act: str, told: dict[str, Any]) -> Answer:
        wanted = (told.get("modificationAmount") or {}).get("value", 0)
        if act == "cancel" and kept.state == "open":
            kept.state = "ended"
        elif act == "capture" and kept.state == "authorised" and wanted <= kept.amount:
            kept.state = "paid"
        elif act == "refund" and kept.state == "paid" and 0 < wanted <= kept.amount - kept.back:
            kept.refunds.append(wanted)
        else:
            return 409, {"title": f"cannot {act}", "status": 409}
        return 200, {**self._vipps_view(kept), "pspReference": self.number()}

    def _vipps_view(self, kept: Kept) -> dict[str, Any]:
        states = {"open": "CREATED", "ended": "TERMINATED", "declined": "ABORTED"}
        sums = {
            "authorizedAmount": kept.amount if kept.state in ("authorised", "paid") else 0,
            "cancelledAmount": 0,
            "capturedAmount": kept.amount if kept.state == "paid" else 0,
            "refundedAmount": kept.back,
        }
        return {
            "aggregate": {name: {"currency": kept.currency, "value": value} for name, value in sums.items()},
            "amount": {"currency": kept.currency, "value": kept.amount},
            "state": states.get(kept.state, "AUTHORIZED"),
            "paymentMethod": {"type": "WALLET"},
            "pspReference": kept.psp,
            "reference": kept.ref,
        }

    # -- Mollie

    def _mollie(self, method: str, parts: list[str], told: dict[str, Any], headers: dict[str, str]) -> Answer:
        if parts[1] == "settlements":
            name = parts[-1] if len(parts) > 2 else "settlements"
            items = self.reports.get("/".join(parts[1:]), [])
            return 200, {"count": len(items), "_embedded": {name: items}, "_links": {}}
        if len(parts) == 2:
            name = f"tr_{self.number()}"
            return 201, self._mollie_view(self._open(name, _minor(told["amount"]), told["amount"]["currency"], told))
        kept = self.payments.get(parts[2])
        if kept is None:
            return 404, {"status": 404, "title": "Not Found"}
        if len(parts) == 4:
            wanted = _minor(told["amount"])
            if kept.state != "paid" or wanted > kept.amount - kept.back:
                return 422, {"status": 422, "title": "Unprocessable Entity"}
            kept.refunds.append(wanted)
            refund = {"resource": "refund", "id": f"re_{self.number()}", "amount": told["amount"], "status": "queued"}
            return 201, refund
        if method == "DELETE":
            if kept.state != "open":
                return 422, {"status": 422, "title": "Unprocessable Entity"}
            kept.state = "ended"
        return 200, self._mollie_view(kept)

    def _mollie_view(self, kept: Kept) -> dict[str, Any]:
        states = {"ended": "canceled", "declined": "failed", "authorised": "pending"}
        seen: dict[str, Any] = {
            "resource": "payment",
            "id": kept.ref,
            "amount": _written(kept.amount, kept.currency),
            "status": states.get(kept.state, kept.state),
            "metadata": kept.told.get("metadata"),
            "_links": {"checkout": {"href": f"{self.url}/checkout/{kept.ref}"}},
        }
        if kept.state == "paid":
            back = {"amountRefunded": kept.back, "amountChargedBack": kept.charged_back}
            sums = {name: _written(value, kept.currency) for name, value in back.items()}
            seen |= {"paidAt": MOMENT, **sums}
        return seen

    # -- Adyen

    def _adyen(self, method: str, parts: list[str], told: dict[str, Any], headers: dict[str, str]) -> Answer:
        if parts[0] == "reports":
            report = self.reports.get(parts[-1])
            return (200, str(report)) if report else (404, "")
        if parts[1] == "payments":
            kept = next((one for one in self.payments.values() if one.psp == parts[2]), None)
            if kept is None or kept.state != "paid" or told["amount"]["value"] > kept.amount - kept.back:
                return 422, {"status": 422, "message": "Original pspReference required for this operation"}
            kept.refunds.append(told["amount"]["value"])
            taken = {"paymentPspReference": kept.psp, "pspReference": self.number(), "status": "received"}
            return 201, {**told, **taken}
        if len(parts) == 2:
            name = f"PL{self.number()}"
            kept = self._open(name, told["amount"]["value"], told["amount"]["currency"], told, told["reference"])
            return 201, self._adyen_view(name, kept)
        kept = self.payments.get(parts[2])
        if kept is None:
            return 404, {"status": 404, "message": "not found"}
        if method == "PATCH":
            if kept.state != "open":
                return 422, {"status": 422, "message": "the link is not active"}
            kept.state = "ended"
        return 200, self._adyen_view(parts[2], kept)

    def _adyen_view(self, name: str, kept: Kept) -> dict[str, Any]:
        states = {"ended": "expired", "authorised": "paymentPending", "paid": "completed"}
        return {
            "amount": {"currency": kept.currency, "value": kept.amount},
            "id": name,
            "merchantAccount": kept.told["merchantAccount"],
            "reference": kept.ref,
            "status": states.get(kept.state, "active"),
            "url": f"{self.url}/pay/{name}",
        }

    # -- Stripe: intents that are made, and its balance, which is what `reports` holds

    def _stripe(self, method: str, parts: list[str], told: dict[str, Any], headers: dict[str, str]) -> Answer:
        if parts[1] == "balance_transactions":
            return 200, {"object": "list", "has_more": False, "data": self.reports.get("stripe", [])}
        if method == "POST":
            name = f"pi_{self.number()}"
            self._open(name, int(told["amount"]), told["currency"], told)
        else:
            name = parts[2]
        return 200, {"id": name, "object": "payment_intent", "metadata": {"relight": "intent"}}


def _minor(amount: dict[str, str]) -> int:
    return int(amount["value"].replace(".", ""))


def _written(amount: int, currency: str) -> dict[str, str]:
    return {"currency": currency, "value": f"{amount // 100}.{amount % 100:02d}"}
