"""Files with accidents, all the way to the books: nothing is booked that a file does not say."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relight.flow.claims.errors import UnableToImport
from relight.flow.database import Database
from relight.flow.road.intake import import_invoices, import_payments
from relight.flow.road.report import Report
from tests.flow import ledger
from tests.flow.conftest import make_partner
from tests.unit.claims.mutations import GOOD, mutated

PAYMENTS = b"ref,amount,value_date,reference,account\n" + b"".join(
    b"P%d,%d.50,2026-02-10,F%d,A%d\n" % (at, 90 + at, at, at % 5) for at in range(12)
)
# The database outlives an example, and each example has a partner of its own.
LIGHT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def fresh(owner: psycopg.Connection, now: datetime) -> Callable[[], int]:
    return lambda: make_partner(owner, now)


def taken_in(
    import_: Callable[..., Report], db: Database, partner: int, content: bytes, now: datetime
) -> Report | None:
    """What becomes of a file; None when it cannot be used at all."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "file.csv")
        path.write_bytes(content)
        try:
            return import_(db, partner, path, now=now)
        except UnableToImport:
            return None


def add_up(report: Report) -> None:
    assert report.read == report.accepted + report.unchanged + report.other + report.rejected
    assert min(report.accepted, report.unchanged, report.other, report.rejected) >= 0
    wrong = {problem.line for problem in report.errors if not problem.warning}
    assert bool(wrong) == bool(report.rejected)


@LIGHT
@given(content=mutated())
def test_what_is_accepted_is_what_is_booked(
    db: Database, fresh: Callable[[], int], now: datetime, content: bytes
) -> None:
    partner = fresh()

    report = taken_in(import_invoices, db, partner, content, now)
    again = taken_in(import_invoices, db, partner, content, now)

    with db.transaction(partner) as tx:
        booked = tx.row(
            "SELECT count(*), coalesce(sum(amount), 0)::bigint, coalesce(sum(disputed), 0)::bigint FROM claim"
        )
        assert ledger.differences(tx) == []
    if report is None or again is None:
        assert booked == (0, 0, 0)
        return
    add_up(report)
    add_up(again)
    total = report.totals.get("NOK")
    assert booked == ((total.rows, total.amount, total.disputed) if total else (0, 0, 0))
    assert (again.accepted, again.rejected, again.unchanged) == (0, report.rejected, report.accepted + report.unchanged)


@LIGHT
@given(invoices=st.one_of(st.just(GOOD), mutated()), payments=mutated(good=PAYMENTS))
def test_payments_with_accidents_count_once(
    db: Database, fresh: Callable[[], int], now: datetime, invoices: bytes, payments: bytes
) -> None:
    partner = fresh()
    taken_in(import_invoices, db, partner, invoices, now)

    report = taken_in(import_payments, db, partner, payments, now)
    again = taken_in(import_payments, db, partner, payments, now)

    with db.transaction(partner) as tx:
        assert ledger.differences(tx) == []
        stored = tx.value("SELECT count(*) FROM payment")
        complete = tx.value("SELECT max(complete_until) FROM source")
    if report is None or again is None:
        assert stored == 0
        return
    add_up(report)
    assert stored == report.accepted
    assert again.accepted == 0
    assert (complete == now) == (report.rejected == 0)
