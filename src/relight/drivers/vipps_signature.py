"""The signature of a Vipps MobilePay webhook: an HMAC-SHA-256 of method, path, date, host and the body's hash."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from relight.flow.payments.port import WebhookRefused

AGE_MAX: Final = timedelta(minutes=5)
_SCHEME = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="


def content_hash(body: bytes) -> str:
    """What `x-ms-content-sha256` says of a body."""
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def authorisation(*, secret: str, url: str, date: str, body: bytes) -> str:
    """The `Authorization` header of a webhook to `url` at `date` (as the header writes it)."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    text = f"POST\n{path}\n{date};{parts.netloc};{content_hash(body)}"
    return _SCHEME + base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha256)).decode()


def verified(headers: Mapping[str, str], body: bytes, now: datetime, *, secret: str, url: str) -> dict[str, Any]:
    """The event that a genuine webhook carries; raises `WebhookRefused`.

    Host and path are those that were registered: a proxy in front of us may have changed the request's own.
    """
    given = {name.lower(): value for name, value in headers.items()}
    date = given.get("x-ms-date", "")
    if not hmac.compare_digest(given.get("x-ms-content-sha256", "").encode(), content_hash(body).encode()):
        raise WebhookRefused("the body is not the one that was hashed")
    expected = authorisation(secret=secret, url=url, date=date, body=body)
    if not hmac.compare_digest(given.get("authorization", "").encode(), expected.encode()):
        raise WebhookRefused("the signature is not of this webhook")
    try:
        age = abs(now - parsedate_to_datetime(date))
        told = json.loads(body)
    except (ValueError, TypeError) as wrong:
        raise WebhookRefused("the date or the body has another form") from wrong
    if age > AGE_MAX:
        raise WebhookRefused("the signature is too old")
    if not isinstance(told, dict):
        raise WebhookRefused("the body is no event")
    return told
