"""camt.052, 053 and 054 (ISO 20022, versions 2 to 13) as payments, row by row.

`read` counts what the entries' details count, else the entries. What is booked and came in is a payment; debits, what
is only announced, and batches that cannot be split are shown as such; what went back is the return of a payment.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.fields import Problem
from relight.flow.claims.rows import PaymentRow
from relight.flow.payments.files import camt_fields as fields
from relight.flow.payments.files.camt_entry import (
    Entry,
    Shape,
    days_of,
    details_credit,
    is_return,
    own_amount,
    payer_of,
    reason_of,
    references_of,
)
from relight.flow.payments.files.camt_fields import Unreadable
from relight.flow.payments.files.camt_statement import (
    DETAILS_AT,
    ENTRY_AT,
    FRAME,
    MESSAGE_AT,
    MESSAGES,
    STATEMENT_AT,
    Tally,
    is_container,
    read_statement,
)
from relight.flow.payments.files.identity import Names, said
from relight.flow.payments.files.markup import BrokenMarkup, Element, Is, Piece, UnsafeMarkup, pieces
from relight.flow.payments.files.series import Series
from relight.flow.payments.files.statements import Statement, Sums
from relight.flow.payments.rows import Booking, ReadPayment, reference_of

_CHILDREN_MAX = 60  # fields of an entry or statement that are kept
_ENTRY_FIELDS = frozenset(
    ("Amt", "CdtDbtInd", "RvslInd", "Sts", "BookgDt", "ValDt", "AcctSvcrRef", "BkTxCd", "Chrgs", "NtryRef")
)
_STATEMENT_FIELDS = frozenset(
    ("Id", "ElctrncSeqNb", "LglSeqNb", "CreDtTm", "FrToDt", "Acct", "Bal", "TxsSummry", "StmtPgntn", "RptPgntn",
     "NtfctnPgntn")
)  # fmt: skip
_ONCE = ("Refs", "Amt", "CdtDbtInd", "AmtDtls", "RltdPties", "RmtInf", "RtrInf")
_WRONG = "The payments of this entry do not come to its sum, so none of them is booked. Fetch the file again."


class CamtFile:
    """One file; `read` it once. Raises `UnableToImport` when it is no camt file, or one that would harm its reader."""

    def __init__(self, path: Path, zone: ZoneInfo):
        self.path, self.zone = path, zone
        self.series = Series()
        self.kind = ""
        self._sums = self._add_up()
        self._names = Names()

    def read(self) -> Iterator[ReadPayment]:
        """Payments, returns and what is neither, in the order of the file."""
        frame = _Frame(self.zone)
        try:
            for piece in self._pieces():
                frame.take(piece)
                yield from self._rows(piece, frame)
        except BrokenMarkup as broken:
            self.series.is_whole = False
            yield ReadPayment(broken.line, None, (Problem(broken.line, "line", str(broken)),))

    def _pieces(self) -> Iterator[Piece]:
        with self.path.open("rb") as file:
            yield from pieces(file, is_container)

    def _add_up(self) -> Sums:
        """The first reading: each entry's shape, and the statements that do not add up."""
        sums, frame = Sums(), _Frame(self.zone)
        try:
            for piece in self._pieces():
                frame.take(piece)
                self._weigh(piece, frame, sums)
        except UnsafeMarkup as refused:
            raise UnableToImport(f"{self.path.name} is refused: {refused} Ask your bank for a plain file.") from None
        except BrokenMarkup as broken:
            if not self.kind:
                reason = f"{self.path.name} is no camt file: on line {broken.line}: {broken}"
                raise UnableToImport(f"{reason} Give it its own --format, or fetch it again.") from None
        if not self.kind:
            raise UnableToImport(f"{self.path.name} holds no camt.052, 053 or 054 message. Look at what it is.")
        return sums

    def _weigh(self, piece: Piece, frame: "_Frame", sums: Sums) -> None:
        if piece.kind is Is.OPEN and len(piece.path) == MESSAGE_AT:
            self._refuse_foreign(piece)
        elif frame.closes(piece, ENTRY_AT):
            assert frame.entry is not None
            sums.entries.append(_shape(frame.entry))
            frame.tally.add(frame.entry, frame.statement().currency)
        elif frame.closes(piece, STATEMENT_AT):
            reason = frame.tally.contradiction(frame.statement(), frame.element.first("TxsSummry"))
            if reason:
                sums.refused[frame.statement_index] = reason

    def _refuse_foreign(self, piece: Piece) -> None:
        document, name = piece.path
        if document != "Document" or name not in MESSAGES:
            raise UnableToImport(
                f"{self.path.name} holds {name}, not a camt.052, 053 or 054 message. Give another file."
            )
        self.kind = MESSAGES[name][0]

    def _rows(self, piece: Piece, frame: "_Frame") -> Iterator[ReadPayment]:
        if frame.entry is not None and piece.kind is Is.WHOLE and frame.is_details(piece):
            yield self._row(frame, frame.entry, piece.element)
        elif frame.closes(piece, ENTRY_AT) and frame.entry is not None and not frame.entry.details:
            yield self._row(frame, frame.entry, None)
        elif frame.closes(piece, STATEMENT_AT):
            self.series.add(frame.statement(), frame.statement_index)

    def _row(self, frame: "_Frame", entry: Entry, details: Element | None) -> ReadPayment:
        line = (details or entry.element).line
        try:
            row = self._read(frame, entry, details, line)
        except Unreadable as wrong:
            row = ReadPayment(line, None, (Problem(wrong.line, wrong.field, str(wrong)),))
        if row.problems:
            frame.statement().rejected += 1
        return row._replace(statement=frame.statement_index)

    def _read(self, frame: "_Frame", entry: Entry, details: Element | None, line: int) -> ReadPayment:
        """One row. Raises `Unreadable`."""
        state, comes_in = fields.state_of(entry.element), entry.is_credit
        for name in _ONCE if details is not None else ():
            fields.only(details, name)  # type: ignore[arg-type]
        if details is not None:
            comes_in = details_credit(details, entry)
        goes_back = is_return(entry.element, details) and not comes_in
        if state != "BOOK" or not (comes_in or goes_back):
            return ReadPayment(line, None, is_other=True)
        entry_amount, currency = fields.amount_of(fields.needed(entry.element, "Amt"))
        shape = self._shape(entry)
        if shape is Shape.BATCH or entry_amount == 0:
            return ReadPayment(line, None, is_other=True)
        if shape is Shape.WRONG:
            raise Unreadable(line, "Amt", _WRONG)
        if refused := self._sums.refused.get(frame.statement_index):
            raise Unreadable(line, "Bal", f"{refused} Until then none of its payments is booked.")
        amount = own_amount(details, currency) if details is not None else None
        amount = entry_amount if amount is None else amount
        if amount == 0:
            return ReadPayment(line, None, is_other=True)
        return self._payment(frame, entry, details, line, amount, currency, goes_back)

    def _shape(self, entry: Entry) -> Shape:
        """From the first reading; an entry in which the file breaks off has none."""
        if entry.index >= len(self._sums.entries):
            raise Unreadable(entry.element.line, "Ntry", "The file breaks off within this entry. Fetch it again.")
        return Shape(self._sums.entries[entry.index])

    def _payment(
        self, frame: "_Frame", entry: Entry, details: Element | None, line: int, amount: int, currency: str, back: bool
    ) -> ReadPayment:
        booked, value = days_of(entry.element)
        found = details if details is not None else Element("TxDtls", line, {})
        payer, payer_account = payer_of(found)
        end_to_end = said(found.words("Refs", "EndToEndId"))[: fields.TEXT_CHARACTERS_MAX]
        reference = reference_of(references_of(found))
        entry_ref, own_ref = entry.element.words("AcctSvcrRef"), found.words("Refs", "AcctSvcrRef")
        is_batch = self._shape(entry) is Shape.SPLIT
        bank_ref = fields.short((said(own_ref) or entry_ref) if is_batch else (said(entry_ref) or own_ref))
        account = fields.account_of(frame.element.first("Acct"))
        booking = Booking(account, bank_ref, end_to_end, payer_account, back, reason_of(found) if back else "")
        is_sure = bool(said(own_ref) if is_batch else said(bank_ref))
        besides: tuple[str, ...] = () if is_sure else (end_to_end, reference, payer_account)
        besides += ("again",) if not back and fields.is_reversal(entry.element) else ()
        alone = frame.statement_index if said(bank_ref) or frame.kind == "camt.052" else ""
        ref = self._names.name(booking, booked, amount=amount, currency=currency, besides=besides, place=alone)
        state = "returned" if back else "booked"
        row = PaymentRow(ref, amount, currency, state, value, reference=reference, payer_name=payer)
        return ReadPayment(line, row, booking=booking)


