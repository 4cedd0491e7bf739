"""AvtaleGiro in the simulated year: who has a mandate, what the desk does each morning, what the bank makes of it.

Most debits come on their day. Some find no money on the account, and some go back three days later.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from relight.cli.demo.portfolio import BROADBAND, CREDITORS, Invoice
from relight.flow.cases.people import Person
from relight.flow.database import Database, Tx
from relight.flow.payments.mandates import answering, noting, planning, writing
from relight.flow.payments.mandates.noting import Told
from tests.unit.payments.files.written import Giro
from tests.year.script import Year

SCHEME = "avtalegiro"
MANAGER = Person("mona", "manager")
SENDER = "55555555"  # one transmission, whoever the money is for
SHORT, BACK = 0.10, 0.06
_BACK_AFTER = timedelta(days=3)
_FIRST_ARCHIVE = 500_000_000  # the other giros of a day count from below

_ORDERED = """
    SELECT c.number, k.amount, c.reference, k.attempt FROM collection k JOIN claim c ON c.id = k.claim_id
    WHERE k.state = 'sent' AND k.collect_date = %(day)s ORDER BY c.number
"""
_COLLECTED = """
    SELECT c.number, k.amount, c.reference, k.attempt FROM collection k JOIN claim c ON c.id = k.claim_id
    WHERE k.state = 'collected' AND k.collect_date = %(day)s ORDER BY c.number
"""


def agree(tx: Tx, year: Year, bills: list[Invoice], now: datetime) -> None:
    """Whoever likes to have bills collected says so with the first one; said again, nothing changes."""
    for name in CREDITORS.values():
        noting.keep_creditor(tx, creditor=name, scheme=SCHEME, number=SENDER, group_number="", by=MANAGER, now=now)
    told = [
        Told(
            bill.row.account_ref, SCHEME, f"{bill.household:06}{_digit(bill)}", year.start,
            creditor=bill.row.creditor or "",
        )
        for bill in bills
        if year.is_collected(bill.household)
    ]  # fmt: skip
    noted = noting.note(tx, told, source="file", actor="AvtaleGiro", now=now)
    assert not noted.refused, noted.refused


def plan(db: Database, partner_id: int, now: datetime) -> None:
    """The morning's first part, which may be repeated: what nobody answered, and what is due to be collected."""
    answering.sweep(db, partner_id, now=now)
    planning.plan(db, partner_id, now=now)


def order(tx: Tx, now: datetime) -> None:
    """The morning's second part: the files."""
    writing.order(tx, SCHEME, now=now)
    writing.recall(tx, SCHEME, now=now)


def giros(tx: Tx, day: date, number: int) -> Iterator[Giro]:
    """What the bank tells of debits on a day."""
    archive = _FIRST_ARCHIVE + number * 10_000
    came = [row for row in tx.rows(_ORDERED, {"day": day}) if _luck(row) >= SHORT]
    back = [row for row in tx.rows(_COLLECTED, {"day": day - _BACK_AFTER}) if SHORT <= _luck(row) < SHORT + BACK]
    for at, (_, amount, kid, _) in enumerate(came):
        yield Giro(amount, kid, archive + at, type="15")
    for at, (_, amount, kid, _) in enumerate(back, start=len(came)):
        yield Giro(amount, kid, archive + at, type="18", sign="-")


def _luck(row: tuple[object, ...]) -> float:
    number, _, _, attempt = row
    return Random(f"debit-{number}-{attempt}").random()


def _digit(bill: Invoice) -> int:
    return 1 if bill.row.creditor == CREDITORS[BROADBAND] else 2
