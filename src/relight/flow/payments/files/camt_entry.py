"""One entry of a camt statement, and its details: what came in, what went back, and what is neither.

Which amounts an entry's details have decides how it is read. That is known only at its end, so the first reading of the
file leaves a `Shape` for each entry.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

from relight.flow.payments.files import camt_fields as fields
from relight.flow.payments.files.camt_fields import Unreadable
from relight.flow.payments.files.markup import Element

# Sub-families of bank transaction codes (ISO 20022) for money that goes back where it came from.
_RETURN_CODES = frozenset(("RRTN", "RPCR", "UPDD", "PRDD", "RCDD"))


class Shape(IntEnum):
    """How an entry is to be read."""

    ONE = 0  # one payment, with the entry's sum
    SPLIT = 1  # a batch whose details have their own sums, which come to the entry's
    BATCH = 2  # a batch that cannot be split
    WRONG = 3  # details that do not come to the entry's sum


@dataclass(slots=True)
class Entry:
    """An entry being read: its element with the fields before its details, and what the details come to."""

    element: Element
    index: int
    details: int = 0
    stated: int = 0  # how many payments its batches say they hold
    sums: int = 0  # details with a sum in the entry's currency
    total: int = 0  # signed as the entry: plus for its own direction
    charges: int = 0
    problems: list[Unreadable] = field(default_factory=list[Unreadable])
    misplaced: bool = False  # something of the file's frame stands inside it

    def add_batch(self, batch: Element) -> None:
        """What a batch says of itself."""
        self.stated += fields.number_of(batch.words("NbOfTxs")) or 0

    def add_details(self, details: Element) -> None:
        """Count one payment's details; what cannot be read makes the entry wrong."""
        self.details += 1
        try:
            amount = own_amount(details, self.currency)
            if amount is not None:
                self.sums += 1
                self.total += amount if details_credit(details, self) == self.is_credit else -amount
            self.charges += _charges(details, self.currency)
        except Unreadable as problem:
            self.problems.append(problem)

    @property
    def currency(self) -> str:
        """The entry's currency. Raises `Unreadable`."""
        return fields.amount_of(fields.needed(self.element, "Amt"))[1]

    @property
    def amount(self) -> int:
        """The entry's sum in minor units. Raises `Unreadable`."""
        return fields.amount_of(fields.needed(self.element, "Amt"))[0]

    @property
    def is_credit(self) -> bool:
        """Whether money came in. Raises `Unreadable`."""
        return fields.is_credit(self.element)

    def shape(self) -> Shape:
        """How to read it, once all its details are counted. Raises `Unreadable`."""
        if self.misplaced:
            return Shape.WRONG
        if self.problems and self.details > 1:
            # The others are held against what is left for the unreadable ones.
            rest = self.details == self.sums + len(self.problems) and self.total < self.amount
            return Shape.SPLIT if rest else Shape.WRONG
        if self.details > 1 and self.sums < self.details:
            return Shape.BATCH
        if self.details <= 1 and self.stated > 1:
            return Shape.BATCH
        charges = self.charges + _charges(self.element, self.currency)
        adds_up = not self.sums or self.total == self.amount or abs(self.total - self.amount) == charges
        if not adds_up:
            return Shape.WRONG
        return Shape.SPLIT if self.details > 1 else Shape.ONE


def own_amount(details: Element, currency: str) -> int | None:
    """The details' own sum in the entry's currency: `Amt` in later versions, `AmtDtls` in earlier ones."""
    for amount in (*details.all("Amt"), *details.all("AmtDtls", "TxAmt", "Amt")):
        if amount.attributes.get("Ccy", "").strip() == currency:
            return fields.amount_of(amount)[0]
    return None


def details_credit(details: Element, entry: Entry) -> bool:
    """Whether these details are money that came in: their own word, else the entry's. Raises `Unreadable`."""
    return fields.is_credit(details) if details.first("CdtDbtInd") else entry.is_credit


def is_return(entry: Element, details: Element | None) -> bool:
    """Whether money that went out is a payment that goes back: reversed, returned, or a direct debit that failed.

    Money that came in with these marks is money that came in: a return that was taken back, or a refund that bounced.
    """
    if fields.is_reversal(entry):
        return True
    codes = [entry.words("BkTxCd", "Domn", "Fmly", "SubFmlyCd")]
    if details is not None:
        if details.first("RtrInf"):
            return True
        codes.append(details.words("BkTxCd", "Domn", "Fmly", "SubFmlyCd"))
    return not _RETURN_CODES.isdisjoint(codes)


def reason_of(details: Element) -> str:
    """Why the money went back, as the bank's code says; empty where it says nothing."""
    reason = details.first("RtrInf", "Rsn")
    return fields.short((reason.words("Cd") or reason.words("Prtry")) if reason else "")


def days_of(entry: Element) -> tuple[date, date]:
    """The day it was booked, and the day it counts from; either stands for the other. Raises `Unreadable`."""
    booked, value = fields.day_of(entry, "BookgDt"), fields.day_of(entry, "ValDt")
    found = booked or value
    if found is None:
        raise Unreadable(entry.line, "BookgDt", "There is no booking date and no value date. Ask the bank.")
    return found, value or found


def references_of(details: Element) -> str:
    """What the payer refers to: the structured reference, else an invoice's number, else the free text.

    Several different ones leave the first: the account is the same, and what is left pays the oldest claim.
    """
    structured = [found.text for found in details.all("RmtInf", "Strd", "CdtrRefInf", "Ref") if found.text.strip()]
    structured = structured or [
        found.text
        for path in (("CdtrRefInf", "CdtrRef"), ("RfrdDocInf", "Nb"), ("RfrdDocInf", "RfrdDocNb"))
        for found in details.all("RmtInf", "Strd", *path)
        if found.text.strip()
    ]
    if structured:
        return fields.short(structured[0])
    return fields.short(" ".join(found.text for found in details.all("RmtInf", "Ustrd")))


def payer_of(details: Element) -> tuple[str, str]:
    """The payer's name and account, as far as they are told."""
    parties = details.first("RltdPties")
    if parties is None:
        return "", ""
    paths = (("Dbtr", "Nm"), ("Dbtr", "Pty", "Nm"), ("UltmtDbtr", "Nm"), ("UltmtDbtr", "Pty", "Nm"))
    name = next((found for path in paths if (found := parties.words(*path))), "")
    return fields.short(name), fields.account_of(parties.first("DbtrAcct"))


def _charges(element: Element, currency: str) -> int:
    charges = element.first("Chrgs")
    if charges is None:
        return 0
    found = charges.all("TtlChrgsAndTaxAmt") or charges.all("Rcrd", "Amt") or charges.all("Amt")
    return sum(fields.amount_of(amount)[0] for amount in found if amount.attributes.get("Ccy", "") == currency)
