"""Adyen's notifications: each item carries an HMAC of what money it tells of, and to whom."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from relight.flow.payments.port import REFUND_FAILED, PaymentState, ProviderEvent, WebhookRefused

PREFIX: Final = "rl-"
_ITEMS_MAX = 100

_SUCCEEDED: Final = {
    "AUTHORISATION": PaymentState.CONFIRMED,
    "PENDING": PaymentState.AUTHORISED,
    "CANCELLATION": PaymentState.FAILED,
    "OFFER_CLOSED": PaymentState.FAILED,
    "CAPTURE_FAILED": PaymentState.RETURNED,
    "REFUND": PaymentState.RETURNED,
    "CHARGEBACK": PaymentState.RETURNED,
    "SECOND_CHARGEBACK": PaymentState.RETURNED,
    "CHARGEBACK_REVERSED": PaymentState.BOOKED,
    "REFUND_FAILED": PaymentState.FAILED,
    "REFUNDED_REVERSED": PaymentState.FAILED,
}
_ABOUT_REFUNDS = frozenset({"REFUND", "REFUND_FAILED", "REFUNDED_REVERSED"})


def signature_of(item: Mapping[str, Any], key: bytes) -> str:
    """The base64 HMAC-SHA-256 of an item's eight signed fields."""
    amount = item["amount"]
    fields = (
        item["pspReference"],
        item.get("originalReference") or "",
        item["merchantAccountCode"],
        item["merchantReference"],
        str(amount["value"]),
        amount["currency"],
        item["eventCode"],
        item["success"],
    )
    return base64.b64encode(hmac.digest(key, ":".join(map(str, fields)).encode(), hashlib.sha256)).decode()


def read_notification(body: bytes, *, key: bytes, merchant_account: str) -> list[ProviderEvent]:
    """The events of a notification whose items are all genuine; raises `WebhookRefused`."""
    try:
        wrapped = json.loads(body)["notificationItems"]
        items = [one["NotificationRequestItem"] for one in wrapped]
        if len(items) > _ITEMS_MAX:
            raise WebhookRefused("more items than Adyen sends at once")
        if not all(_is_genuine(item, key) for item in items):
            raise WebhookRefused("the signature is not of this item")
        return [event for item in items for event in _read(item, merchant_account)]
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise WebhookRefused(f"the body is no notification: {type(wrong).__name__}") from wrong


def _is_genuine(item: Mapping[str, Any], key: bytes) -> bool:
    given = str((item.get("additionalData") or {}).get("hmacSignature", ""))
    return hmac.compare_digest(given.encode(), signature_of(item, key).encode())


def _read(item: Mapping[str, Any], merchant_account: str) -> list[ProviderEvent]:
    ref, code = str(item["merchantReference"]), str(item["eventCode"])
    if item["merchantAccountCode"] != merchant_account or not ref.startswith(PREFIX):
        return []
    succeeded = str(item["success"]).lower() == "true"
    state, reason = _SUCCEEDED.get(code), ""
    if code in _ABOUT_REFUNDS and (not succeeded or code != "REFUND"):
        state, reason = PaymentState.FAILED, REFUND_FAILED
    elif not succeeded:
        state = PaymentState.FAILED if code == "AUTHORISATION" else None
    if state is None:
        return []
    if state is PaymentState.FAILED:
        reason = reason or str(item.get("reason") or code.lower())
    psp = str(item["pspReference"])
    said = f"{psp}:{code}:{item['success']}"
    # A chargeback that was won is money that comes anew: the first payment has gone back and stays so.
    known_as = f"{ref}-{psp}" if code == "CHARGEBACK_REVERSED" else ref
    amount, currency = int(item["amount"]["value"]), str(item["amount"]["currency"])
    return [ProviderEvent(said, known_as, state, amount, currency, _moment(item["eventDate"]), reason, psp)]


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
