"""Bank files as tests write them: by hand, from the standards, without Relight's readers."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

ACCOUNT = "NO9386011117947"
OCR_ACCOUNT = "86011117947"
_KINDS = {
    "camt.052": ("BkToCstmrAcctRpt", "Rpt"),
    "camt.053": ("BkToCstmrStmt", "Stmt"),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}


class Paid(NamedTuple):
    """A payment as a bank tells it. `amount` as it stands in the file."""

    amount: str = "899.00"
    reference: str = "2345676"
    bank_ref: str = ""
    end_to_end: str = ""
    payer: str = "Kari Nordmann"
    payer_account: str = "NO3612345678901"
    currency: str = "NOK"


def details(paid: Paid, *, own_amount: bool = False, extra: str = "") -> str:
    """`TxDtls` of a payment."""
    refs = f"<AcctSvcrRef>{paid.bank_ref}</AcctSvcrRef>" if paid.bank_ref and own_amount else ""
    refs += f"<EndToEndId>{paid.end_to_end}</EndToEndId>" if paid.end_to_end else ""
    own = f'<AmtDtls><TxAmt><Amt Ccy="{paid.currency}">{paid.amount}</Amt></TxAmt></AmtDtls>' if own_amount else ""
    told = f"<RmtInf><Strd><CdtrRefInf><Ref>{paid.reference}</Ref></CdtrRefInf></Strd></RmtInf>"
    return (
        f"<TxDtls>{f'<Refs>{refs}</Refs>' if refs else ''}{own}<RltdPties><Dbtr><Nm>{paid.payer}</Nm></Dbtr>"
        f"<DbtrAcct><Id><IBAN>{paid.payer_account}</IBAN></Id></DbtrAcct></RltdPties>"
        f"{told if paid.reference else ''}{extra}</TxDtls>"
    )


def entry(
    paid: Paid,
    *,
    state: str = "BOOK",
    mark: str = "CRDT",
    day: str = "2026-03-02",
    reversal: bool = False,
    inside: str | None = None,
    before: str = "",
) -> str:
    """`Ntry`. `inside` stands for its details; `before` is put in front of them."""
    bank_ref = f"<AcctSvcrRef>{paid.bank_ref}</AcctSvcrRef>" if paid.bank_ref else ""
    return (
        f'<Ntry><Amt Ccy="{paid.currency}">{paid.amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd>'
        f"{'<RvslInd>true</RvslInd>' if reversal else ''}<Sts>{state}</Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<ValDt><Dt>{day}</Dt></ValDt>{bank_ref}<NtryDtls>{before}"
        f"{details(paid) if inside is None else inside}</NtryDtls></Ntry>\n"
    )


def statement(
    entries: Iterable[str],
    *,
    kind: str = "camt.053",
    number: int | None = None,
    opening: str = "",
    closing: str = "",
    until: str = "2026-03-03T00:00:00+01:00",
    account: str = ACCOUNT,
    header: str = "",
) -> str:
    """One statement, report or notification, balances in NOK."""
    numbered = "" if number is None else f"<ElctrncSeqNb>{number}</ElctrncSeqNb><LglSeqNb>{number}</LglSeqNb>"
    balances = "".join(
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="NOK">{amount}</Amt>'
        f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>"
        for code, amount in (("OPBD", opening), ("CLBD", closing))
        if amount
    )
    name = _KINDS[kind][1]
    return (
        f"<{name}><Id>S</Id>{numbered}<CreDtTm>{until}</CreDtTm><FrToDt><FrDtTm>{until}</FrDtTm><ToDtTm>{until}</ToDtTm>"
        f"</FrToDt><Acct><Id><IBAN>{account}</IBAN></Id></Acct>{balances}{header}\n{''.join(entries)}</{name}>\n"
    )


def camt(*statements: str, kind: str = "camt.053", start: str = '<?xml version="1.0" encoding="UTF-8"?>\n') -> bytes:
    """A whole message."""
    message = _KINDS[kind][0]
    return (
        f'{start}<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{kind}.001.02"><{message}><GrpHdr><MsgId>M</MsgId>'
        f"</GrpHdr>\n{''.join(statements)}</{message}></Document>\n"
    ).encode()


class Giro(NamedTuple):
    """A payment of an OCR file: øre, KID, and what the clearing calls it."""

    ore: int = 89900
    kid: str = "2345676"
    archive: int = 0
    payer: str = "12345678901"
    type: str = "10"
    sign: str = "0"
    text: str = ""


def ocr(
    payments: Sequence[Giro],
    *,
    transmission: int = 1,
    assignment: int = 1,
    day: str = "020326",
    account: str = OCR_ACCOUNT,
) -> bytes:
    """A transmission with one assignment; its sums are added up here."""
    lines = [f"NY000010{8080:08}{transmission:07}{102000:08}{'0' * 49}"]
    lines.append(f"NY090020{1008566:09}{assignment:07}{account}{'0' * 45}")
    for number, one in enumerate(payments, start=1):
        lines.append(f"NY09{one.type}30{number:07}{day}1320100000{one.sign}{one.ore:017}{one.kid:>25}{'0' * 6}")
        lines.append(f"NY09{one.type}31{number:07}{0:010}{one.archive:09}{0:07}{day}{one.payer}{'0' * 22}")
        if one.text:
            lines.append(f"NY09{one.type}32{number:07}{one.text:<40}{'0' * 25}")
    records = len(lines)
    total = sum(one.ore if one.sign == "0" else -one.ore for one in payments)
    lines.append(f"NY090088{len(payments):08}{records:08}{abs(total):017}{day}{day}{day}{'0' * 21}")
    lines.append(f"NY000089{len(payments):08}{records + 2:08}{abs(total):017}{day}{'0' * 33}")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def mt940(
    entries: Sequence[str], *, number: str = "13/1", opening: int = 100000, closing: int | None = None, moved: int = 0
) -> bytes:
    """A statement in EUR from `opening` cents; `entries` are `:61:` and `:86:` as they stand."""
    closing = opening + moved if closing is None else closing
    return (
        f"{{1:F01BANKNL2AXXXX0000000000}}{{2:I940BANKNL2AXXXXN}}{{4:\r\n:20:MT940\r\n:25:NL08DEUT0319809633EUR\r\n"
        f":28C:{number}\r\n:60F:C260301EUR{_euros(opening)}\r\n{''.join(entries)}:62F:C260302EUR{_euros(closing)}\r\n-}}"
    ).encode()


def mt940_entry(
    cents: int = 89900,
    *,
    mark: str = "C",
    own: str = "NONREF",
    bank_ref: str = "",
    told: str = "/REMI/STRD/CUR/2345676/",
) -> str:
    """`:61:` with its `:86:`."""
    bank = f"//{bank_ref}" if bank_ref else ""
    return f":61:2603020302{mark}{_euros(cents)}NTRF{own}{bank}\r\n:86:{told}\r\n"


def _euros(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02}"


def many(count: int) -> Iterator[Paid]:
    """Payments that differ in everything."""
    for at in range(count):
        yield Paid(f"{100 + at}.50", f"{at:07}", f"B{at}", f"E{at}", f"Payer {at}", f"NO{at:013}")
