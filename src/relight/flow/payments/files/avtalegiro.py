"""AvtaleGiro's payment requests and deletions as a file for Nets: lines of 80 characters. Pure: bytes from rows.

Source: Nets' system specification for AvtaleGiro, and the record shapes of the open reader `netsgiro`.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from relight.flow.payments.files.ordered import Ordered

RECEIVER = "00008080"
ORDER, DELETION = "00", "36"
_BY_PAYEE, _BY_BANK, _DELETED = "02", "21", "93"
_TEXT = 40


def avtalegiro(collections: Sequence[Ordered], *, number: int, deletion: bool = False) -> bytes:
    """A transmission of payment requests, or of deletions: one assignment for each account of a creditor.

    `number` is the transmission's. Raises ValueError for none, and for an account that is no Norwegian one.
    """
    if not collections:
        raise ValueError("a file without collections asks for nothing")
    sender = {one.creditor_number for one in collections}
    if len(sender) > 1:
        raise ValueError("a transmission has one sender")
    lines = [f"NY000010{sender.pop():>08}{number % 10**7:07}{RECEIVER}{'0' * 49}"]
    ordered = sorted(collections, key=attrgetter("creditor_account", "collect_date", "ref"))
    for at, (account, group) in enumerate(groupby(ordered, key=attrgetter("creditor_account")), start=1):
        lines += _assignment(
            list(group), account=_account(account), number=(number * 100 + at) % 10**7, deletion=deletion
        )
    total, first = sum(one.amount for one in collections), min(one.collect_date for one in collections)
    count = len(collections)
    lines.append(f"NY000089{count:08}{len(lines) + 1:08}{total:017}{first:%d%m%y}{'0' * 33}")
    return "".join(f"{line}\r\n" for line in lines).encode("iso-8859-1", "replace")


def _assignment(group: Sequence[Ordered], *, account: str, number: int, deletion: bool) -> list[str]:
    kind = DELETION if deletion else ORDER
    lines = [f"NY21{kind}20{'0' * 9}{number:07}{account}{'0' * 45}"]
    for at, one in enumerate(group, start=1):
        lines += _request(one, at, deletion=deletion)
    days = [one.collect_date for one in group]
    total = sum(one.amount for one in group)
    sums = f"{len(group):08}{len(lines) + 1:08}{total:017}{min(days):%d%m%y}{max(days):%d%m%y}"
    return [*lines, f"NY21{kind}88{sums}{'0' * 27}"]


def _request(one: Ordered, at: int, *, deletion: bool) -> Iterator[str]:
    kind = _DELETED if deletion else (_BY_BANK if one.bank_notifies else _BY_PAYEE)
    yield f"NY21{kind}30{at:07}{one.collect_date:%d%m%y}{'':11}{one.amount:017}{one.reference:>25}{'0' * 6}"
    yield f"NY21{kind}31{at:07}{_plain(one.payer_name)[:10]:10}{'':25}{_plain(one.bill)[:25]:25}{'0' * 5}"
    if kind == _BY_BANK:
        yield f"NY212149{at:07}40011{_plain(f'{one.creditor} {one.bill}')[:_TEXT]:{_TEXT}}{'0' * 20}"


def _account(number: str) -> str:
    """Eleven digits: the account's own number, also out of a Norwegian IBAN."""
    digits = "".join(sign for sign in number if sign.isdigit())
    if number[:2].upper() == "NO":
        digits = digits[2:]
    if len(digits) != 11:
        raise ValueError(f"{number!r} is no Norwegian account, which has eleven digits")
    return digits


def _plain(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
