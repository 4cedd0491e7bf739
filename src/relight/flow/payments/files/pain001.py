"""Orders to a bank to pay, as pain.001.001.03 (ISO 20022, customer credit transfers). Pure: bytes from rows."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple
from xml.etree import ElementTree as Xml

from stdnum import iban
from stdnum.exceptions import ValidationError

from relight.core.money import minor_digits

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"
NAME_MAX, TEXT_MAX, ID_MAX, ACCOUNT_MAX = 70, 140, 35, 34


class Order(NamedTuple):
    """One transfer, in minor units: from whose account, to whom, and what the receiver reads."""

    order_ref: str
    amount: int
    currency: str
    from_name: str
    from_account: str
    to_name: str
    to_account: str
    text: str


def pain001(orders: Sequence[Order], *, message_id: str, sender: str, on: date, at: datetime) -> bytes:
    """The file with these orders; one block for each account and currency that they are paid from.

    Raises ValueError for none: a bank refuses an empty file.
    """
    if not orders:
        raise ValueError("a file without orders is no order")
    root = Xml.Element("Document", xmlns=NAMESPACE)
    body = Xml.SubElement(root, "CstmrCdtTrfInitn")
    head = Xml.SubElement(body, "GrpHdr")
    _text(head, "MsgId", message_id[:ID_MAX])
    _text(head, "CreDtTm", at.isoformat(timespec="seconds"))
    _text(head, "NbOfTxs", str(len(orders)))
    _text(_within(head, "InitgPty"), "Nm", sender[:NAME_MAX])
    ordered = sorted(orders, key=_payer)
    for number, (payer, group) in enumerate(groupby(ordered, key=_payer), start=1):
        _block(body, payer, list(group), name=f"{message_id}-{number}"[:ID_MAX], on=on)
    Xml.indent(root)
    return Xml.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def as_account(text: str) -> str:
    """An account's number as it is stored: without spaces, in capitals.

    Raises ValueError for what is neither an IBAN nor like a bank account's own number.
    """
    plain = "".join(text.replace(".", " ").replace("-", " ").split()).upper()
    if plain[:2].isalpha():
        try:
            return str(iban.validate(plain))
        except ValidationError as wrong:
            raise ValueError(f"{text!r} is no IBAN: look for a slip") from wrong
    if not (plain.isascii() and plain.isdigit() and 6 <= len(plain) <= ACCOUNT_MAX):
        raise ValueError(f"{text!r} is no bank account: write an IBAN, or the bank's own number")
    return plain


def decimal(amount: int, currency: str) -> str:
    """Minor units as banks write them: a point, and as many digits behind it as the currency has."""
    digits = minor_digits(currency)
    whole, rest = divmod(amount, 10**digits)
    return f"{whole}.{rest:0{digits}}" if digits else str(whole)


def _block(body: Xml.Element, payer: tuple[str, str, str], orders: list[Order], *, name: str, on: date) -> None:
    from_account, currency, from_name = payer
    block = _within(body, "PmtInf")
    _text(block, "PmtInfId", name)
    _text(block, "PmtMtd", "TRF")
    _text(block, "NbOfTxs", str(len(orders)))
    _text(block, "CtrlSum", decimal(sum(order.amount for order in orders), currency))
    _text(block, "ReqdExctnDt", on.isoformat())
    _text(_within(block, "Dbtr"), "Nm", from_name[:NAME_MAX])
    account = _within(block, "DbtrAcct")
    _account(account, from_account)
    _text(account, "Ccy", currency)
    _text(_within(block, "DbtrAgt", "FinInstnId", "Othr"), "Id", "NOTPROVIDED")
    _text(block, "ChrgBr", "SLEV")
    for order in orders:
        _transfer(block, order)


def _transfer(block: Xml.Element, order: Order) -> None:
    one = _within(block, "CdtTrfTxInf")
    _text(_within(one, "PmtId"), "EndToEndId", order.order_ref[:ID_MAX])
    amount = _text(_within(one, "Amt"), "InstdAmt", decimal(order.amount, order.currency))
    amount.set("Ccy", order.currency)
    _text(_within(one, "Cdtr"), "Nm", order.to_name[:NAME_MAX])
    _account(_within(one, "CdtrAcct"), order.to_account)
    _text(_within(one, "RmtInf"), "Ustrd", order.text[:TEXT_MAX])


def _account(parent: Xml.Element, number: str) -> None:
    named = _within(parent, "Id")
    if number[:2].isalpha():
        _text(named, "IBAN", number)
        return
    other = _within(named, "Othr")
    _text(other, "Id", number)
    _text(_within(other, "SchmeNm"), "Cd", "BBAN")


def _payer(order: Order) -> tuple[str, str, str]:
    return order.from_account, order.currency, order.from_name


def _within(parent: Xml.Element, *names: str) -> Xml.Element:
    for name in names:
        parent = Xml.SubElement(parent, name)
    return parent


def _text(parent: Xml.Element, name: str, text: str) -> Xml.Element:
    found = Xml.SubElement(parent, name)
    found.text = _printable(text)
    return found


def _printable(text: Iterable[str]) -> str:
    """Without the signs that XML cannot hold."""
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()
