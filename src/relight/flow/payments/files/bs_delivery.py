"""Collections for Betalingsservice as its data delivery 0601, section 0112: lines of 128 signs. Pure: bytes from rows.

The positions were established from two open programs that exchange such files and agree wherever both speak: a club's
member register (writes 0601, reads 0602), and a reader of 0602 and 0603 with its tests. Nothing of them is here.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from relight.flow.payments.files.ordered import Ordered
from relight.flow.payments.files.pain001 import decimal

WIDTH = 128
SUBSYSTEM, DELIVERY, SECTION = "BS1", "0601", "0112"
_NAME, _TEXT, _PAYMENT = "0240", "0241", "0280"
_DRAWN = "1"  # the sign of a sum that is drawn; 2 would pay out


def delivery(collections: Sequence[Ordered], *, number: int, at: datetime) -> bytes:
    """A delivery of payments: a section for each creditor, debtor group and account. `number` is the delivery's own.

    Raises ValueError for none, and for a creditor without CVR number, debtor group or Danish account.
    """
    if not collections:
        raise ValueError("a file without collections asks for nothing")
    suppliers = {_supplier(one) for one in collections}
    if len(suppliers) > 1:
        raise ValueError("a delivery has one sender")
    supplier = suppliers.pop()
    key = attrgetter("creditor_number", "group_number", "creditor_account")
    sections = [list(group) for _, group in groupby(sorted(collections, key=lambda one: (*key(one), one.ref)), key=key)]
    lines = [f"BS002{supplier}{SUBSYSTEM}{DELIVERY}{number % 10**10:010}{'':19}{at:%d%m%y}"]
    for group in sections:
        lines += _section(group, number=number, at=at)
    count, total = len(collections), sum(one.amount for one in collections)
    sums = f"{len(sections):011}{count:011}{total:015}{count:011}{0:015}{count:011}{0:034}"
    lines.append(f"BS992{supplier}{SUBSYSTEM}{DELIVERY}{sums}")
    return "".join(f"{line:{WIDTH}}\r\n" for line in lines).encode("iso-8859-1", "replace")


def _section(group: Sequence[Ordered], *, number: int, at: datetime) -> Iterator[str]:
    first = group[0]
    head, debtors = f"{first.creditor_number:>08}", _digits(first.group_number, 5, "debtor group")
    bank = _account(first.creditor_account)
    yield f"BS012{head}{SECTION}{'':5}{debtors}{number:<15}{'':4}{at:%d%m%Y}{bank}{_plain(first.creditor)[:60]:60}"
    for one in group:
        who = f"{debtors}{_digits(one.mandate, 15, 'customer number')}{0:09}"
        yield f"BS022{head}{_NAME}{1:05}{who}{_plain(one.payer_name)[:35]:35}"
        yield f"BS042{head}{_PAYMENT}{0:05}{who}{one.collect_date:%d%m%Y}{_DRAWN}{one.amount:013}{one.ref:30.30}00"
        amount = decimal(one.amount, one.currency).replace(".", ",")
        yield f"BS052{head}{_TEXT}{1:05}{who} {_plain(one.bill)[:38]:38}{amount:9}"
    count, total = len(group), sum(one.amount for one in group)
    yield f"BS092{head}{SECTION}{0:05}{debtors}{'':4}{count:011}{total:015}{count:011}{'':15}{count:011}"


def _supplier(one: Ordered) -> str:
    number = "".join(sign for sign in one.creditor_org if sign.isdigit())
    if len(number) != 8:
        how = "relight mandate creditor --org-number"
        raise ValueError(f"{one.creditor} has no CVR number, by which Betalingsservice knows who sends ({how})")
    return number


def _digits(number: str, width: int, what: str) -> str:
    if not number.isdigit() or len(number) > width:
        raise ValueError(f"{number!r} is no {what}, which has at most {width} digits")
    return number.rjust(width, "0")


def _account(number: str) -> str:
    """Four digits of the bank and ten of the account: the bank's own number, also out of a Danish IBAN."""
    digits = "".join(sign for sign in number if sign.isdigit())
    if number[:2].upper() == "DK":
        digits = digits[2:]
    if not 5 <= len(digits) <= 14:
        raise ValueError(f"{number!r} is no Danish account, which has four digits of its bank and up to ten more")
    return digits[:4] + digits[4:].rjust(10, "0")


def _plain(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
