"""JSON over HTTPS to a payment provider: one kept connection, one more try, and refusals in words.

Every request that changes something carries a key of its own, so a second try does nothing twice.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from json import loads
from typing import Any, Final

import httpx

from relight.flow.payments.port import ProviderUnavailable

TIMEOUT_SECONDS: Final = 10.0
TRIES: Final = 2

_MINOR = 100  # øre, cents, pence: every currency of the ledger has a hundred
_TRY_AGAIN = frozenset({429, 502, 503, 504})


class Refused(ProviderUnavailable):
    """The provider answered with an error; `status` is the HTTP status."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class Api:
    """A provider's API. `name` is for messages; `headers` go with every request."""

    def __init__(
        self,
        name: str,
        base: str,
        headers: Mapping[str, str] | None = None,
        *,
        basic: tuple[str, str] | None = None,
    ) -> None:
        self._name = name
        self._client = httpx.Client(base_url=base, headers=headers, timeout=TIMEOUT_SECONDS, auth=basic)

    def ask(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The answer's object, empty where there is none; raises `Refused` or `ProviderUnavailable`."""
        text = self.text(method, path, json=json, params=params, headers=headers)
        if not text.strip():
            return {}
        try:
            found = loads(text, parse_float=Decimal)
        except ValueError as wrong:
            raise ProviderUnavailable(f"{self._name} answered with something that is not JSON") from wrong
        if not isinstance(found, dict):
            raise ProviderUnavailable(f"{self._name} answered with something that is no object")
        return found

    def text(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """The answer's text; raises `Refused` or `ProviderUnavailable`."""
        for left in reversed(range(TRIES)):
            try:
                answer = self._client.request(method, path, json=json, params=params, headers=headers)
            except httpx.HTTPError as error:
                if not left:
                    raise ProviderUnavailable(f"{self._name}: {type(error).__name__}") from error
                continue
            if answer.is_success:
                return answer.text
            if not left or answer.status_code not in _TRY_AGAIN:
                raise Refused(f"{self._name} answered {answer.status_code}: {_why(answer)}", answer.status_code)
        raise AssertionError("the last try answers or raises")


def decimal_of(amount: int) -> str:
    """Minor units as a text with two decimals."""
    return f"{amount // _MINOR}.{amount % _MINOR:02d}"


def minor_of(text: object) -> int:
    """A text with decimals as minor units; raises ValueError where it is finer than they are."""
    try:
        minor = Decimal(str(text)) * _MINOR
    except InvalidOperation as wrong:
        raise ValueError(f"{text!r} is no sum") from wrong
    if minor != int(minor):
        raise ValueError(f"{text!r} is finer than a minor unit")
    return int(minor)


def _why(answer: httpx.Response) -> str:
    """The provider's own short word for it; never the whole body, which may hold what was sent."""
    try:
        told = answer.json()
    except ValueError:
        return answer.reason_phrase
    if not isinstance(told, dict):
        return answer.reason_phrase
    words = [str(told[name]) for name in ("title", "detail", "message", "errorCode") if told.get(name)]
    return "; ".join(words)[:300] or answer.reason_phrase
