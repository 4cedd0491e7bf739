"""MT940 statements as payments, row by row: `:61:` with the `:86:` that follows it.

A statement whose entries do not lead from its opening to its closing balance was changed on the way: nothing of it is
booked. Where an entry is unreadable, the others are.
"""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.fields import Problem
from relight.flow.claims.parse import AMOUNT_MAX
from relight.flow.claims.rows import PaymentRow
from relight.flow.payments.files.camt_fields import short
from relight.flow.payments.files.identity import Names, said
from relight.flow.payments.files.mt940_fields import EntryLine, Told, fields_of
from relight.flow.payments.files.mt940_message import CREDITS, EXPECTED, Entry, Message
from relight.flow.payments.files.series import Series
from relight.flow.payments.files.statements import Statement
from relight.flow.payments.rows import Booking, ReadPayment, reference_of

_CUT_OFF = "The statement ends without its closing balance (:62F:). Fetch the file again."


class Mt940File:
    """One file; `read` it once. Raises `UnableToImport` when it is no MT940 file."""

    def __init__(self, path: Path, zone: ZoneInfo):
        self.path, self.zone = path, zone
        self.series = Series()
        self._names = Names()
        self._refused: dict[int, str] = {}
        message: Message | None = None
        for message, entry in self._walk():
            if entry is None and (reason := message.contradiction()):
                self._refused[message.place] = reason
        if message is None:
            raise UnableToImport(f"{path.name} is not an MT940 file: there is no field :20: in it.")

    def read(self) -> Iterator[ReadPayment]:
        """Payments, returns and what is neither, in the order of the file."""
        for message, entry in self._walk():
            if entry is not None:
                row = self._row(message, entry)
                message.statement.rejected += bool(row.problems)
                yield row._replace(statement=message.place)
            elif message.is_closed:
                message.statement.rejected += bool(message.wrong)
                self.series.add(message.statement, message.place)
            else:
                self.series.is_whole = False
                line = message.statement.line
                yield ReadPayment(line, None, (Problem(line, "62F", _CUT_OFF),), statement=message.place)

    def _walk(self) -> Iterator[tuple[Message, Entry | None]]:
        """Each entry with its message, and each message once more at its end, with None."""
        message: Message | None = None
        place = -1
        with self.path.open("rb") as file:
            for field in fields_of(file):
                if message is not None and field.tag in ("20", ""):
                    yield from _ended(message)
                    message = None
                if field.tag == "20":
                    place += 1
                    message = Message(place, Statement("MT940", field.line))
                if message is not None and field.tag and (entry := message.take(field, self.zone)):
                    yield message, entry
        if message is not None:
            yield from _ended(message)

    def _row(self, message: Message, entry: Entry) -> ReadPayment:
        if entry.said is None:
            return _refused(entry, "61", entry.wrong)
        goes_back = entry.said.mark == "RC" or (entry.said.mark == "D" and entry.told.is_return)
        comes_in = entry.said.mark in CREDITS
        if entry.said.mark in EXPECTED or entry.said.amount == 0 or not (comes_in or goes_back):
            return ReadPayment(entry.line, None, is_other=True)
        if reason := self._refused.get(message.place):
            return _refused(entry, "62F", f"{reason} Until then none of its payments is booked.")
        if entry.said.amount > AMOUNT_MAX:
            return _refused(entry, "61", "The sum is too large for a payment. Ask the bank.")
        return self._payment(message, entry.line, entry.said, entry.told, goes_back)

    def _payment(self, message: Message, line: int, entry: EntryLine, told: Told, goes_back: bool) -> ReadPayment:
        own = said(entry.reference)
        reference = reference_of(short(told.reference or own or told.text))
        booking = Booking(
            message.account, short(entry.bank_reference), short(said(told.end_to_end)),
            short(told.payer_account.replace(" ", "")), goes_back,
        )  # fmt: skip
        is_sure = bool(said(booking.servicer_ref))
        besides: tuple[str, ...] = () if is_sure else (booking.end_to_end, reference, booking.payer_account, own)
        besides += ("again",) if entry.mark == "RD" else ()
        ref = self._names.name(
            booking, entry.booked, amount=entry.amount, currency=message.statement.currency, besides=besides,
            place=message.place if is_sure else "",
        )  # fmt: skip
        row = PaymentRow(
            ref, entry.amount, message.statement.currency, "returned" if goes_back else "booked", entry.value,
            reference=reference, payer_name=short(told.payer),
        )  # fmt: skip
        return ReadPayment(line, row, booking=booking)


def _ended(message: Message) -> Iterator[tuple[Message, Entry | None]]:
    if entry := message.finish():
        yield message, entry
    yield message, None


def _refused(entry: Entry, field: str, reason: str) -> ReadPayment:
    return ReadPayment(entry.line, None, (Problem(entry.line, field, reason),))
