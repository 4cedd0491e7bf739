"""The frame of camt messages: where statements, entries and details stand, and what a statement says of itself."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from relight.flow.payments.files import camt_fields as fields
from relight.flow.payments.files.camt_entry import Entry
from relight.flow.payments.files.camt_fields import Unreadable
from relight.flow.payments.files.markup import Element
from relight.flow.payments.files.statements import Statement, end_of

# A message's element, which message it is, and what its statements are called.
MESSAGES = {
    "BkToCstmrAcctRpt": ("camt.052", "Rpt"),
    "BkToCstmrStmt": ("camt.053", "Stmt"),
    "BkToCstmrDbtCdtNtfctn": ("camt.054", "Ntfctn"),
}
FRAME = frozenset(("Document", *MESSAGES, "Rpt", "Stmt", "Ntfctn", "Ntry", "NtryDtls", "TxDtls"))
MESSAGE_AT, STATEMENT_AT, ENTRY_AT, DETAILS_AT = 2, 3, 4, 5
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)


def is_container(path: tuple[str, ...]) -> bool:
    """Whether an element is part of the frame: document, message, statement, entry, its details."""
    depth, name = len(path), path[-1]
    if depth <= MESSAGE_AT:
        return True
    if path[0] != "Document" or path[1] not in MESSAGES or depth > DETAILS_AT:
        return False
    return name == (MESSAGES[path[1]][1], "Ntry", "NtryDtls")[depth - STATEMENT_AT]


def read_statement(kind: str, element: Element, header: Element | None, zone: ZoneInfo) -> Statement:
    """A statement from the fields before its entries; `header` is the message's own.

    camt.053 counts legally (`LglSeqNb`), the others electronically; the other number stands where one is missing or 0.
    """
    account, currency = fields.account_of(element.first("Acct")), element.words("Acct", "Ccy")
    legal, electronic = (fields.number_of(element.words(name)) for name in ("LglSeqNb", "ElctrncSeqNb"))
    first, second = (legal, electronic) if kind == "camt.053" else (electronic, legal)
    statement = Statement(f"{kind} {account}{' ' if currency else ''}{currency}", element.line)
    statement.number = first or second or None
    statement.part, statement.is_last = _page(element, header)
    opening, closing = _balance(element, _OPENING), _balance(element, _CLOSING)
    if opening and closing and opening[1] == closing[1]:
        statement.opening, statement.closing, statement.currency = opening[0], closing[0], opening[1]
    statement.until = fields.moment_of(element.words("FrToDt", "ToDtTm"), zone) or _closing_day(element, zone)
    statement.until = statement.until or fields.moment_of(element.words("CreDtTm"), zone)
    return statement


def _page(element: Element, header: Element | None) -> tuple[int, bool]:
    found = next((child for child in element.children if child.name.endswith("Pgntn")), None)
    found = found or (header.first("MsgPgntn") if header else None)
    if found is None:
        return 1, True
    return fields.number_of(found.words("PgNb")) or 1, found.words("LastPgInd") != "false"


def _balance(element: Element, codes: tuple[str, ...]) -> tuple[int, str] | None:
    """A balance, signed, with its currency; None when none is told, or none that can be read."""
    for code in codes:
        for balance in element.all("Bal"):
            if balance.words("Tp", "CdOrPrtry", "Cd") != code:
                continue
            try:
                amount, currency = fields.amount_of(fields.needed(balance, "Amt"))
                return (amount if fields.is_credit(balance) else -amount), currency
            except Unreadable:
                return None
    return None


def _closing_day(element: Element, zone: ZoneInfo) -> datetime | None:
    for balance in element.all("Bal"):
        if balance.words("Tp", "CdOrPrtry", "Cd") in _CLOSING:
            try:
                day = fields.day_of(balance, "Dt")
            except Unreadable:
                return None
            return end_of(day, zone) if day else None
    return None


@dataclass(slots=True)
class Tally:
    """What the entries of one statement come to, held against what it says itself."""

    is_sure: bool = True  # every entry could be read
    booked: int = 0  # signed, in the currency of the balances
    credits: int = 0
    credit_total: int = 0
    booked_credits: int = 0
    booked_credit_total: int = 0

    def add(self, entry: Entry, currency: str) -> None:
        """Count an entry; one that cannot be read makes the sums unsure."""
        try:
            amount, is_booked, is_credit = entry.amount, fields.state_of(entry.element) == "BOOK", entry.is_credit
            if currency and entry.currency != currency:
                raise Unreadable(entry.element.line, "Amt", "Another currency.")
        except Unreadable:
            self.is_sure = False
            return
        if is_booked:
            self.booked += amount if is_credit else -amount
        if is_credit:
            self.credits, self.credit_total = self.credits + 1, self.credit_total + amount
            if is_booked:
                self.booked_credits += 1
                self.booked_credit_total += amount

    def contradiction(self, statement: Statement, summary: Element | None) -> str:
        """Why the statement does not add up; empty when it does, or when nobody can tell."""
        if not self.is_sure:
            return ""
        if statement.opening is not None and statement.closing is not None and _is_one_page(statement):
            ends = statement.opening + self.booked
            if ends != statement.closing:
                return (
                    f"From {statement.opening} its entries lead to {ends}, and it says {statement.closing} (in minor "
                    "units): it was changed on the way. Fetch the file again."
                )
        stated = _stated_credits(summary) if summary is not None and _is_one_page(statement) else None
        found = ((self.credits, self.credit_total), (self.booked_credits, self.booked_credit_total))
        if stated and not any(_agree(stated, one) for one in found):
            return "It does not hold the payments that its own summary counts. Fetch the file again."
        return ""


def _is_one_page(statement: Statement) -> bool:
    return statement.part == 1 and statement.is_last


def _stated_credits(summary: Element) -> tuple[int | None, str]:
    return (
        fields.number_of(summary.words("TtlCdtNtries", "NbOfNtries")),
        summary.words("TtlCdtNtries", "Sum"),
    )


def _agree(stated: tuple[int | None, str], found: tuple[int, int]) -> bool:
    count, total = stated
    whole, _, fraction = total.partition(".")
    if total and (not whole.isdecimal() or (fraction and not fraction.isdecimal())):
        return True  # a summary that cannot be read proves nothing
    minor = int(whole + fraction[:2].ljust(2, "0")) if total else found[1]
    return (count is None or count == found[0]) and minor == found[1]
