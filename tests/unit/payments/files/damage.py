"""Bank files and what cables, disks and editors do to them, from a seed. By hand, so many copies of each file, and the
outcome kept where it is said:

python -m tests.unit.payments.files.damage 25000 bench/results/2026-11-26-damage.json
"""

import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from relight.flow.claims.errors import UnableToImport
from tests.unit.payments.files.reading import Content, read
from tests.unit.payments.files.written import (
    Giro,
    Paid,
    camt,
    details,
    entry,
    many,
    mt940,
    mt940_entry,
    ocr,
    statement,
)

_PIECES = (
    b"\x00", b"\xff", b"\xc3\xa5", b"\n", b"\r\n", b" ", b"-", b"0", b"9", b"<", b">", b"&", b"/", b'"', b"]]>",
    b"<!--", b"</Ntry>", b"<Ntry>", b"</TxDtls>", b"<Amt>", b"NY09", b":61:", b":20:", b"99999999999999999999", b"?",
    b"{", b",",
)  # fmt: skip
_BATCH = "".join(details(paid, own_amount=True) for paid in many(3))
_NAMED = [Paid(f"{100 + at}.50", f"{at:07}", f"B{at}") for at in range(6)]
# Every one of these holds sums of its own, by which damage shows.
FILES = {
    "camt.053": ("camt", camt(statement([
        *(entry(paid) for paid in _NAMED), entry(Paid("30.00"), mark="DBIT"), entry(Paid("304.50"), inside=_BATCH),
    ], number=3, opening="10.00", closing="902.50"))),
    "camt.054": ("camt", camt(statement(
        [entry(Paid("304.50"), inside=_BATCH, before="<Btch><NbOfTxs>3</NbOfTxs></Btch>")], kind="camt.054", number=7,
        header="<TxsSummry><TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>304.50</Sum></TtlCdtNtries></TxsSummry>",
    ), kind="camt.054")),
    "ocr": ("ocr", ocr([Giro(10000 + 100 * at, f"{1000017 + at}", at + 1) for at in range(6)])),
    "mt940": ("mt940", mt940(
        [mt940_entry(10000 + at, bank_ref=f"B{at}") for at in range(5)] + [mt940_entry(700, mark="D")],
        moved=5 * 10000 + 10 - 700,
    )),
}  # fmt: skip


def damaged(content: bytes, seed: int, *, accidents: int = 1) -> bytes:
    """The file after some accidents: bytes put in, changed, lost or doubled, lines lost or moved, a tail cut."""
    dice = random.Random(seed)
    for _ in range(accidents):
        at = dice.randrange(len(content) + 1)
        end = min(len(content), at + dice.randrange(1, 60))
        match dice.randrange(7):
            case 0:
                content = content[:at] + dice.choice(_PIECES) + content[at:]
            case 1:
                content = content[:at] + dice.choice(_PIECES) + content[end:]
            case 2:
                content = content[:at] + content[end:]
            case 3:
                content = content[:end] + content[at:end] + content[end:]
            case 4:
                content = content[:at] + bytes([dice.randrange(256)]) + content[at + 1 :]
            case 5:
                content = _with_a_line_moved(content, dice)
            case _:
                content = content[:at] if dice.random() < 0.3 else content
    return content


def _with_a_line_moved(content: bytes, dice: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    if len(lines) < 2:
        return content
    taken = dice.randrange(len(lines))
    line = lines[taken] if dice.random() < 0.3 else lines.pop(taken)
    if dice.random() < 0.7:
        lines.insert(dice.randrange(len(lines) + 1), line)
    return b"".join(lines)


def money(content: Content) -> Counter[tuple[int, str, str]]:
    """What would be booked: sums, currencies, and whether it came or went. No format has a check on days or texts."""
    return Counter((row.amount, row.currency, row.state) for row in content.payments)


def try_one(name: str, seed: int, *, accidents: int = 1) -> Content | None:
    """Read a damaged copy, None where it is refused; raises AssertionError when it is told worse than it may."""
    format_, good = FILES[name]
    try:
        found = read(damaged(good, seed, accidents=accidents), format_)
    except UnableToImport as refused:
        if not str(refused).endswith("."):
            raise AssertionError(str(refused)) from refused
        return None
    for row in found.rows:
        assert (row.row is not None) + row.is_other + bool(row.problems) == 1, row
        assert all(problem.line >= 1 and problem.field and problem.reason.endswith(".") for problem in row.problems)
    if accidents == 1:
        wrong = money(found) - money(read(good, format_))
        assert not wrong, f"{name}, seed {seed}: {wrong}"
    return found


def damage_all(name: str, copies: int) -> dict[str, Any]:
    """So many copies of a file with one accident, and a quarter as many with four.

    The first crash, or the first sum that the bank had not told, ends the run: nothing is kept then.
    """
    told: Counter[str] = Counter()
    for accidents, seeds in ((1, range(copies)), (4, range(copies, copies + copies // 4))):
        for seed in seeds:
            found = try_one(name, seed, accidents=accidents)
            told["copies"] += 1
            told["refused"] += found is None
            told["payments_read"] += len(found.payments) if found else 0
            told["rows_rejected"] += len(found.problems) if found else 0
    return dict(told)


if __name__ == "__main__":
    asked, *kept = sys.argv[1:]
    began = time.monotonic()
    outcome = {name: damage_all(name, int(asked)) for name in FILES}
    whole = {
        "copies": sum(one["copies"] for one in outcome.values()),
        "seconds": round(time.monotonic() - began, 1),
        "files": outcome,
    }
    print(json.dumps(whole))
    for path in kept:
        Path(path).write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
