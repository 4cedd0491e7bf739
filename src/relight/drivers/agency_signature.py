"""Signed bodies after the Standard Webhooks specification: id, seconds and body under HMAC-SHA-256, both ways."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256

AGE_MAX = timedelta(minutes=5)
PREFIX = "whsec_"
KEY_BYTES_MIN = 24


class NotGenuine(ValueError):
    """The signature, its age or its form is wrong; the text says which."""


def key_of(secret: str) -> bytes:
    """The key in a secret such as "whsec_MfKQ…". Raises ValueError for one that is none, or too short."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as wrong:
        raise ValueError(f"a secret is {PREFIX} and base64") from wrong
    if len(key) < KEY_BYTES_MIN:
        raise ValueError(f"a secret holds at least {KEY_BYTES_MIN} octets")
    return key


def signed(key: bytes, id_: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers that go with a body."""
    seconds = str(int(now.timestamp()))
    return {"webhook-id": id_, "webhook-timestamp": seconds, "webhook-signature": _signature(key, id_, seconds, body)}


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The message's id. Raises `NotGenuine`; any of several signatures is enough, so that keys can be changed."""
    given = {name.lower(): value for name, value in headers.items()}
    id_, seconds, told = (given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not id_ or not seconds.isascii() or not seconds.isdigit() or len(seconds) > 12:
        raise NotGenuine("webhook-id or webhook-timestamp is missing")
    wanted = _signature(key, id_, seconds, body)
    if not any(hmac.compare_digest(wanted.encode(), one.encode()) for one in told.split()):
        raise NotGenuine("no signature fits")
    if abs(now - datetime.fromtimestamp(int(seconds), UTC)) > AGE_MAX:
        raise NotGenuine("the signature is too old, or from the future")
    return id_


def _signature(key: bytes, id_: str, seconds: str, body: bytes) -> str:
    content = b".".join((id_.encode(), seconds.encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, content, sha256).digest()).decode()
