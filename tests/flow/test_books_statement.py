"""A statement tells every posting in words, and its balances are what the ledger says."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from relight.flow.books import acts, statement
from relight.flow.books.statement import LANGUAGES, Line, Wording, words
from relight.flow.books.statement_pdf import closing_words, statement_pdf
from relight.flow.cases.errors import UnableToFind
from relight.flow.claims import fees
from relight.flow.claims.operations import receive_payments
from relight.flow.database import Database
from tests.flow import ledger
from tests.flow.booking import AGENT, BENTE, books_of
from tests.flow.factories import Account, make_account, make_claim, make_service, make_source, payment_row

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)


@pytest.fixture
def account(db: Database, partner: int) -> Account:
    """An account on which much has happened in March, and something in February."""
    with db.transaction(partner) as tx:
        made = make_account(tx, NOON)
        make_service(tx, made, NOON)
        source = make_source(tx, NOON)
        make_claim(tx, made, NOON - timedelta(days=9), amount=20000, number="F1", due_date=date(2026, 2, 28))
        charged = make_claim(tx, made, NOON, amount=50000, number="F2", due_date=date(2026, 3, 20))
        fees.post(tx, [(charged, 3500)], NOON + timedelta(days=1))
        row = payment_row(60000, NOON - timedelta(days=1), account=made, ref="P1")
        receive_payments(tx, source, [row], now=NOON + timedelta(days=2))
        fees.reverse(tx, [tx.value("SELECT id FROM transfer WHERE kind = 'fee'")], now=NOON + timedelta(days=3))
        receive_payments(tx, source, [row._replace(state="returned")], now=NOON + timedelta(days=4))
        asked = acts.ask(tx, "remission", "F1", by=AGENT, reason="hardship", now=NOON)
        acts.answer(tx, asked.id, by=BENTE, granted=True, now=NOON + timedelta(days=5))
        receive_payments(tx, source, [payment_row(51000, NOON, account=made, ref="P2")], now=NOON + timedelta(days=6))
        make_claim(tx, made, NOON + timedelta(days=40), amount=777, number="F3")
    return made


def test_the_balance_after_each_posting_leads_from_the_opening_to_the_closing(
    db: Database, partner: int, account: Account
) -> None:
    with db.transaction(partner) as tx:
        found = statement.read(tx, account.id, FIRST, LAST)
        later = statement.read(tx, account.id, date(2026, 4, 1), date(2026, 4, 30))
        owed = tx.value("SELECT (SELECT sum(principal + costs) FROM claim) - credit FROM account")

    assert (found.opening, found.closing) == (20000, -1000)
    assert found.closing == found.opening + sum(one.change for one in found.lines)
    assert (later.opening, later.closing) == (-1000, owed)
    wording = Wording.of("en")
    assert closing_words(found, wording).endswith("in your favour")
    assert [(wording.line(one), one.change, one.balance) for one in found.lines if one.change] == [
        ("Invoice F2, due 20 Mar 2026", 50000, 70000),
        ("Fee on invoice F2", 3500, 73500),
        ("Payment received", -60000, 13500),
        ("Fee on invoice F2 was taken back", -3500, 10000),
        ("Payment was returned", 60000, 70000),
        ("Invoice F1 was forgiven", -20000, 50000),
        ("Payment received", -51000, -1000),
    ]
    within = [wording.line(one) for one in found.lines if not one.change]
    assert "Used for invoice F1: the invoice itself" in within
    assert "Freed from invoice F1" in within


def test_the_account_of_another_partner_is_not_there(
    db: Database, partner: int, other_partner: int, account: Account
) -> None:
    with pytest.raises(UnableToFind), db.transaction(other_partner) as tx:
        statement.read(tx, account.id, FIRST, LAST)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_posting_has_words_in_every_language(owner: psycopg.Connection, language: str) -> None:
    check = owner.execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'transfer_kind'"
    ).fetchone()
    kinds = re.findall(r"'(\w+)'", check[0] if check else "")

    told = words(language)

    on_accounts = {key.partition(".")[0] for key in told if "." in key} - {"part"}
    assert set(kinds) - {"remittance"} == on_accounts  # what is paid over to creditors is not the customer's
    assert set(told) == set(words("en"))
    assert all(told.values())


def test_a_kind_of_a_later_release_is_told_as_a_posting() -> None:
    odd = Line(FIRST, FIRST, "barter", "", 100, -100, 0, "", None, "", False)

    assert Wording.of("nl").line(odd) == "Boeking (barter)"
    assert Wording.of("sv").language == "en"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_is_a_pdf_for_archives_and_the_same_each_time(
    db: Database, partner: int, account: Account, language: str
) -> None:
    with db.transaction(partner) as tx:
        found = statement.read(tx, account.id, FIRST, LAST)

    pdf = statement_pdf(found, ink="#0b5f6b", language=language)

    assert pdf.startswith(b"%PDF-")
    assert b"pdfuaid" in pdf or b"pdfaid" in pdf
    assert pdf == statement_pdf(found, ink="#0b5f6b", language=language)


def test_what_people_wrote_is_set_as_text(db: Database, partner: int) -> None:
    with db.transaction(partner) as tx:
        odd = make_account(tx, NOON, name='#panic("x") *Kari* "\\')
        make_claim(tx, odd, NOON, number="#{1+1}", amount=100)
        found = statement.read(tx, odd.id, FIRST, LAST)

    assert statement_pdf(found, ink="#0b5f6b").startswith(b"%PDF-")


def test_the_command_writes_pdf_and_csv(
    db: Database,
    partner: int,
    account: Account,
    owner: psycopg.Connection,
    database_urls: dict[str, str],
    tmp_path: Path,
) -> None:
    books = books_of(owner, database_urls, partner)
    span = ("--from", FIRST, "--to", LAST)

    wrote = books("statement", account.ref, *span, "-o", tmp_path / "a.pdf")
    shown = books("statement", account.ref, *span, "--language", "nb")
    nobody = books("statement", "nobody", *span)
    backwards = books("statement", account.ref, "--from", LAST, "--to", FIRST)

    rows = list(csv.DictReader(io.StringIO(shown.stdout)))
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    assert wrote.exit_code == 0
    assert [rows[0]["balance"], rows[-1]["balance"]] == ["200.00", "-10.00"]
    assert rows[1]["text"].startswith("Faktura F2, forfall")
    assert (nobody.exit_code, backwards.exit_code) == (1, 2)
    with db.transaction(partner) as tx:
        assert ledger.differences(tx) == []
