"""What people fill in to place a payment or to ask it back: read, checked, and given back with what was wrong."""

from collections.abc import Mapping
from dataclasses import dataclass

from relight.core.money import NotAnAmount, minor_digits, parse_amount
from relight.flow.cases.errors import UnableToFind
from relight.flow.claims.placing import Part
from relight.flow.database import Tx
from relight.flow.payments.bank_refunds import Wanted
from relight.flow.payments.files.pain001 import as_account
from relight.flow.payments.queue import Whole, account_by_ref, bill_named
from relight.flow.payments.suggesting import Loose
from relight.web.console.forms import note_of

ROWS = 3
_TEXT_MAX = 140


@dataclass(frozen=True, slots=True)
class TypedPart:
    """A row of the form as typed: the customer's number, the sum (empty for all of it), and a bill to pay first."""

    number: int
    account: str
    amount: str
    bill: str
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class PartsForm:
    """Who gets how much. `wrong` is a words key for the whole; each row has its own besides."""

    rows: tuple[TypedPart, ...]
    parts: tuple[Part, ...]
    wrong: str = ""

    @classmethod
    def empty(cls) -> "PartsForm":
        """Nothing typed yet."""
        return cls(tuple(TypedPart(number, "", "", "") for number in range(1, ROWS + 1)), ())

    @classmethod
    def of(cls, tx: Tx, given: Mapping[str, str], paid: Loose) -> "PartsForm":
        """Read the rows; those without a customer are left out."""
        rows, parts = [], []
        for number in range(1, ROWS + 1):
            account, amount, bill = (
                given.get(f"{name}{number}", "").strip()[:_TEXT_MAX] for name in ("account", "amount", "bill")
            )
            row = TypedPart(number, account, amount, bill)
            if row.account:
                part, wrong = _read(tx, row, paid)
                parts += [part] if part else []
                row = TypedPart(number, account, amount, bill, wrong)
            rows.append(row)
        wrong = "queue.wrong_parts" if any(row.wrong for row in rows) or not parts else ""
        return cls(tuple(rows), tuple(parts), wrong)


@dataclass(frozen=True, slots=True)
class RefundForm:
    """What is to go back, as typed. `wrong` maps a field to a words key."""

    amount: str
    to_name: str
    to_account: str
    account: str
    wanted: Wanted
    wrong: Mapping[str, str]

    @classmethod
    def suggested(cls, whole: Whole) -> "RefundForm":
        """What lies on no account, else what is credit, to who paid."""
        free = [place for place in whole.places if place.free]
        minor = whole.payment.rest or (free[0].free if free else 0)
        account = "" if whole.payment.rest or not free else str(free[0].account_id)
        paid = whole.payment
        wanted = Wanted(None, minor, paid.payer_name, paid.payer_account, by_provider=whole.by_provider)
        return cls(_plain(minor, paid.currency), paid.payer_name, paid.payer_account, account, wanted, {})

    @classmethod
    def of(cls, given: Mapping[str, str], whole: Whole) -> "RefundForm":
        """Read the fields."""
        names = ("amount", "to_name", "to_account", "account")
        amount, to_name, to_account, account = (given.get(name, "").strip()[:_TEXT_MAX] for name in names)
        wrong, by_provider = {}, given.get("way") == "provider"
        minor = _amount(amount, whole.payment.currency)
        if minor is None:
            wrong["amount"] = "queue.wrong_amount"
        if not to_name and not by_provider:
            wrong["to_name"] = "queue.wrong_name"
        if not note_of(given):
            wrong["note"] = "queue.wrong_reason"
        if not by_provider and not _is_account(to_account):
            wrong["to_account"] = "queue.wrong_account"
        whose = int(account) if account.isdigit() else None
        wanted = Wanted(whose, minor or 0, to_name, "" if by_provider else to_account, by_provider)
        return cls(amount, to_name, to_account, account, wanted, wrong)


def _is_account(text: str) -> bool:
    try:
        as_account(text)
    except ValueError:
        return False
    return True


def chosen_part(value: str, paid: Loose) -> Part | None:
    """A suggestion that was chosen, "account:bill:bill", for all that can be placed."""
    pieces = value.split(":")
    if not all(piece.isascii() and piece.isdigit() and len(piece) <= 18 for piece in pieces) or paid.rest <= 0:
        return None
    account, *claims = map(int, pieces)
    return Part(account, paid.rest, tuple(claims))


def _read(tx: Tx, row: TypedPart, paid: Loose) -> tuple[Part | None, str]:
    try:
        account = account_by_ref(tx, row.account)
    except UnableToFind:
        return None, "queue.wrong_customer"
    amount = _amount(row.amount, paid.currency) if row.amount else paid.rest
    if not amount:
        return None, "queue.wrong_amount"
    try:
        claims = (bill_named(tx, account, row.bill),) if row.bill else ()
    except UnableToFind:
        return None, "queue.wrong_bill"
    return Part(account, amount, claims), ""


def _amount(text: str, currency: str) -> int | None:
    """A sum as typed: "1 500", "1500,50" or "1500.50"; None for anything else, and for nothing."""
    try:
        found = parse_amount(text.replace(",", ".").replace("\xa0", " "), currency, grouping=" ")
    except NotAnAmount:
        return None
    return found if found > 0 else None


def _plain(minor: int, currency: str) -> str:
    digits = minor_digits(currency)
    return f"{minor // 10**digits}.{minor % 10**digits:0{digits}}"
