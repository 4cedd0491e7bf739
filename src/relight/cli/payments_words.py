"""Payments and suggestions in words, for `relight payments`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from relight.core.money import format_amount
from relight.flow.payments.queue import Waiting, Whole
from relight.flow.payments.suggesting import Ground, Suggestion

_GROUNDS = {
    "names_bill": "the payer wrote {told}, a bill of this account",
    "names_customer": "the payer wrote {told}, this customer's number",
    "near_reference": "the payer wrote a number that is one slip away from {told}",
    "assigned_before": "somebody placed this payer's money here before",
    "paid_before": "this payer has paid here before",
    "same_name": "the payer is called like {told}",
    "owes_all": "it is all that the account owes",
    "owes_bill": "a bill of just this sum is open",
}
_ACTS = {
    "assigned": "{amount} placed on {account}",
    "taken_away": "{amount} taken off {account}",
    "parked": "set aside",
    "names_unknown": "names a bill that {account} has not",
    "paid_again": "for a bill of {account} that was paid already; {amount} is credit",
    "kept": "{amount} left on {account} for the next bill",
    "refund_asked": "{amount} asked back",
}

_WHY = {
    "unmatched": "",
    "names_unknown": ", names an unknown bill of {account}",
    "paid_again": ", for bill {bill} of {account}, which was paid already: keep it, or send it back",
}


def line_of(one: Waiting) -> str:
    """A payment of the queue."""
    sum_ = format_amount(one.rest or one.amount, one.currency, "en")
    whole = f" of {format_amount(one.amount, one.currency, 'en')}" if 0 < one.rest < one.amount else ""
    what = _WHY[one.why].format(account=one.account, bill=one.bill)
    note = f" ({one.note})" if one.note else ""
    return f"{one.id:>6}  {one.value_date}  {sum_}{whole}  {one.payer_name or '-'}  {one.reference or '-'}{what}{note}"


def suggestion_lines(suggestions: Sequence[Suggestion], currency: str) -> list[str]:
    """Whose it may be, the likeliest first, with each reason."""
    return [
        f"        → {one.ref} {one.name}, owes {format_amount(one.owed, currency, 'en')}: "
        + "; ".join(ground_in_words(ground) for ground in one.grounds)
        for one in suggestions
    ]


def ground_in_words(ground: Ground) -> str:
    """A reason."""
    return _GROUNDS[ground.code].format(told=ground.told)


def whole_lines(one: Whole) -> list[str]:
    """One payment: what it is, where it lies, what was done with it."""
    paid, currency = one.payment, one.payment.currency
    lines = [
        f"Payment {paid.id} of {format_amount(one.amount, currency, 'en')}, {one.state}, of {one.value_date} "
        f"by {one.source} ({one.ref})",
        f"  paid by {paid.payer_name or 'somebody'}{f', {paid.payer_account}' if paid.payer_account else ''}"
        f"{f', who wrote: {paid.reference}' if paid.reference else ''}",
    ]
    if paid.rest:
        lines.append(f"  {format_amount(paid.rest, currency, 'en')} lies on no account")
    lines += [
        f"  {format_amount(at.used + at.free, currency, 'en')} lies on {at.ref}, "
        f"{format_amount(at.free, currency, 'en')} of it is credit"
        for at in one.places
    ]
    for act in one.acts:
        said = _ACTS[act.code].format(amount=format_amount(act.amount, currency, "en"), account=act.account or "-")
        lines.append(f"  {act.at:%Y-%m-%d %H:%M} {said}, by {act.actor}{f': {act.note}' if act.note else ''}")
    return lines


def as_data(one: Any) -> dict[str, Any]:
    """A dataclass as `--json` prints it."""
    return asdict(one)
