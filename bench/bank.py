"""Payments a second from a bank's file, and the memory that takes: `python -m bench.bank --megabytes 100`.

A camt.054 as banks send it, one batch whose details are its payments, each with the KID of an invoice. Two files are
imported by the command itself, as processes of their own: one of a quarter of the size, then the whole one. `peak_mb`
is the command's largest resident size for both. By hand: it fills in and pays some tens of thousands of invoices first.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import population
from bench.figures import machine
from bench.home import Home, private
from bench.importing import NOW, write_invoices
from bench.population import CUSTOMERS, Plan, Shape

News = Callable[[str], None]

_FIRST = 10_000_000
_ROW_BYTES = 1_265
_DAY = NOW.date() - timedelta(days=1)
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08">'
    "<BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>{name}</MsgId><CreDtTm>{day}T23:00:00+01:00</CreDtTm></GrpHdr><Ntfctn>"
    "<Id>{name}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><CreDtTm>{day}T23:00:00+01:00</CreDtTm><Acct><Id>"
    "<IBAN>NO9386011117947</IBAN></Id><Ccy>NOK</Ccy></Acct><Ntry><NtryRef>{name}</NtryRef>"
    '<Amt Ccy="NOK">{total}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>'
    "<ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>{name}</AcctSvcrRef><NtryDtls><Btch><NbOfTxs>{count}</NbOfTxs></Btch>\n"
)
_TAIL = "</NtryDtls></Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>\n"
_ROW = """\
<TxDtls>
  <Refs>
    <AcctSvcrRef>{name}-{at:08}</AcctSvcrRef>
    <InstrId>INSTR{at:012}</InstrId>
    <EndToEndId>E2E{at:012}</EndToEndId>
  </Refs>
  <Amt Ccy="NOK">{amount}</Amt>
  <CdtDbtInd>CRDT</CdtDbtInd>
  <BkTxCd>
    <Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn>
  </BkTxCd>
  <RltdPties>
    <Dbtr>
      <Pty>
        <Nm>Kari Nordmann {at:08}</Nm>
        <PstlAdr>
          <StrtNm>Storgata</StrtNm>
          <BldgNb>{at}</BldgNb>
          <PstCd>9008</PstCd>
          <TwnNm>Tromsø</TwnNm>
          <Ctry>NO</Ctry>
          <AdrLine>Storgata {at}</AdrLine>
          <AdrLine>9008 Tromsø</AdrLine>
        </PstlAdr>
      </Pty>
    </Dbtr>
    <DbtrAcct><Id><Othr><Id>{at:011}</Id><SchmeNm><Cd>BBAN</Cd></SchmeNm></Othr></Id></DbtrAcct>
    <Cdtr><Pty><Nm>Nordlys Kraft AS</Nm><PstlAdr><Ctry>NO</Ctry></PstlAdr></Pty></Cdtr>
    <CdtrAcct><Id><IBAN>NO9386011117947</IBAN></Id></CdtrAcct>
  </RltdPties>
  <RltdAgts>
    <DbtrAgt><FinInstnId><BICFI>SPTRNO22XXX</BICFI><Nm>SpareBank i nord</Nm></FinInstnId></DbtrAgt>
  </RltdAgts>
  <RmtInf>
    <Strd>
      <CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>{at:012}</Ref></CdtrRefInf>
    </Strd>
  </RmtInf>
</TxDtls>
"""


def run(*, megabytes: int = 100, news: News = print) -> dict[str, Any]:
    """Import a camt.054 of about so many megabytes, after one of a quarter of that."""
    rows = megabytes * 1_000_000 // _ROW_BYTES
    with private() as home, home.owner() as owner:
        invoices = rows + rows // 4
        news(f"filling in {invoices:,} invoices …")
        partner = population.make_partner(owner, "imported", NOW, {})
        with home.database() as db:
            policy = population.publish_policies(db, partner, NOW)["broadband"]
        with home.filling() as filling:
            plan = Plan(_FIRST, -(-invoices // 2), (Shape(steps=0, due_days=0),), tables=CUSTOMERS)
            population.fill(filling, partner, policy, plan, NOW)
            population.settle_down(filling)
        write_invoices(home.folder / "invoices.csv", invoices)
        _command(home, "invoices", home.folder / "invoices.csv", invoices)
        news("importing the quarter, then the whole …")
        quarter = _import(home, rows, rows // 4, number=1)
        whole = _import(home, 0, rows, number=2)
        paid = owner.execute("SELECT count(*), coalesce(sum(amount), 0)::bigint FROM payment").fetchone()
        assert paid == (invoices, sum(map(_amount, range(invoices)))), paid
        return {
            "rows": rows,
            "megabytes": whole["megabytes"],
            "rows_per_second": whole["rows_per_second"],
            "peak_mb": whole["peak_mb"],
            "quarter": quarter,
            "machine": machine(owner),
        }


def _import(home: Home, first: int, count: int, *, number: int) -> dict[str, Any]:
    file = home.folder / f"notification-{number}.xml"
    with file.open("w", encoding="utf-8") as output:
        output.writelines(_written(first, count, number))
    seconds, peak_mb = _command(home, "payments", file, count, "--format", "camt")
    return {
        "rows": count,
        "megabytes": round(file.stat().st_size / 1_000_000, 1),
        "rows_per_second": round(count / seconds),
        "peak_mb": peak_mb,
    }


def _written(first: int, count: int, number: int) -> Iterator[str]:
    name = f"B{_DAY:%Y%m%d}{number}"
    total = sum(map(_amount, range(first, first + count)))
    yield _HEAD.format(name=name, day=_DAY, number=number, total=_kroner(total), count=count)
    for at in range(first, first + count):
        yield _ROW.format(name=name, at=at, amount=_kroner(_amount(at)))
    yield _TAIL


def _amount(number: int) -> int:
    """What the invoice of this number asks for (`bench.importing`), in øre."""
    return (299 + number * 7919 % 4000) * 100 + number * 31 % 100


def _kroner(ore: int) -> str:
    return f"{ore // 100}.{ore % 100:02}"


def _command(home: Home, kind: str, file: Path, rows: int, *words: str) -> tuple[float, float]:
    """Seconds of the whole command, and its largest resident size in MB."""
    command = home.command("import", kind, str(file), *words, "--partner", "imported", "--json")
    began = time.perf_counter()
    with subprocess.Popen(command, env=dict(home.environment), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    report = json.loads(said.splitlines()[-1]) if process.returncode == 0 else {}
    if report.get("accepted") != rows or report.get("unmatched"):
        raise RuntimeError(f"{kind}: {report or process.returncode}")
    return seconds, round(usage.ru_maxrss / 1024, 1)


if __name__ == "__main__":
    size = int(sys.argv[sys.argv.index("--megabytes") + 1]) if "--megabytes" in sys.argv else 100
    print(json.dumps(run(megabytes=size, news=lambda text: print(text, file=sys.stderr))))
