"""An agency by its API: signed JSON over HTTPS out, signed webhooks back.

`POST <url>` carries the package, its documents in base64, under `Idempotency-Key`: the agency keeps the first and
answers the same to the second, so `repeat` is KEYED. Bodies are signed both ways (`agency_signature`). Answers: 2xx it
has it; 404 on a recall: it never had it; 408, 409, 425, 429 and 5xx: later; every other: no, for good.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import httpx

from relight.drivers.agency_signature import NotGenuine, key_of, signed, verify
from relight.drivers.message_settings import read_settings
from relight.flow.effects.port import Attempt, Outcome, Repeat, Result
from relight.flow.handover.port import Letter, Package, Status, StatusRefused, read_status

BODY_BYTES_MAX = 2_000_000
STATUSES_MAX = 1000
_LATER = frozenset({408, 409, 425, 429})
_WAIT_MAX_SECONDS = 3600
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class AgencyApiSettings:
    """`secret` signs what we send, `webhook_secret` what comes; the agency gives or gets both ("whsec_" and base64)."""

    url: str
    secret: str
    webhook_secret: str
    seconds: int = 20

    def __post_init__(self) -> None:
        """Personal data leave: only over TLS, but for this very host."""
        parts = urlsplit(self.url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError(f"agency_api: url begins with https://, not {self.url!r}")
        if not 1 <= self.seconds <= 50:
            raise ValueError("agency_api: seconds is from 1 to 50")


class AgencyApiDriver:
    """Hands over through an agency's API. See `HandoverDriver` for the contract."""

    name = "agency_api"
    repeat = Repeat.KEYED

    def __init__(
        self, settings: Mapping[str, object], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._settings = read_settings("agency_api", AgencyApiSettings, settings)
        self._key, self._webhook_key = key_of(self._settings.secret), key_of(self._settings.webhook_secret)
        self._clock = clock
        self._client: httpx.AsyncClient | None = None

    async def send(self, package: Package, attempt: Attempt) -> Outcome:
        """Post one package; whatever the agency does is an outcome."""
        body = _body(package, attempt.key)
        now = self._clock()
        if now >= attempt.send_before:
            return Outcome.late()
        headers = {
            **signed(self._key, attempt.key, now, body),
            "Content-Type": "application/json",
            "Idempotency-Key": attempt.key,
        }
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._settings.seconds, trust_env=False, follow_redirects=False)
        try:
            answer = await self._client.post(self._settings.url, content=body, headers=headers)
        except httpx.ConnectError:
            return Outcome(Result.BUSY, code="no_connection", detail="the agency's server does not answer")
        except httpx.HTTPError as error:
            return Outcome(Result.UNKNOWN, code=type(error).__name__, detail="the connection broke before an answer")
        return _outcome(package, answer)

    def letters(self) -> Sequence[Letter]:
        """This agency leaves no files."""
        return []

    def put_away(self, letter: Letter, errors: Sequence[str]) -> None:
        """There are none."""

    def webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Status]:
        """One status, or a list of them. Raises `StatusRefused`; then nothing of it counts."""
        if len(body) > BODY_BYTES_MAX:
            raise StatusRefused("the body is too long")
        try:
            verify(self._webhook_key, headers, body, now)
            told: Any = json.loads(body)
        except NotGenuine as refused:
            raise StatusRefused(str(refused)) from refused
        except (ValueError, RecursionError) as wrong:
            raise StatusRefused("the body is no JSON") from wrong
        many = told if isinstance(told, list) else [told]
        if len(many) > STATUSES_MAX:
            raise StatusRefused(f"more than {STATUSES_MAX} statuses at once")
        return [read_status(one) for one in many]

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _body(package: Package, key: str) -> bytes:
    documents = [
        {"name": one.name, "sha256": sha256(one.content).hexdigest(), "base64": base64.b64encode(one.content).decode()}
        for one in package.documents
    ]
    tree = {**package.body, "key": key, "documents": documents}
    return json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _outcome(package: Package, answer: httpx.Response) -> Outcome:
    code = str(answer.status_code)
    if answer.is_success:
        return Outcome(Result.DONE, code=code, facts=_agency_case(answer))
    if answer.status_code in _LATER or answer.status_code >= 500:
        wait = answer.headers.get("Retry-After", "")
        seconds = min(int(wait), _WAIT_MAX_SECONDS) if wait.isascii() and wait.isdigit() and len(wait) < 9 else None
        result = Result.BUSY if answer.status_code in (429, 503) else Result.UNKNOWN
        return Outcome(result, code=code, detail="the agency's server asks to come again", retry_after_seconds=seconds)
    if answer.status_code == 404 and package.what != "place":
        return Outcome(Result.REFUSED, code="unknown_case", detail="the agency knows no such case")
    return Outcome(Result.REFUSED, code=code, detail=f"the agency's server refused the package with {code}")


def _agency_case(answer: httpx.Response) -> dict[str, object]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    found = told.get("agency_case") if isinstance(told, dict) else None
    return {"agency_case": found[:100]} if isinstance(found, str) else {}
