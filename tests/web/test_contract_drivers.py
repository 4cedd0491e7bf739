"""The contract that every payment provider keeps, held against its counterpart: docs/payments.md says which."""

from datetime import UTC, date, datetime

import pytest

from relight.flow.payments.port import Order, PaymentState, ProviderUnavailable, RefundOrder, WebhookRefused
from relight.flow.payments.providers import provider
from tests.counterparts.tills import OLD, Till

pytestmark = pytest.mark.counterpart

OWED = 89900
DAY = date(2026, 3, 2)


def order(key: str = "5f0e2b7c9d", amount: int = OWED) -> Order:
    return Order(key, amount, "NOK", "Nordlys 2345676", "2345676", "https://betal.example/p/token/status")


def now() -> datetime:
    return datetime.now(UTC)


def told(events: object) -> list[tuple[str, PaymentState, int, str]]:
    return [(one.provider_ref, one.state, one.amount, one.currency) for one in events]  # type: ignore[attr-defined]


def test_the_same_order_twice_is_one_payment(till: Till) -> None:
    made = [till.heeds_keys.create(order("aa11bb22")) for _ in range(2)]

    assert made[0] == made[1]
    assert till.orders_taken() == 1


def test_an_order_leads_to_a_page_of_the_providers(till: Till) -> None:
    made = till.provider.create(order())

    assert made.redirect_url.startswith("http")
    assert made.provider_ref


def test_the_provider_tells_that_the_customer_paid(till: Till) -> None:
    ref = till.provider.create(order()).provider_ref
    till.pays(ref)

    events = till.provider.parse_webhook(*till.webhook(ref), now())

    assert told(events) == [(ref, PaymentState.CONFIRMED, OWED, "NOK")]


def test_the_provider_tells_that_the_bank_said_no(till: Till) -> None:
    ref = till.provider.create(order()).provider_ref
    till.declines(ref)

    events = till.provider.parse_webhook(*till.webhook(ref, what="declined"), now())

    assert told(events) == [(ref, PaymentState.FAILED, OWED, "NOK")]
    assert events[0].reason


def test_the_same_webhook_twice_is_the_same_event(till: Till) -> None:
    ref = till.provider.create(order()).provider_ref
    till.pays(ref)
    webhook = till.webhook(ref)

    first, second = (till.provider.parse_webhook(*webhook, now()) for _ in range(2))

    assert [one.event_id for one in first] == [one.event_id for one in second]


def test_what_a_stranger_sends_is_refused(till: Till) -> None:
    ref = till.provider.create(order()).provider_ref
    till.pays(ref)

    for webhook in till.forged(ref):
        with pytest.raises(WebhookRefused):
            till.provider.parse_webhook(*webhook, now())


def test_a_body_that_was_changed_after_signing_is_refused(till: Till) -> None:
    ref = till.provider.create(order()).provider_ref
    till.pays(ref)

    with pytest.raises(WebhookRefused):
        till.provider.parse_webhook(*till.changed(ref, OWED), now())


@pytest.mark.parametrize("till", ["testpay", "stripe", "vipps"], indirect=True)
def test_a_signature_that_tells_its_age_is_taken_for_five_minutes(till: Till) -> None:
    ref = till.provider.create(order()).provider_ref
    till.pays(ref)

    for at in (now() - OLD, now() + OLD):
        with pytest.raises(WebhookRefused, match="too old"):
            till.provider.parse_webhook(*till.webhook(ref, at=at), now())


def test_asking_finds_what_the_webhook_did_not_tell(till: Till) -> None:
    made = till.provider.create(order())
    before = till.provider.poll(made.provider_ref, now(), made.handle)
    till.pays(made.provider_ref)

    after = till.provider.poll(made.provider_ref, now(), made.handle)

    assert before == []
    assert told(after) == [(made.provider_ref, PaymentState.CONFIRMED, OWED, "NOK")]
    again = till.provider.poll(made.provider_ref, now(), made.handle)
    assert [one.event_id for one in again] == [one.event_id for one in after]


def test_an_open_payment_can_be_ended_and_a_paid_one_cannot(till: Till) -> None:
    left, paid = till.provider.create(order("left-open")), till.provider.create(order("was-paid"))
    till.pays(paid.provider_ref)

    ended = till.provider.cancel(left.provider_ref, left.handle)
    kept = till.provider.cancel(paid.provider_ref, paid.handle)

    assert (ended, kept) == (True, False)


def test_money_goes_back_once_however_often_it_is_asked_for(till: Till) -> None:
    made = till.provider.create(order())
    till.pays(made.provider_ref)
    (paid,) = till.provider.parse_webhook(*till.webhook(made.provider_ref), now())
    back = RefundOrder(
        key="back-1", provider_ref=made.provider_ref, amount=10100, currency="NOK", operation=paid.operation
    )

    numbers = [till.provider.refund(back) for _ in range(1 if till.name == "stripe" else 2)]

    assert len(set(numbers)) == 1
    assert numbers[0]
    returned = till.provider.parse_webhook(*till.webhook(made.provider_ref, what="refunded", amount=10100), now())
    assert (made.provider_ref, PaymentState.RETURNED, 10100, "NOK") in told(returned)


@pytest.mark.parametrize("till", ["testpay", "vipps", "mollie", "adyen"], indirect=True)  # localstripe gives it back
def test_more_than_was_paid_does_not_go_back(till: Till) -> None:
    made = till.provider.create(order())
    till.pays(made.provider_ref)
    (paid,) = till.provider.parse_webhook(*till.webhook(made.provider_ref), now())

    with pytest.raises(ProviderUnavailable):
        till.provider.refund(
            RefundOrder(
                key="back-2",
                provider_ref=made.provider_ref,
                amount=OWED + 1,
                currency="NOK",
                operation=paid.operation,
            )
        )


def test_a_day_of_settlements_is_read_gross_and_ours_alone(till: Till) -> None:
    ref = till.provider.create(order()).provider_ref
    till.pays(ref)
    till.provider.parse_webhook(*till.webhook(ref), now())
    till.settles(ref, DAY)

    events = till.settlements.reconcile(DAY, now())

    assert told(events) == [(ref, PaymentState.BOOKED, OWED, "NOK")]


def test_a_provider_that_does_not_answer_is_a_refusal_in_words(till: Till) -> None:
    away = provider({till.name: till.unreachable}, till.name)

    with pytest.raises(ProviderUnavailable) as refused:
        away.create(order())

    assert str(refused.value)
