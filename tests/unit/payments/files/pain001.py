"""The rules of pain.001.001.03 that a bank refuses a file by, told by a reader that shares nothing with the writer.

Read in the standard's description: which elements there are and in which order, how long texts may be, that counts and
sums agree, that ids differ, and that sums have the currency's digits. The patterns are those of the standard's types.
"""

import re
from decimal import Decimal
from xml.etree import ElementTree as Xml

_NAMESPACE = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.03}"
# The children of each element in their order; those with "?" may be left out, those with "+" come once or more.
_CHILDREN = {
    "Document": "CstmrCdtTrfInitn",
    "CstmrCdtTrfInitn": "GrpHdr PmtInf+",
    "GrpHdr": "MsgId CreDtTm NbOfTxs CtrlSum? InitgPty",
    "PmtInf": "PmtInfId PmtMtd BtchBookg? NbOfTxs? CtrlSum? PmtTpInf? ReqdExctnDt Dbtr DbtrAcct DbtrAgt ChrgBr?"
    " CdtTrfTxInf+",
    "CdtTrfTxInf": "PmtId Amt CdtrAgt? Cdtr CdtrAcct RmtInf?",
    "PmtId": "InstrId? EndToEndId",
    "DbtrAcct": "Id Ccy?",
    "CdtrAcct": "Id",
    "DbtrAgt": "FinInstnId",
}
_TEXTS = {
    "MsgId": r".{1,35}", "PmtInfId": r".{1,35}", "EndToEndId": r".{1,35}", "Nm": r".{1,70}", "Ustrd": r".{1,140}",
    "NbOfTxs": r"[0-9]{1,15}", "CtrlSum": r"[0-9]{1,16}(\.[0-9]{1,2})?", "InstdAmt": r"[0-9]{1,16}\.[0-9]{2}",
    "ReqdExctnDt": r"\d{4}-\d{2}-\d{2}", "PmtMtd": "TRF|CHK|TRA", "ChrgBr": "SLEV|SHAR|DEBT|CRED",
    "CreDtTm": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}([+-]\d{2}:\d{2}|Z)?", "Ccy": "[A-Z]{3}",
    "IBAN": "[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}",
}  # fmt: skip


def rules_broken(file: bytes) -> list[str]:
    """What a bank would refuse, a sentence each."""
    root = Xml.fromstring(file)
    if root.tag != f"{_NAMESPACE}Document":
        return [f"the root is {root.tag}"]
    return [*_shapes(root), *_ids(root), *(_texts(root) or _sums(root))]


def _shapes(root: Xml.Element) -> list[str]:
    wrong = []
    for one in root.iter():
        name = _name(one)
        if name in _CHILDREN:
            children = "".join(f"{_name(child)} " for child in one)
            pattern = "".join(
                f"({part.rstrip('?+')} ){part[-1] if part[-1] in '?+' else ''}" for part in _CHILDREN[name].split()
            )
            if not re.fullmatch(pattern, children):
                wrong.append(f"{name} holds {children}")
    return wrong


def _texts(root: Xml.Element) -> list[str]:
    told = [(_name(one), one.text or "") for one in root.iter() if not len(one)]
    return [f"{name} is {text!r}" for name, text in told if not re.fullmatch(_TEXTS.get(name, ".+"), text)]


def _sums(root: Xml.Element) -> list[str]:
    wrong = []
    for block in root.iter(f"{_NAMESPACE}PmtInf"):
        amounts = [Decimal(one.text or "") for one in block.iter(f"{_NAMESPACE}InstdAmt")]
        told = block.findtext(f"{_NAMESPACE}CtrlSum"), block.findtext(f"{_NAMESPACE}NbOfTxs")
        if told != (str(sum(amounts)), str(len(amounts))):
            wrong.append(f"a block of {len(amounts)} transfers of {sum(amounts)} says {told}")
    count = len(list(root.iter(f"{_NAMESPACE}CdtTrfTxInf")))
    if (said := root.findtext(f".//{_NAMESPACE}GrpHdr/{_NAMESPACE}NbOfTxs")) != str(count):
        wrong.append(f"the file has {count} transfers and says {said}")
    return wrong


def _ids(root: Xml.Element) -> list[str]:
    wrong = []
    for name in ("EndToEndId", "PmtInfId"):
        ids = [one.text for one in root.iter(f"{_NAMESPACE}{name}")]
        if len(set(ids)) < len(ids):
            wrong.append(f"a {name} comes twice")
    return wrong


def _name(one: Xml.Element) -> str:
    return one.tag.removeprefix(_NAMESPACE)
