"""Orders to a bank to pay, as pain.001.001.03 (ISO 20022, customer credit transfers). Pure: bytes from rows."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple
from xml.etree import ElementTree as Xml

from stdnum import iban
from stdnum.exceptions import ValidationError

from relight.core.money import minor_digits
from relight.flow.payments.files.pain_parts import account_id, text, whole, within

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
    text(head, "MsgId", message_id[:ID_MAX])
    text(head, "CreDtTm", at.isoformat(timespec="seconds"))
    text(head, "NbOfTxs", str(len(orders)))
    text(within(head, "InitgPty"), "Nm", sender[:NAME_MAX])
    ordered = sorted(orders, key=_payer)
    for number, (payer, group) in enumerate(groupby(ordered, key=_payer), start=1):
        _block(body, payer, list(group), name=f"{message_id}-{number}"[:ID_MAX], on=on)
    return whole(root)


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
    block = within(body, "PmtInf")
    text(block, "PmtInfId", name)
    text(block, "PmtMtd", "TRF")
    text(block, "NbOfTxs", str(len(orders)))
    text(block, "CtrlSum", decimal(sum(order.amount for order in orders), currency))
    text(block, "ReqdExctnDt", on.isoformat())
    text(within(block, "Dbtr"), "Nm", from_name[:NAME_MAX])
    account = within(block, "DbtrAcct")
    account_id(account, from_account)
    text(account, "Ccy", currency)
    text(within(block, "DbtrAgt", "FinInstnId", "Othr"), "Id", "NOTPROVIDED")
    text(block, "ChrgBr", "SLEV")
    for order in orders:
        _transfer(block, order)


def _transfer(block: Xml.Element, order: Order) -> None:
    one = within(block, "CdtTrfTxInf")
    text(within(one, "PmtId"), "EndToEndId", order.order_ref[:ID_MAX])
    amount = text(within(one, "Amt"), "InstdAmt", decimal(order.amount, order.currency))
    amount.set("Ccy", order.currency)
    text(within(one, "Cdtr"), "Nm", order.to_name[:NAME_MAX])
    account_id(within(one, "CdtrAcct"), order.to_account)
    text(within(one, "RmtInf"), "Ustrd", order.text[:TEXT_MAX])


def _payer(order: Order) -> tuple[str, str, str]:
    return order.from_account, order.currency, order.from_name
