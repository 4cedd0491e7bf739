"""Whose an unmatched payment may be: accounts with the reasons that speak for them, the strongest first.

A suggestion is never more than that: a person assigns. What many bills have in common (a price) suggests nothing by
itself, it only speaks for an account that something else speaks for too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from relight.flow.database import Tx, statements
from relight.flow.payments.names import alike, near, payer_key, texts_in, words_of

SQL = statements(__package__, "suggesting.sql")

# How much each reason weighs: a number that stands in the message says most, a sum that fits by chance least.
WEIGHTS = {
    "names_bill": 100,
    "names_customer": 90,
    "near_reference": 80,
    "assigned_before": 70,
    "paid_before": 50,
    "same_name": 50,
    "owes_all": 35,
    "owes_bill": 30,
}
SHOWN_MAX = 5
CHANCE_MAX = 5  # so many bills with just this sum are still worth looking at
NAMES_MAX = 2_000


class Loose(NamedTuple):
    """A payment that waits, with what is known of it: `rest` in minor units, what was written, and who paid."""

    id: int
    rest: int
    currency: str
    reference: str
    payer_name: str
    payer_account: str


class Ground(NamedTuple):
    """A reason: its code (in `WEIGHTS`) and what it rests on, such as the number that was written."""

    code: str
    told: str = ""


@dataclass(slots=True)
class Suggestion:
    """An account that may be meant, why, and which of its bills, the likeliest first. `owed` in minor units."""

    account_id: int
    ref: str = ""
    name: str = ""
    owed: int = 0
    grounds: list[Ground] = field(default_factory=list)
    claim_ids: list[int] = field(default_factory=list)

    @property
    def weight(self) -> int:
        """How much speaks for it."""
        return sum(WEIGHTS[code] for code in {ground.code for ground in self.grounds})

    def add(self, code: str, told: str = "", claim_id: int | None = None) -> None:
        """One more reason; the same one twice is one."""
        if Ground(code, told) not in self.grounds:
            self.grounds.append(Ground(code, told))
        if claim_id is not None and claim_id not in self.claim_ids:
            self.claim_ids.append(claim_id)


Found = dict[int, dict[int, Suggestion]]


def suggest(tx: Tx, payments: Sequence[Loose], *, thorough: bool = True) -> dict[int, list[Suggestion]]:
    """Suggestions for each payment, the strongest first. `thorough` reads all customers' names and all that is owed:
    for one payment at a time; the rest is found by index.
    """
    found: Found = {one.id: {} for one in payments}
    if not payments:
        return {}
    _by_texts(tx, payments, found)
    _by_payer(tx, payments, found)
    if thorough:
        _by_name(tx, payments, found)
        _by_amount(tx, payments, found)
    _weigh_sums(tx, payments, found)
    return {payment: _ranked(accounts.values()) for payment, accounts in found.items()}


def _ranked(suggestions: Iterable[Suggestion]) -> list[Suggestion]:
    return sorted(suggestions, key=lambda one: (-one.weight, one.account_id))[:SHOWN_MAX]


def _at(found: Found, payment: int, account: int) -> Suggestion:
    return found[payment].setdefault(account, Suggestion(account))


def _by_texts(tx: Tx, payments: Sequence[Loose], found: Found) -> None:
    """Numbers that stand in the message, as they are and with a slip."""
    written = _pairs((one.id, {one.reference, *texts_in(one.reference)} - {""}) for one in payments)
    for payment, account, text, claim in tx.rows(SQL.by_text, {**written, "open": False}):
        _at(found, payment, account).add("names_bill", text, claim)
    for payment, account, text in tx.rows(SQL.by_customer, written):
        _at(found, payment, account).add("names_customer", text)
    slipped = _pairs(
        (one.id, [text for written in texts_in(one.reference) for text in near(written)]) for one in payments
    )
    for payment, account, text, claim in tx.rows(SQL.by_text, {**slipped, "open": True}):
        _at(found, payment, account).add("near_reference", text, claim)


def _by_payer(tx: Tx, payments: Sequence[Loose], found: Found) -> None:
    given = {
        "payments": [one.id for one in payments],
        "keys": [payer_key(one.payer_name) for one in payments],
        "banks": [one.payer_account for one in payments],
        "names": [one.payer_name for one in payments],
    }
    for payment, account, code in tx.rows(SQL.by_payer, given):
        _at(found, payment, account).add(code)


def _by_name(tx: Tx, payments: Sequence[Loose], found: Found) -> None:
    words = {one.id: words_of(one.payer_name) for one in payments}
    likes = {payment: " ".join(told) for payment, told in words.items() if len(told) >= 2}
    if not likes:
        return
    given = {"payments": list(likes), "likes": list(likes.values()), "most": NAMES_MAX}
    for payment, account, name in tx.rows(SQL.by_name, given):
        if alike(words[payment], words_of(name)):
            _at(found, payment, account).add("same_name", name)


def _by_amount(tx: Tx, payments: Sequence[Loose], found: Found) -> None:
    """Bills of just this sum, where they are few enough to be told apart."""
    given = {
        "payments": [one.id for one in payments],
        "rests": [one.rest for one in payments],
        "currencies": [one.currency for one in payments],
        "most": CHANCE_MAX + 1,
    }
    by_payment: dict[int, list[tuple[int, int]]] = {}
    for payment, account, claim in tx.rows(SQL.by_amount, given):
        by_payment.setdefault(payment, []).append((account, claim))
    for payment, bills in by_payment.items():
        for account, claim in bills if len(bills) <= CHANCE_MAX else ():
            _at(found, payment, account).add("owes_bill", claim_id=claim)


def _weigh_sums(tx: Tx, payments: Sequence[Loose], found: Found) -> None:
    """Who the accounts are, and whether what they owe is what was paid. Accounts in another currency are left out."""
    known = {account for accounts in found.values() for account in accounts}
    rows: list[tuple[Any, ...]] = tx.rows(SQL.candidates, {"accounts": sorted(known)}) if known else []
    told = {row[0]: row[1:] for row in rows}
    for one in payments:
        for account, suggestion in list(found[one.id].items()):
            ref, name, currency, owed, claims, sums = told[account]
            if currency != one.currency:
                del found[one.id][account]
                continue
            suggestion.ref, suggestion.name, suggestion.owed = ref, name, owed
            for claim, amount in zip(claims, sums, strict=True):
                if amount == one.rest:
                    suggestion.add("owes_bill", claim_id=claim)
            if owed == one.rest and len(claims) > 1:
                suggestion.add("owes_all")
            suggestion.claim_ids = [claim for claim in suggestion.claim_ids if claim in claims]


def _pairs(texts: Iterable[tuple[int, Iterable[str]]]) -> dict[str, list[Any]]:
    pairs = [(payment, text) for payment, written in texts for text in sorted(written)]
    return {"payments": [payment for payment, _ in pairs], "texts": [text for _, text in pairs]}
