"""Signatures of webhooks against the examples that the providers publish."""

import json
from datetime import UTC, datetime

import pytest

from relight.drivers.adyen_notification import read_notification, signature_of
from relight.drivers.vipps_signature import authorisation, content_hash, verified
from relight.flow.payments.port import REFUND_FAILED, PaymentState, WebhookRefused

# Adyen's documentation, "Verify HMAC signatures": a test payment of 11.30 EUR.
ADYEN_KEY = bytes.fromhex("44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056")
ADYEN_ITEM = {
    "pspReference": "7914073381342284",
    "originalReference": "",
    "merchantAccountCode": "TestMerchant",
    "merchantReference": "TestPayment-1407325143704",
    "amount": {"currency": "EUR", "value": 1130},
    "eventCode": "AUTHORISATION",
    "success": "true",
}
# Vipps MobilePay's documentation, "Request authentication" of webhooks.
VIPPS_SECRET = "A0+AeKBRG2KRGvnNwJpQlb6IJFk48CKXCIcrLoHncVJKDILsQSxS6NWCccwWm6r6FhGKhiHTBsG2wo/xU6FY/A=="
VIPPS_BODY = b'{"some-unique-content":"ee6e441b-cc4a-46f8-895d-a5af79bcc233/hello-world"}'
VIPPS_URL = "https://webhook.site/e2cee29b-012e-4f1d-8ef4-e95fd74a7a63"
VIPPS_DATE = "Thu, 30 Mar 2023 08:38:32 GMT"


def test_adyens_published_example_has_the_published_signature() -> None:
    assert signature_of(ADYEN_ITEM, ADYEN_KEY) == "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="


def test_vipps_published_example_has_the_published_hash_and_signature() -> None:
    header = authorisation(secret=VIPPS_SECRET, url=VIPPS_URL, date=VIPPS_DATE, body=VIPPS_BODY)

    assert content_hash(VIPPS_BODY) == "lNlsp1XA03N34HrQsVzPgJKtC+r7l/RBF4V3JQUWMj4="
    assert header.endswith("&Signature=agAiSyogQbDHpeucoNwYz+yAr5nJ+v+zasdkSbqzv+U=")


def test_a_vipps_webhook_for_another_address_is_refused() -> None:
    header = authorisation(secret=VIPPS_SECRET, url=VIPPS_URL, date=VIPPS_DATE, body=VIPPS_BODY)
    headers = {"X-Ms-Date": VIPPS_DATE, "X-Ms-Content-Sha256": content_hash(VIPPS_BODY), "Authorization": header}
    sent = datetime(2023, 3, 30, 8, 38, 40, tzinfo=UTC)

    told = verified(headers, VIPPS_BODY, sent, secret=VIPPS_SECRET, url=VIPPS_URL)

    assert "some-unique-content" in told
    with pytest.raises(WebhookRefused):
        verified(headers, VIPPS_BODY, sent, secret=VIPPS_SECRET, url="https://betal.example/webhooks/x/vipps")


def notification(**changed: object) -> bytes:
    item = {
        **ADYEN_ITEM,
        "merchantReference": "rl-5f0e2b7c",
        "eventDate": "2026-03-02T10:00:00+01:00",
        **changed,
    }
    item["additionalData"] = {"hmacSignature": signature_of(item, ADYEN_KEY)}
    return json.dumps({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}).encode()


@pytest.mark.parametrize(
    ("changed", "state", "reason"),
    [
        ({"eventCode": "PENDING"}, PaymentState.AUTHORISED, ""),
        ({"eventCode": "CHARGEBACK"}, PaymentState.RETURNED, ""),
        ({"eventCode": "CAPTURE_FAILED"}, PaymentState.RETURNED, ""),
        ({"eventCode": "REFUND", "success": "false"}, PaymentState.FAILED, REFUND_FAILED),
        ({"eventCode": "REFUND_FAILED"}, PaymentState.FAILED, REFUND_FAILED),
        ({"eventCode": "OFFER_CLOSED"}, PaymentState.FAILED, "offer_closed"),
    ],
    ids=lambda value: str(value.get("eventCode", "")) if isinstance(value, dict) else "",
)
def test_what_adyens_other_events_mean(changed: dict[str, str], state: PaymentState, reason: str) -> None:
    (event,) = read_notification(notification(**changed), key=ADYEN_KEY, merchant_account="TestMerchant")

    assert (event.provider_ref, event.state, event.reason) == ("rl-5f0e2b7c", state, reason)


def test_a_chargeback_that_was_won_is_money_that_comes_anew() -> None:
    body = notification(eventCode="CHARGEBACK_REVERSED", pspReference="9914073381342284")

    (event,) = read_notification(body, key=ADYEN_KEY, merchant_account="TestMerchant")

    assert (event.provider_ref, event.state) == ("rl-5f0e2b7c-9914073381342284", PaymentState.BOOKED)


@pytest.mark.parametrize(
    "changed",
    [{"merchantReference": "another shop's"}, {"merchantAccountCode": "Another"}, {"eventCode": "REPORT_AVAILABLE"}],
    ids=["another shop", "another account", "a report"],
)
def test_what_adyen_tells_of_others_is_taken_in_silence(changed: dict[str, str]) -> None:
    assert read_notification(notification(**changed), key=ADYEN_KEY, merchant_account="TestMerchant") == []


def test_one_forged_item_spoils_the_whole_notification() -> None:
    told = json.loads(notification())
    forged = json.loads(notification(amount={"currency": "EUR", "value": 1}))["notificationItems"][0]
    forged["NotificationRequestItem"]["amount"]["value"] = 99

    with pytest.raises(WebhookRefused):
        read_notification(
            json.dumps({"notificationItems": [*told["notificationItems"], forged]}).encode(),
            key=ADYEN_KEY,
            merchant_account="TestMerchant",
        )
