"""SEPA direct debits as orders to the creditor's bank (pain.008.001.02), and their calling back (camt.055.001.01).
Pure: bytes from rows."""

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from xml.etree import ElementTree as Xml

from relight.flow.payments.files.ordered import Ordered
from relight.flow.payments.files.pain001 import ID_MAX, NAME_MAX, TEXT_MAX, decimal
from relight.flow.payments.files.pain_parts import account_id, text, whole, within

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.008.001.02"
RECALL_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.055.001.01"
_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")
_LETTERS = str.maketrans({"æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ß": "ss", "ð": "d", "đ": "d", "ł": "l", "Ł": "L"})


def blocks_of(collections: Sequence[Ordered], message_id: str) -> list[Ordered]:
    """The same collections, each with its group in the file: those of one creditor, day, instrument and sequence."""
    placed: list[Ordered] = []
    for at, (_, group) in enumerate(groupby(sorted(collections, key=_block_key), key=_block_key), start=1):
        placed += [one._replace(block=f"{message_id}-{at}"[:ID_MAX], message=message_id) for one in group]
    return placed


def pain008(collections: Sequence[Ordered], *, message_id: str, sender: str, at: datetime) -> bytes:
    """The file that orders these collections (`blocks_of` has placed them). Raises ValueError for none."""
    if not collections:
        raise ValueError("a file without collections orders nothing")
    root = Xml.Element("Document", xmlns=NAMESPACE)
    body = Xml.SubElement(root, "CstmrDrctDbtInitn")
    head = Xml.SubElement(body, "GrpHdr")
    text(head, "MsgId", message_id)
    text(head, "CreDtTm", at.isoformat(timespec="seconds"))
    _sums(head, collections)
    text(within(head, "InitgPty"), "Nm", _name(sender))
    for name, group in groupby(collections, key=attrgetter("block")):
        _block(body, name, list(group))
    return whole(root)


def camt055(collections: Sequence[Ordered], *, message_id: str, sender: str, at: datetime) -> bytes:
    """The file that calls collections back. Raises ValueError for none."""
    if not collections:
        raise ValueError("a file without collections calls nothing back")
    root = Xml.Element("Document", xmlns=RECALL_NAMESPACE)
    body = Xml.SubElement(root, "CstmrPmtCxlReq")
    head = Xml.SubElement(body, "Assgnmt")
    text(head, "Id", message_id)
    text(within(head, "Assgnr", "Pty"), "Nm", _name(sender))
    text(within(head, "Assgne", "Agt", "FinInstnId", "Othr"), "Id", "NOTPROVIDED")
    text(head, "CreDtTm", at.isoformat(timespec="seconds"))
    _sums(within(body, "CtrlData"), collections)
    under = within(body, "Undrlyg")
    ordered = sorted(collections, key=attrgetter("message", "block", "ref"))
    for (message, name), group in groupby(ordered, key=attrgetter("message", "block")):
        block = within(under, "OrgnlPmtInfAndCxl")
        text(block, "OrgnlPmtInfId", name)
        original = within(block, "OrgnlGrpInf")
        text(original, "OrgnlMsgId", message)
        text(original, "OrgnlMsgNmId", "pain.008.001.02")
        for one in group:
            _recall(block, one)
    return whole(root)


def plain(content: str) -> str:
    """A text in the letters that every SEPA bank takes: others without their marks, or a space."""
    bare = unicodedata.normalize("NFKD", content.translate(_LETTERS))
    return "".join(sign if sign in _SIGNS else " " for sign in bare if not unicodedata.combining(sign)).strip()


def _name(content: str) -> str:
    """A name as banks take it. One of other letters alone would be empty, and the file be refused for it."""
    return plain(content)[:NAME_MAX] or "NOTPROVIDED"


def _block(body: Xml.Element, name: str, group: Sequence[Ordered]) -> None:
    first = group[0]
    block = within(body, "PmtInf")
    text(block, "PmtInfId", name)
    text(block, "PmtMtd", "DD")
    _sums(block, group)
    kind = within(block, "PmtTpInf")
    text(within(kind, "SvcLvl"), "Cd", "SEPA")
    text(within(kind, "LclInstrm"), "Cd", first.instrument)
    text(kind, "SeqTp", first.sequence)
    text(block, "ReqdColltnDt", first.collect_date.isoformat())
    text(within(block, "Cdtr"), "Nm", _name(first.creditor))
    account_id(within(block, "CdtrAcct"), first.creditor_account)
    text(within(block, "CdtrAgt", "FinInstnId", "Othr"), "Id", "NOTPROVIDED")
    text(block, "ChrgBr", "SLEV")
    scheme = within(block, "CdtrSchmeId", "Id", "PrvtId", "Othr")
    text(scheme, "Id", first.creditor_number)
    text(within(scheme, "SchmeNm"), "Prtry", "SEPA")
    for one in group:
        _collection(block, one)


def _collection(block: Xml.Element, one: Ordered) -> None:
    signed = one.signed_date
    assert signed is not None, "the table lets no SEPA mandate in without its day"
    row = within(block, "DrctDbtTxInf")
    text(within(row, "PmtId"), "EndToEndId", one.ref)
    text(row, "InstdAmt", decimal(one.amount, one.currency)).set("Ccy", one.currency)
    mandate = within(row, "DrctDbtTx", "MndtRltdInf")
    text(mandate, "MndtId", one.mandate)
    text(mandate, "DtOfSgntr", signed.isoformat())
    text(within(row, "DbtrAgt", "FinInstnId", "Othr"), "Id", "NOTPROVIDED")
    text(within(row, "Dbtr"), "Nm", _name(one.payer_name))
    account_id(within(row, "DbtrAcct"), one.payer_account)
    text(within(row, "RmtInf"), "Ustrd", plain(f"{one.reference or one.bill} {one.creditor}")[:TEXT_MAX])


def _recall(block: Xml.Element, one: Ordered) -> None:
    row = within(block, "TxInf")
    text(row, "CxlId", f"{one.ref}X"[:ID_MAX])
    text(row, "OrgnlEndToEndId", one.ref)
    text(row, "OrgnlInstdAmt", decimal(one.amount, one.currency)).set("Ccy", one.currency)
    text(row, "OrgnlReqdColltnDt", one.collect_date.isoformat())
    text(within(row, "CxlRsnInf", "Rsn"), "Cd", "CUST")


def _sums(parent: Xml.Element, collections: Sequence[Ordered]) -> None:
    text(parent, "NbOfTxs", str(len(collections)))
    text(parent, "CtrlSum", decimal(sum(one.amount for one in collections), collections[0].currency))


def _block_key(one: Ordered) -> tuple[str, str, date, str, str]:
    return one.creditor, one.creditor_account, one.collect_date, one.instrument, one.sequence
