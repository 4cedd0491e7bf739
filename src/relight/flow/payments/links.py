"""Pay links: what an SMS carries to the pay page. 22 letters and digits that name a link and prove that we made it.

Shape: 128 bits written in base 62. Partner (24 bits), link (40 bits), then the first 64 bits of an HMAC-SHA-256 of
those (RFC 2104; truncated as its section 5 allows). No personal data. Letters and digits alone, since phones leave a
final "-" or "_" out of a link. A guess is right once in 2^64, at 500 a second once in a thousand million years, so the
page needs no rate limit against guessing.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

VALID_FOR: Final = timedelta(days=180)
LENGTH: Final = 22

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_PARTNER_BYTES, _LINK_BYTES, _MAC_BYTES = 3, 5, 8
_BYTES = _PARTNER_BYTES + _LINK_BYTES + _MAC_BYTES
_PURPOSE = b"relight pay link 1"


class NotALink(ValueError):
    """The text is not a token that this installation made."""


@dataclass(frozen=True, slots=True)
class LinkKey:
    """What tokens are signed with. Never the installation's secret itself, so that neither reveals the other."""

    value: bytes

    @classmethod
    def of(cls, secret: str) -> "LinkKey":
        """The key that belongs to an installation's secret; ValueError when there is none."""
        if not secret:
            raise ValueError("pay links need the installation's secret: RELIGHT_SECRET_KEY is empty")
        return cls(hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256))


def make(partner_id: int, link_id: int, key: LinkKey) -> str:
    """The token of a link. OverflowError beyond 16 million partners or a million million links."""
    names = partner_id.to_bytes(_PARTNER_BYTES) + link_id.to_bytes(_LINK_BYTES)
    return _written(int.from_bytes(names + _mac(names, key)))


def read(token: str, key: LinkKey) -> tuple[int, int]:
    """(partner id, link id) of a genuine token, in constant time for forged ones; raises `NotALink`."""
    whole = _number(token).to_bytes(_BYTES)
    names, mac = whole[:-_MAC_BYTES], whole[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(names, key)):
        raise NotALink("the signature is not ours")
    return int.from_bytes(names[:_PARTNER_BYTES]), int.from_bytes(names[_PARTNER_BYTES:])


def _mac(names: bytes, key: LinkKey) -> bytes:
    return hmac.digest(key.value, names, hashlib.sha256)[:_MAC_BYTES]


def _written(number: int) -> str:
    digits = []
    for _ in range(LENGTH):
        number, value = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[value])
    return "".join(reversed(digits))


def _number(token: str) -> int:
    if len(token) != LENGTH:
        raise NotALink("the length is wrong")
    number = 0
    for digit in token:
        value = _VALUES.get(digit)
        if value is None:
            raise NotALink("there is a character that no token has")
        number = number * len(_DIGITS) + value
    if number >> (8 * _BYTES):
        raise NotALink("the number is too large")
    return number
