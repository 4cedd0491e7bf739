"""An account's statement at the console: every posting in the reader's words, and the same as PDF and CSV."""

import csv
import io
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from relight.flow.database import Database
from tests.web.console_sample import Portfolio
from tests.web.console_visitor import SignIn

OSLO = ZoneInfo("Europe/Oslo")


@pytest.fixture
def account(db: Database, partner: int, portfolio: Portfolio) -> int:
    """Kari's account."""
    with db.transaction(partner) as tx:
        return tx.value("SELECT account_id FROM dunning_case WHERE id = %(case)s", {"case": portfolio.kari})


def test_the_case_leads_to_the_statement_and_back(seat: SignIn, portfolio: Portfolio, account: int) -> None:
    visitor = seat("reader")

    case = visitor.opens(f"cases/{portfolio.kari}/")
    seen = visitor.opens(f"accounts/{account}/statement/?case={portfolio.kari}")

    assert f"/console/accounts/{account}/statement/?case={portfolio.kari}" in case.html
    assert seen.has("Kontoutskrift for Kari Nordmann", "Skylder 899,00 kr", "Faktura", "forfall", "Saldo før")
    assert f'href="/console/cases/{portfolio.kari}/"' in seen.html


def test_a_span_without_postings_says_so_and_nonsense_is_left_out(seat: SignIn, account: int) -> None:
    visitor = seat("reader")

    empty = visitor.opens(f"accounts/{account}/statement/?from=1999-01-01&to=1999-12-31")
    odd = visitor.opens(f"accounts/{account}/statement/?from=nonsense&to=9999-99-99&case=x")

    assert empty.has("Ingenting er bokført i denne tiden", "Skylder ingenting")
    assert odd.has("Skylder 899,00 kr")


def test_pdf_and_csv_are_for_the_same_days(seat: SignIn, account: int, now: datetime) -> None:
    visitor = seat("reader")
    today = now.astimezone(OSLO).date()
    days = f"from={today.year - 1}-01-01&to={today}"

    pdf = visitor.opens(f"accounts/{account}/statement.pdf?{days}")
    sheet = visitor.opens(f"accounts/{account}/statement.csv?{days}")

    rows = list(csv.DictReader(io.StringIO(sheet.response.text)))
    assert pdf.response.headers["Content-Type"] == "application/pdf"
    assert pdf.response.content.startswith(b"%PDF-")
    assert rows[-1]["balance"] == "899.00"
    assert sheet.response.headers["Content-Disposition"].startswith("attachment")
    assert rows[0]["booked"] == f"{today.year - 1}-01-01"


def test_another_partners_account_is_not_found(seat: SignIn, other_partner: int, account: int) -> None:
    assert seat("manager", at=other_partner).opens(f"accounts/{account}/statement/").status == 404
