"""Rows of an invoice file into `ClaimRow`s; with line columns, following rows of one number are one invoice."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from functools import partial

from relight.flow.claims.cells import Row
from relight.flow.claims.columns import FLAG, fold
from relight.flow.claims.fields import Fields, RowReader
from relight.flow.claims.joining import Read, joined
from relight.flow.claims.parse import NotAValue, email_of, mobile_of, object_of, word_of, yes_or_no
from relight.flow.claims.rows import ClaimRow, Customer, LineRow

_CUSTOMER_FIELDS = (
    "customer", "name", "customer_kind", "org_number", "language", "debtor", "profile", "mobile", "email", "postal",
    "premises", "premises_kind", "street", "postcode", "city", "municipality", "access_point", "meter_serial",
    "meter_address", "service", "product", "driver", "driver_address", "full_profile",
)  # fmt: skip
_KINDS = (
    "broadband", "telephony", "tv", "electricity", "electricity_grid", "gas", "water", "heat",
)  # fmt: skip
_STATUSES = ("open", "cancelled", "paid", "settled", "overdue")
_LANGUAGES = ("nb", "nn", "da", "nl", "sv", "en", "de")


class InvoiceReader:
    """Reads the rows of one file."""

    def __init__(self, fields: Fields):
        self.fields = fields
        self._has_lines = fields.has("line_amount")
        self._has_customer = fields.has(*_CUSTOMER_FIELDS) or bool(fields.flags)

    def read(self, rows: Iterable[Row]) -> Iterator[Read]:
        """Invoices in the order of the file. A refused line of an invoice keeps the whole invoice out."""
        found = (self._read_row(row) for row in rows)
        return joined(found) if self._has_lines else found

    def _read_row(self, row: Row) -> Read:
        number = self.fields.number(row)
        if row.broken is not None:
            return Read(1, row.line, None, (self.fields.broken(row, row.broken),), number)
        reader = RowReader(self.fields, row)
        claim = self._claim(reader)
        return Read(1, row.line, None if reader.is_refused else claim, tuple(reader.problems), number)

    def _claim(self, reader: RowReader) -> ClaimRow | None:
        number, account = reader.needed("number"), reader.needed("account")
        if not reader.read_currency():
            return None
        cancelled = reader.word("status", _STATUSES) == "cancelled"
        line = self._line(reader) if self._has_lines else None
        amount = self._amount(reader, line, cancelled)
        issued, due = reader.date("issued_date"), _due(reader, amount)
        if issued and due and due < issued:
            reader.refuse("due_date", f"It falls due on {due}, before it was issued on {issued}. Correct one of them.")
        if due is None:
            return None
        sent = reader.date("sent_date")
        customers = (self._customer(reader, account),) if self._has_customer else ()
        return ClaimRow(
            account_ref=account,
            number=number,
            amount=amount,
            currency=reader.currency,
            due_date=due,
            issued_date=issued,
            sent_at=datetime.combine(sent, time(12), UTC) if sent else None,
            reference=reader.text("reference"),
            creditor=reader.text("creditor"),
            service_kind=reader.word("service_kind", _KINDS),
            service_ref=reader.text("service"),
            disputed=_disputed(reader, "disputed", None if line and not amount else amount),
            cancelled=cancelled,
            credits=reader.text("credits"),
            lines=(line,) if line else (),
            customers=customers,
        )

    def _amount(self, reader: RowReader, line: LineRow | None, cancelled: bool) -> int:
        if line is not None and not self.fields.cell(reader.cells, "amount"):
            return 0  # what its lines come to
        amount = reader.amount("amount", needed=True)
        if amount == 0 and not cancelled and not any(problem.field == "amount" for problem in reader.problems):
            reader.refuse("amount", "The amount is zero. Leave the row out, or set its status to cancelled.")
        return amount

    def _line(self, reader: RowReader) -> LineRow:
        amount = reader.amount("line_amount", needed=True)
        counts = reader.text("line_counts_for_cut")
        known = yes_or_no(counts) if counts else True
        if known is None:
            reader.refuse("line_counts_for_cut", f"{counts[:40]!r} is neither yes nor no. Write one of these.")
        disputed = yes_or_no(reader.text("disputed"))
        return LineRow(
            amount=amount,
            text=reader.text("line_text"),
            kind=reader.text("line_kind") or "service",
            vat=reader.amount("line_vat"),
            disputed=max(amount, 0) if disputed else _disputed(reader, "line_disputed", amount),
            counts_for_cut=known is not False,
            service_ref=reader.text("line_service") or reader.text("service"),
        )

    def _customer(self, reader: RowReader, account: str) -> Customer:
        text = reader.text
        name, street = text("name"), text("street")
        place = f"{text('postcode')} {text('city')}".strip()
        address = "\n".join(part for part in (name, street, place) if part) if street else ""
        return Customer(
            account_ref=account,
            party_ref=text("customer"),
            name=name,
            kind=reader.word("customer_kind", ("person", "organisation")),
            org_number=text("org_number"),
            language=reader.word("language", _LANGUAGES),
            debtor=reader.word("debtor", ("consumer", "business", "collective")),
            profile=text("profile"),
            mobile=reader.tried("mobile", partial(mobile_of, country=self.fields.defaults.country)),
            email=reader.tried("email", email_of),
            postal=text("postal").replace(" | ", "\n") or address,
            premises_ref=text("premises"),
            premises_kind=reader.word("premises_kind", ("home", "holiday_home", "common_area", "business")),
            street=street,
            postcode=text("postcode"),
            city=text("city"),
            municipality=text("municipality"),
            access_point_ref=text("access_point"),
            meter_serial=text("meter_serial"),
            device_address=reader.tried("meter_address", object_of),
            service_ref=text("service"),
            service_kind=reader.word("service_kind", _KINDS),
            product=text("product"),
            driver=text("driver"),
            driver_address=reader.tried("driver_address", object_of),
            full_profile=text("full_profile"),
            flags=tuple(self._flags(reader)),
        )

    def _flags(self, reader: RowReader) -> Iterator[tuple[str, str]]:
        for name, cell_of in self.fields.flags:
            text = self._flag_word(name, str(cell_of(reader.cells) or "").strip())
            if not text:
                continue
            known = yes_or_no(text)
            try:
                yield name, ("yes" if known else "no") if known is not None else word_of(text, ("unknown",))
            except NotAValue:
                reader.refuse(f"flag:{name}", f"{text[:40]!r} is not yes, no or unknown. Write one of these.")

    def _flag_word(self, name: str, text: str) -> str:
        """A flag in our word where the mapping translates it."""
        words = self.fields.mapping.words.get(f"{FLAG}{name}", {})
        return words.get(fold(text), text)


def _due(reader: RowReader, amount: int) -> date | None:
    """The due date; a credit note may do without, and takes its own day."""
    if amount < 0 and not reader.fields.cell(reader.cells, "due_date"):
        return reader.date("issued_date", needed=True)
    return reader.date("due_date", needed=True)


def _disputed(reader: RowReader, name: str, whole: int | None) -> int:
    """How much is under objection: an amount, or yes for all of it. `whole` is None while the lines say what all is."""
    said = yes_or_no(reader.text(name))
    if said is not None:
        return max(whole or 0, 0) if said else 0
    before = len(reader.problems)
    disputed = reader.amount(name)
    if len(reader.problems) > before:
        del reader.problems[before:]
        reader.refuse(name, f"{reader.text(name)[:40]!r} is neither yes nor no nor an amount. Write one of these.")
    if disputed < 0 or (whole is not None and disputed > max(whole, 0)):
        reader.refuse(name, "More is disputed than is owed. Write yes, no, or an amount up to the whole.")
    return disputed
