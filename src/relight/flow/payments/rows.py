"""Rows of a payment file (CSV or Excel) into `PaymentRow`s: one row a payment."""

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

from relight.flow.claims.cells import Row
from relight.flow.claims.fields import Fields, Problem, RowReader
from relight.flow.claims.rows import PaymentRow

_DIRECTIONS = ("in", "out")
_STATES = ("ordered", "authorised", "failed", "confirmed", "booked", "returned")


class Booking(NamedTuple):
    """What a bank says of a booking beside the payment: the account that it is on, and what others call it.

    `servicer_ref` is the bank's own reference, `end_to_end` the payer's. `is_return`: the row's money went back, and
    its `ref` is the return's own; `reason` is why, as the bank's code says.
    """

    bank_account: str
    servicer_ref: str = ""
    end_to_end: str = ""
    payer_account: str = ""
    is_return: bool = False
    reason: str = ""


class ReadPayment(NamedTuple):
    """One payment as read. `is_other`: nothing that came in (money that went out, or a row without a payment yet).

    `booking` and `statement` (its place in the file, from 0) are what bank files tell besides.
    """

    line: int
    row: PaymentRow | None
    problems: tuple[Problem, ...] = ()
    is_other: bool = False
    booking: Booking | None = None
    statement: int = -1


class PaymentReader:
    """Reads the rows of one file."""

    def __init__(self, fields: Fields):
        self.fields = fields
        self._alike: Counter[str] = Counter()

    def read(self, rows: Iterable[Row]) -> Iterator[ReadPayment]:
        """Payments in the order of the file."""
        for row in rows:
            if row.broken is not None:
                yield ReadPayment(row.line, None, (self.fields.broken(row, row.broken),))
            elif self._is_other(row):
                yield ReadPayment(row.line, None, is_other=True)
            else:
                yield self._read_row(row)

    def _is_other(self, row: Row) -> bool:
        return any(self.fields.cell(row.cells, name) == "" for name in self.fields.mapping.other_when_empty)

    def _read_row(self, row: Row) -> ReadPayment:
        reader = RowReader(self.fields, row)
        payment = self._payment(reader)
        if reader.is_refused or payment is None:
            return ReadPayment(row.line, None, tuple(reader.problems))
        if payment.amount < 0:
            return ReadPayment(row.line, None, tuple(reader.problems), is_other=True)
        return ReadPayment(row.line, payment, tuple(reader.problems))

    def _payment(self, reader: RowReader) -> PaymentRow | None:
        has_ref = self.fields.has("ref")
        ref = reader.needed("ref") if has_ref else ""
        if not reader.read_currency():
            return None
        amount = reader.amount("amount", needed=True)
        if amount == 0 and not any(problem.field == "amount" for problem in reader.problems):
            reader.refuse("amount", "The amount is zero. Leave the row out.")
        value_date = reader.date("value_date", needed=True)
        state = reader.word("state", _STATES, default="booked")
        if value_date is None:
            return None
        went_out = reader.word("direction", _DIRECTIONS) == "out"
        found = PaymentRow(
            ref=ref,
            amount=-abs(amount) if went_out else amount,
            currency=reader.currency,
            state=state,
            value_date=value_date,
            account_ref=reader.text("account"),
            reference=reference_of(reader.text("reference")),
            payer_name=reader.text("payer"),
        )
        return found if has_ref or found.amount < 0 else found._replace(ref=self._name_of(found))

    def _name_of(self, row: PaymentRow) -> str:
        """A row whose bank gives it no name is called after what it says; the second one alike in a file is the second.

        So a file that overlaps another one names its rows alike, as long as each lists whole days.
        """
        told = (row.amount, row.currency, row.account_ref, row.reference, row.payer_name)
        said = blake2b(repr(told).encode(), digest_size=9).hexdigest()
        name = f"{row.value_date}-{said}"
        self._alike[name] += 1
        return f"{name}-{self._alike[name]}"


def reference_of(text: str) -> str:
    """What the customer wrote; the spaces that banks put between a number's digits are taken out."""
    compact = text.replace(" ", "")
    return compact if compact.isdigit() else text
