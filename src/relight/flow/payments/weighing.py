"""What a provider's word means for an order of ours. Pure: no database, no clock."""

from dataclasses import dataclass
from enum import StrEnum

from relight.flow.payments.port import REFUND_FAILED, PaymentState, ProviderEvent

MONEY_CAME = frozenset({PaymentState.CONFIRMED, PaymentState.BOOKED})


class Verdict(StrEnum):
    """What became of a notice; kept beside it."""

    PAID = "paid"
    ON_ITS_WAY = "on_its_way"
    FAILED = "failed"
    RETURNED = "returned"
    NOTED = "noted"
    REFUNDED = "refunded"  # we gave it back ourselves, and have booked that
    REFUND_FAILED = "refund_failed"
    MISMATCH = "mismatch"  # another sum or currency than we asked for
    UNKNOWN = "unknown"  # we never asked for it


@dataclass(frozen=True, slots=True)
class AskedFor:
    """An order of ours. `told_before`: the provider has told of money for it, so a payment is on record.

    `refunded` is what we ordered to be given back of it.
    """

    checkout_id: int
    account_id: int
    account_ref: str
    case_id: int
    amount: int
    currency: str
    told_before: bool
    refunded: int = 0


@dataclass(frozen=True, slots=True)
class Weighed:
    """A verdict, and what follows: the state of the checkout, whether money is recorded, a task for a person."""

    verdict: Verdict
    checkout: str = ""
    settles: bool = False
    task: str = ""


def weigh(event: ProviderEvent, order: AskedFor | None) -> Weighed:
    """Money that came is always recorded, with the sum that the provider says; anything odd is for a person besides."""
    came = event.state in MONEY_CAME
    if order is None:
        return Weighed(
            Verdict.UNKNOWN,
            settles=came,
            task="payment_unknown" if came or event.state is PaymentState.RETURNED else "",
        )
    if event.state is PaymentState.FAILED and event.reason == REFUND_FAILED:
        return Weighed(Verdict.REFUND_FAILED, task="refund_failed")
    if event.state is PaymentState.RETURNED and order.refunded:
        return _back_after_refunds(event, order)
    if event.state is PaymentState.FAILED:
        return Weighed(Verdict.FAILED, checkout="failed", settles=order.told_before)
    if event.state is PaymentState.ORDERED:
        return Weighed(Verdict.NOTED)
    if (event.amount, event.currency) != (order.amount, order.currency):
        # Part of it went back: the ledger takes back whole payments only, so a person books the rest.
        return Weighed(Verdict.MISMATCH, settles=came, task="payment_mismatch")
    if event.state is PaymentState.RETURNED:
        return Weighed(Verdict.RETURNED, settles=True)
    if event.state is PaymentState.AUTHORISED:
        return Weighed(Verdict.ON_ITS_WAY, settles=True)
    return Weighed(Verdict.PAID, checkout="paid", settles=True)


def _back_after_refunds(event: ProviderEvent, order: AskedFor) -> Weighed:
    """Money that went back of a payment that we gave back in part or whole: ours, unless it is more than that."""
    if event.currency == order.currency and event.amount <= order.refunded:
        return Weighed(Verdict.REFUNDED)
    return Weighed(Verdict.MISMATCH, task="payment_mismatch")
