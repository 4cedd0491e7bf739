"""What a provider's word means for an order of ours. Pure: no database, no clock."""

from dataclasses import dataclass
from enum import StrEnum

from relight.flow.payments.port import PaymentState, ProviderEvent

MONEY_CAME = frozenset({PaymentState.CONFIRMED, PaymentState.BOOKED})


class Verdict(StrEnum):
    """What became of a notice; kept beside it."""

    PAID = "paid"
    ON_ITS_WAY = "on_its_way"
    FAILED = "failed"
    RETURNED = "returned"
    NOTED = "noted"
    MISMATCH = "mismatch"  # another sum or currency than we asked for
    UNKNOWN = "unknown"  # we never asked for it


@dataclass(frozen=True, slots=True)
class AskedFor:
    """An order of ours. `told_before`: the provider has told of money for it, so a payment is on record."""

    checkout_id: int
    account_id: int
    account_ref: str
    case_id: int
    amount: int
    currency: str
    told_before: bool


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
