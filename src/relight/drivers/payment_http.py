"""JSON over HTTPS to a payment provider: one kept connection, one more try, and refusals in words of ours.

What a refusal says is logged. So it holds nothing that a provider wrote but its code: a sentence may name a customer.
Every request that changes something carries a key of its own, so a second try does nothing twice.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from json import loads
from typing import Any, Final

import httpx

from relight.flow.payments.port import ProviderUnavailable

TIMEOUT_SECONDS: Final = 10.0
TRIES: Final = 2

_MINOR = 100  # øre, cents, pence: every currency of the ledger has a hundred
_TRY_AGAIN = frozenset({429, 502, 503, 504})
_STATUSES = frozenset(HTTPStatus)
_CODE = re.compile(r"[A-Z]{0,4}\d{1,4}(_\d{1,4})?")  # Adyen's: 702, 14_030; five digits in a row may be a customer's
_NAME = re.compile(r"\w{1,40}")


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


def lack(wrong: Exception) -> str:
    """What an answer lacks: the name that was looked for, else only the kind of what cannot be read."""
    name = wrong.args[0] if isinstance(wrong, KeyError) and wrong.args else ""
    return repr(name) if isinstance(name, str) and _NAME.fullmatch(name) else type(wrong).__name__


def _why(answer: httpx.Response) -> str:
    """What its status means, and the provider's own code where it names one: never its sentences."""
    means = HTTPStatus(answer.status_code).phrase if answer.status_code in _STATUSES else "no status of HTTP's"
    try:
        told = answer.json()
    except ValueError:
        return means
    code = told.get("errorCode") if isinstance(told, dict) else None
    return f"{means}, {code}" if isinstance(code, str) and _CODE.fullmatch(code) else means
