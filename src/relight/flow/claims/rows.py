"""What comes in, row by row, before it is a claim or a payment: plain tuples, amounts in minor units."""

from datetime import date, datetime
from hashlib import blake2b
from typing import Any, NamedTuple


class LineRow(NamedTuple):
    """A line of an invoice. Without `service_ref` it is for the account's only service (of the claim's kind)."""

    amount: int
    text: str = ""
    kind: str = "service"
    vat: int = 0
    disputed: int = 0
    counts_for_cut: bool = True
    service_ref: str = ""


class Customer(NamedTuple):
    """Who and where an account is, as far as a row says: an empty text means "not said" and changes nothing.

    `flags` are (name, yes|no|unknown) on the account; `driver_address` and `device_address` are JSON objects as text.
    """

    account_ref: str
    party_ref: str = ""
    name: str = ""
    kind: str = ""
    org_number: str = ""
    language: str = ""
    debtor: str = ""
    profile: str = ""
    mobile: str = ""
    email: str = ""
    postal: str = ""
    premises_ref: str = ""
    premises_kind: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    municipality: str = ""
    access_point_ref: str = ""
    meter_serial: str = ""
    device_address: str = ""
    service_ref: str = ""
    service_kind: str = ""
    product: str = ""
    driver: str = ""
    driver_address: str = ""
    full_profile: str = ""
    flags: tuple[tuple[str, str], ...] = ()


class ClaimRow(NamedTuple):
    """An invoice, or with a negative amount a credit note; `credits` is the number of the invoice it reduces.

    `creditor` is a name, empty for the account's own. A cancelled invoice owes nothing whatever its amount says.
    """

    account_ref: str
    number: str
    amount: int
    currency: str
    due_date: date
    issued_date: date | None = None
    sent_at: datetime | None = None
    reference: str = ""
    creditor: str = ""
    service_kind: str = ""
    service_ref: str = ""
    disputed: int = 0
    cancelled: bool = False
    credits: str = ""
    lines: tuple[LineRow, ...] = ()
    customers: tuple[Customer, ...] = ()

    @property
    def invoice(self) -> tuple[Any, ...]:
        """What the row says of the invoice itself; what it says of the customer is not part of it."""
        return self[:15]


class PaymentRow(NamedTuple):
    """What a source says about one payment. `ref` is the source's own identifier; `state` one of payment's states.

    The account is found by `account_ref`, else by `reference` (a claim's number or KID); nothing is guessed.
    """

    ref: str
    amount: int
    currency: str
    state: str
    value_date: date
    account_ref: str = ""
    reference: str = ""
    payer_name: str = ""


def fingerprint(row: ClaimRow) -> bytes:
    """16 bytes that are the same for the same invoice; what a row says of the customer does not count."""
    said = "\x1f".join(map(str, row[:14]))
    for line in row.lines:
        said += "\x1e" + "\x1f".join(map(str, line))
    return blake2b(said.encode(), digest_size=16).digest()
