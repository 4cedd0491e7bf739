"""Sums by table: what a Norwegian collector may charge, and the compensation that businesses owe each other.

The collector's table (inkassosalær) is in shares of the inkassosats, by principal; a light case costs one share, a
heavy one two, a business half as much again. The law of the claim's due date counts. What the pack knows from memory,
or not at all, is not charged. What a plan of many instalments adds we have not read clearly, so it adds nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

from relight.core.fees.answer import FeeAnswer, Why, nothing
from relight.core.fees.highest import Asked, flagged
from relight.core.money import parse_amount
from relight.core.rules.model import LawPack
from relight.core.rules.rates import Unknown, sum_on
from relight.core.spans import Span

DEMAND = "payment_demand"
TABLE, COMPENSATION = "collector_fee", "late_payment_compensation"


def collector_fee(pack: LawPack, asked: Asked, *, bears_vat: bool = False) -> FeeAnswer:
    """The most that the collector may charge the debtor in all until today, rounded down to the minor unit.

    The question is that of a fee (`collector`); its letter `payment_demand` is what makes a case, and in time a heavy
    one. `bears_vat`: the creditor cannot deduct the VAT on the collector's bill.
    """
    table = cast(Mapping[str, Any], pack.tables)["tables"].get(TABLE)
    if table is None:
        return nothing(Why("no_rule"))
    law = str(table["law"])
    if table["source"]["confidence"] != "verified":
        return nothing(Why("not_verified", law))
    against = flagged(pack, replace(asked, fee="collector"))
    if against:
        return nothing(*against)
    if asked.debt.due_date < date.fromisoformat(table["due_from"]):
        return nothing(Why("not_for", law, about=f"due before {table['due_from']}"))
    if DEMAND not in asked.letters:
        return nothing(Why("missing", law, about=DEMAND))
    unit = sum_on(pack, table["of"], asked.debt.due_date)
    if isinstance(unit, Unknown):
        return nothing(_unknown(unit, law, about=str(table["of"])))
    heavy = _is_heavy(table, asked)
    share = _share(table["bands"], asked.debt.principal, pack.currency)
    share *= _times(table, heavy=heavy, debtor=asked.debt.debtor, bears_vat=bears_vat)
    return FeeAnswer(int(unit * share), (Why("capped", law, about="heavy" if heavy else "light"),))


def compensation(pack: LawPack, *, debtor: str, today: date, fees: int = 0) -> FeeAnswer:
    """The standard compensation of a business that pays late, less the fees that it was charged for reminders."""
    amount = sum_on(pack, COMPENSATION, today, debtor=debtor)
    if isinstance(amount, Unknown):
        return nothing(Why("not_for", amount.law) if amount.lack == "no_table" else _unknown(amount, amount.law))
    law = str(cast(Mapping[str, Any], pack.tables)["rates"][COMPENSATION]["law"])
    return FeeAnswer(max(0, amount - fees), (Why("deducted" if fees else "capped", law),))


def _share(bands: Sequence[Mapping[str, Any]], principal: int, currency: str) -> Fraction:
    found = next(band for band in bands if "upto" not in band or principal <= parse_amount(str(band["upto"]), currency))
    return _exact(found["share"])


def _times(table: Mapping[str, Any], *, heavy: bool, debtor: str, bears_vat: bool) -> Fraction:
    times = _exact(table["heavy"]["times"]) if heavy else Fraction(1)
    if debtor == "business":
        times *= _exact(table["business_times"])
    return times * (1 + _exact(table.get("vat_percent", 0)) / 100) if bears_vat else times


def _is_heavy(table: Mapping[str, Any], asked: Asked) -> bool:
    """A light case becomes a heavy one on the day after so many days since the demand was sent."""
    return asked.today > asked.calendar.add(asked.letters[DEMAND].sent_date, Span.parse(table["heavy"]["after"]))


def _exact(number: object) -> Fraction:
    return Fraction(Decimal(str(number)))


def _unknown(why: Unknown, law: str, *, about: str = "") -> Why:
    return Why("not_verified" if why.lack == "not_verified" else "unknown", law, about=about)