def _shape(entry: Entry) -> Shape:
    try:
        return entry.shape()
    except Unreadable:
        return Shape.ONE  # the second reading meets the same field, and says what is wrong with it


@dataclass(slots=True)
class _Frame:
    """Where in the file we are: the message, the statement and the entry that are open."""

    zone: ZoneInfo
    kind: str = ""
    header: Element | None = None
    element: Element = Element("none", 0, {})  # noqa: RUF009 - never changed: a new one is set for each statement
    statement_index: int = -1
    entry: Entry | None = None
    entry_index: int = -1
    tally: Tally = field(default_factory=Tally)
    _statement: Statement | None = None

    def take(self, piece: Piece) -> None:
        """Follow a piece. An entry stays here until the next one begins, so that its end can be looked at."""
        depth = len(piece.path)
        if piece.kind is Is.OPEN:
            self._open(piece, depth)
        elif piece.kind is Is.WHOLE:
            self._whole(piece, depth)

    def statement(self) -> Statement:
        """The statement that is open, from the fields before its first entry."""
        if self._statement is None:
            self._statement = read_statement(self.kind, self.element, self.header, self.zone)
        return self._statement

    def closes(self, piece: Piece, depth: int) -> bool:
        """Whether a piece ends the container at this depth."""
        return piece.kind is Is.CLOSE and len(piece.path) == depth

    def is_details(self, piece: Piece) -> bool:
        """Whether a piece is one payment's details."""
        return len(piece.path) == DETAILS_AT + 1 and piece.element.name == "TxDtls"

    def _open(self, piece: Piece, depth: int) -> None:
        if depth == MESSAGE_AT:
            self.kind = MESSAGES.get(piece.path[-1], ("", ""))[0]
        elif depth == STATEMENT_AT:
            self.element, self._statement, self.entry, self.tally = piece.element, None, None, Tally()
            self.statement_index += 1
        elif depth == ENTRY_AT:
            self.entry_index += 1
            self.entry = Entry(piece.element, self.entry_index)

    def _whole(self, piece: Piece, depth: int) -> None:
        name = piece.element.name
        if depth == MESSAGE_AT + 1 and name == "GrpHdr":
            self.header = piece.element
        elif depth == STATEMENT_AT + 1 and name in _STATEMENT_FIELDS:
            _keep(self.element, piece.element)
        elif self.entry is not None and depth == ENTRY_AT + 1 and name in _ENTRY_FIELDS:
            _keep(self.entry.element, piece.element)
        elif self.entry is not None and self.is_details(piece):
            self.entry.add_details(piece.element)
        elif self.entry is not None and depth == DETAILS_AT + 1 and name == "Btch":
            self.entry.add_batch(piece.element)
        elif self.entry is not None and name in FRAME:
            self.entry.misplaced = True


def _keep(element: Element, child: Element) -> None:
    if len(element.children) < _CHILDREN_MAX:
        element.children.append(child)
