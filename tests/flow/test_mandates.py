"""Mandates are told by files and people, and kept as periods."""

import json
import tracemalloc
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from relight.cli.main import relight
from relight.cli.mandates import tell_taken
from relight.core.references.kid import make_kid
from relight.flow.cases.people import Person, UnableToAct
from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.fields import Problem
from relight.flow.claims.referencing import keep_setting
from relight.flow.database import Database
from relight.flow.payments.mandates import agreeing, hearing, noting
from relight.flow.payments.mandates.noting import Told, UnableToCollect
from relight.flow.payments.mandates.taking import ERRORS_MAX, Taken
from tests.flow.booking import Connected
from tests.flow.factories import make_account, make_claim
from tests.flow.mandating import CREDITOR_ID, KARI, PAYER, Till
from tests.unit.payments.files.test_bs_payments import agreement, paid, whole

MANDATES = "SELECT reference, starts_on::text, coalesce(ends_on::text, ''), ended_because FROM mandate ORDER BY id"
READER = Person("ole", "reader")


@pytest.fixture
def nets(db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path) -> Till:
    return Till(db, owner, partner, now, tmp_path, "avtalegiro")


@pytest.fixture
def bank(db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path) -> Till:
    return Till(db, owner, partner, now, tmp_path, "sepa")


def agreements(path: Path, *told: tuple[int, str, str], account: str = "15032080119") -> Path:
    """A file of Nets': (kind, KID, notify) each."""
    lines = [f"NY000010{8080:08}{1:07}{102000:08}{'0' * 49}", f"NY212420{'0' * 9}{1:07}{account}{'0' * 45}"]
    lines += [f"NY219470{at:07}{kind}{kid:>25}{notify}{'0' * 38}" for at, (kind, kid, notify) in enumerate(told, 1)]
    lines += [f"NY212488{len(told):08}{len(told) + 2:08}{'0' * 56}", f"NY000089{len(told):08}{0:08}{0:017}{'0' * 39}"]
    path.write_text("\n".join(lines))
    return path


def test_agreements_find_their_accounts_by_the_bill_or_by_the_customers_number(nets: Till) -> None:
    with nets.db.transaction(nets.partner) as tx:
        keep_setting(tx, {"scheme": "kid", "layouts": [[{"customer": 7}, {"invoice": 6}]]})
        billed, numbered = make_account(tx, nets.now), make_account(tx, nets.now, ref="K-4711")
        make_claim(tx, billed, nets.now, reference="2345676")
    own = make_kid("0004711" + "000001")
    path = agreements(nets.folder / "a.txt", (1, "2345676", "J"), (1, own, "N"), (1, make_kid("99"), "J"))

    taken = agreeing.import_agreements(nets.db, nets.partner, path, now=nets.now)
    again = agreeing.import_agreements(nets.db, nets.partner, path, now=nets.now + timedelta(days=1))

    found = nets.rows("SELECT account_id, reference, bank_notifies FROM mandate ORDER BY id")
    assert found == [(billed.id, "2345676", True), (numbered.id, own, False)]
    assert (taken.changed, [problem.line for problem in taken.errors]) == (2, [5])
    assert (again.changed, again.unchanged) == (0, 2)


def test_an_agreement_that_the_customer_ends_ends_on_that_day(nets: Till) -> None:
    customer = nets.customer(mandate="2345676")

    taken = agreeing.import_agreements(
        nets.db, nets.partner, agreements(nets.folder / "a.txt", (2, customer.mandate, "J")), now=nets.now
    )

    assert taken.changed == 1
    assert nets.rows(MANDATES) == [("2345676", "2026-01-05", "2026-03-02", "ended by the customer")]


def test_a_full_list_ends_those_that_are_not_on_it_and_a_list_of_changes_does_not(nets: Till) -> None:
    for kid in ("2345676", "18"):
        nets.customer(mandate=kid, reference=kid)
    changes = agreements(nets.folder / "a.txt", (1, "2345676", "J"))
    full = agreements(nets.folder / "b.txt", (0, "2345676", "J"))

    first = agreeing.import_agreements(nets.db, nets.partner, changes, now=nets.now)
    second = agreeing.import_agreements(nets.db, nets.partner, full, now=nets.now)

    assert (first.ended, second.ended) == (0, 1)
    ended = nets.rows("SELECT reference FROM mandate WHERE ended_because = 'not on the full list'")
    assert ended == [("18",)]


def test_what_changes_makes_a_new_row_and_leaves_the_old_one_as_it_was(bank: Till) -> None:
    customer = bank.customer(mandate="NL-1")
    with bank.db.transaction(bank.partner) as tx:
        moved = Told(customer.account.ref, "sepa", "NL-1", date(2026, 3, 2), payer_name="Jan",
                     payer_account="NL91ABNA0417164300", signed_date=date(2026, 1, 5))  # fmt: skip
        noting.by_hand(tx, moved, by=KARI, now=bank.now)

    assert bank.rows(MANDATES) == [
        ("NL-1", "2026-01-05", "2026-03-02", "replaced"),
        ("NL-1", "2026-03-02", "", ""),
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"payer_account": "NL02RABO0123456789"}, "is no IBAN"),
        ({"payer_account": "15032080119"}, "is no IBAN; SEPA collects from those only"),
        ({"signed_date": None}, "Say when the mandate was signed"),
        ({"reference": "ø"}, "letters, digits"),
        ({"reference": "x" * 36}, "at most 35 signs"),
        ({"payer_name": ""}, "Say whose account it is."),
        ({"account_ref": "nobody"}, "There is no account 'nobody'"),
    ],
)
def test_a_mandate_that_a_bank_would_not_take_is_refused(bank: Till, wrong: dict[str, object], said: str) -> None:
    with bank.db.transaction(bank.partner) as tx:
        account = make_account(tx, bank.now, currency="EUR")
        told = Told(account.ref, "sepa", "NL-1", date(2026, 3, 2), payer_name="Jan", payer_account=PAYER,
                    signed_date=date(2026, 1, 5))._replace(**wrong)  # fmt: skip

        with pytest.raises(UnableToCollect, match=said):
            noting.by_hand(tx, told, by=KARI, now=bank.now)


def test_who_only_reads_notes_no_mandate(bank: Till) -> None:
    with bank.db.transaction(bank.partner) as tx, pytest.raises(UnableToAct):
        noting.by_hand(tx, Told("K", "sepa", "NL-1", date(2026, 3, 2)), by=READER, now=bank.now)


def test_a_creditors_account_is_noted_once_and_led_nowhere_else(bank: Till) -> None:
    bank.rows("UPDATE creditor SET bank_account = '', org_number = '' RETURNING id")
    with bank.db.transaction(bank.partner) as tx:
        noting.complete_creditor(tx, "Duinwater & Søn", bank_account="NL91 ABNA 0417 1643 00", org_number="1", by=KARI)

    with bank.db.transaction(bank.partner) as tx, pytest.raises(UnableToCollect, match="Nothing was changed"):
        noting.complete_creditor(tx, "Duinwater & Søn", bank_account=PAYER, org_number="", by=KARI)

    assert bank.rows("SELECT bank_account, org_number FROM creditor") == [("NL91ABNA0417164300", "1")]


def test_betalingsservices_agreements_find_their_accounts_and_a_full_list_ends_the_others(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path
) -> None:
    till = Till(db, owner, partner, now, tmp_path, "betalingsservice")
    with db.transaction(partner) as tx:
        new = make_account(tx, now, ref="K-4711", currency="DKK")
    old, other = till.customer(), till.customer()
    changes = tmp_path / "changes.txt"
    told = [agreement("0231", "4711"), agreement("0232", old.mandate), agreement("0231", "99")]
    changes.write_text(whole(*told, section="0212", delivery="0603"), "iso-8859-1", newline="")
    full = tmp_path / "full.txt"
    full.write_text(whole(agreement("0230", "4711"), section="0210", delivery="0603"), "iso-8859-1", newline="")
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text(full.read_text("iso-8859-1").replace("00001", "00002", 1), "iso-8859-1", newline="")

    taken = [
        agreeing.import_agreements(db, partner, path, now=now, scheme="betalingsservice")
        for path in (changes, elsewhere, full)
    ]

    assert [(one.changed, one.ended, len(one.errors)) for one in taken] == [(2, 0, 1), (0, 0, 0), (0, 1, 0)]
    assert till.rows("SELECT account_id FROM mandate WHERE reference = '4711'") == [(new.id,)]
    ended = till.rows("SELECT reference, ended_because FROM mandate WHERE ends_on IS NOT NULL ORDER BY id")
    assert ended == [(old.mandate, "ended by the customer"), (other.mandate, "not on the full list")]


def test_a_delivery_of_betalingsservice_ends_what_it_names_and_one_that_is_cut_short_ends_nothing(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path
) -> None:
    till = Till(db, owner, partner, now, tmp_path, "betalingsservice")
    came, refused = till.customer(due=date(2026, 4, 1)), till.customer(due=date(2026, 4, 1))
    till.plan()
    written = till.order()
    assert written is not None
    assert b"BS0420123456702800000000001" in written.content
    path = tmp_path / "BS0602.txt"
    told = whole(paid("0236", till.ref(came)), paid("0238", till.ref(refused)))

    path.write_text(told[:-120], "iso-8859-1", newline="")
    with pytest.raises(UnableToImport, match="not whole"):
        hearing.import_answers(db, partner, path, format="bs0602", now=now)
    before = till.collected(came)
    path.write_text(told, "iso-8859-1", newline="")
    taken = [hearing.import_answers(db, partner, path, format="bs0602", now=now) for _ in range(2)]

    assert before[0][0] == "sent"
    assert [(one.read, one.changed, one.errors) for one in taken] == [(2, 2, []), (2, 0, [])]
    assert till.owes(came.account) == 0
    assert till.collected(refused) == [("refused", "2026-04-01", "cancelled_by_customer")]


def test_a_delivery_that_is_wrong_throughout_is_counted_and_its_first_thousand_lines_are_told(
    db: Database, partner: int, now: datetime, tmp_path: Path
) -> None:
    path = tmp_path / "BS0602.txt"
    path.write_text(whole(paid("0299", "X"), *[paid("0236", f"RLC{at}") for at in range(1_199)]), "iso-8859-1")

    taken = hearing.import_answers(db, partner, path, format="bs0602", now=now)

    assert (taken.read, taken.changed, taken.unchanged, taken.rejected) == (1_200, 0, 0, 1_200)
    assert len(taken.errors) == ERRORS_MAX == 1_000


def test_a_delivery_is_never_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "BS0602.txt"
    path.write_text(whole(*[paid("0236", f"RLC{at}") for at in range(20_000)]), "iso-8859-1")
    taken = Taken()

    tracemalloc.start()
    rows = sum(1 for _ in hearing._delivered(path, taken))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (rows, taken.rejected) == (20_000, 0)
    assert peak < 1_000_000  # bytes; as a list it was five million


@pytest.mark.parametrize("as_json", [False, True])
def test_a_command_says_how_many_of_the_wrong_rows_it_tells(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    taken = Taken(read=1_200)
    taken.reject(Problem(line, "ref", "There is none.") for line in range(1_200))

    tell_taken(taken, as_json=as_json)

    told = capsys.readouterr().out.splitlines()
    if as_json:
        found = json.loads(told[-1])
        assert (found["rejected"], len(found["errors"]), found["errors_left_out"]) == (1_200, 1_000, 200)
    else:
        assert len(told) == 22
        assert told[20] == "These are the first 20 of 1,200; with --json, 1,000."


def test_betalingsservices_own_word_books_its_money_once_and_takes_it_back(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path
) -> None:
    till = Till(db, owner, partner, now, tmp_path, "betalingsservice")
    customer = till.customer(due=date(2026, 4, 1))
    till.plan()
    till.order()
    path = tmp_path / "answers.csv"
    path.write_text(f"ref;outcome;date\n{till.ref(customer)};collected;2026-04-01\nRLC0C0N0;collected;2026-04-01\n")

    told = [hearing.import_answers(db, partner, path, format="csv", now=now) for _ in range(2)]
    paid = till.owes(customer.account)
    path.write_text(f"ref;outcome;date;reason\n{till.ref(customer)};returned;2026-04-10;returned\n")
    back = hearing.import_answers(db, partner, path, format="csv", now=now)

    assert [(one.changed, len(one.errors)) for one in told] == [(1, 1), (0, 1)]
    assert (paid, till.owes(customer.account)) == (0, 6150)
    assert back.changed == 1
    assert till.collected(customer) == [("returned", "2026-04-01", "returned")]


@pytest.mark.parametrize(
    ("amount", "said"), [("61.50", "no sum in whole minor units"), ("6151", "ordered with another sum, 6150")]
)
def test_a_sum_that_is_not_the_ordered_one_books_nothing(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path, amount: str, said: str
) -> None:
    till = Till(db, owner, partner, now, tmp_path, "betalingsservice")
    customer = till.customer(due=date(2026, 4, 1))
    till.plan()
    till.order()
    path = tmp_path / "answers.csv"
    path.write_text(f"ref;outcome;date;amount\n{till.ref(customer)};collected;2026-04-01;{amount}\n")

    told = hearing.import_answers(db, partner, path, format="csv", now=now)

    assert [(one.field, said in one.reason) for one in told.errors] == [("amount", True)]
    assert till.owes(customer.account) == 6150


def test_the_commands_note_plan_write_and_list(
    bank: Till, owner: psycopg.Connection, database_urls: dict[str, str], tmp_path: Path
) -> None:
    (slug,) = owner.execute("SELECT slug FROM partner WHERE id = %s", (bank.partner,)).fetchone() or ("",)
    with bank.db.transaction(bank.partner) as tx:
        account = make_account(tx, bank.db.clock(), currency="EUR")
        day = bank.db.clock().date()
        make_claim(tx, account, bank.db.clock(), amount=6150, currency="EUR", due_date=day + timedelta(days=20),
                   issued_date=day, number="F-1")  # fmt: skip
    table, out = tmp_path / "mandates.csv", tmp_path / "collect.xml"
    table.write_text(
        "account,scheme,reference,starts,name,iban,signed\n"
        f"{account.ref},sepa,NL-1,2020-01-05,Jan,{PAYER},2020-01-05\n"
        f"{account.ref},sepa,NL-2,2020-01-05,Jan,{PAYER},2020-13-05\n"
    )

    def run(*words: str) -> Result:
        arguments = [*words, "--partner", slug]
        return CliRunner().invoke(relight, arguments, obj=Connected(database_urls["app"]), catch_exceptions=False)

    named = run(
        "mandate", "creditor", "Duinwater & Søn", "--scheme", "sepa", "--number", CREDITOR_ID, "--announced-by", "bill"
    )
    taken = run("mandate", "import", str(table))
    planned = run("collect", "plan")
    written = run("collect", "file", "--scheme", "sepa", "-o", str(out))
    first = out.read_bytes()
    message = written.output.split("message ")[1].strip().rstrip(".")
    again = run("collect", "file", "--scheme", "sepa", "-o", str(out), "--again", message)
    nothing = run("collect", "file", "--scheme", "sepa", "-o", str(out))
    listed = run("collect", "list", account.ref)
    ended = run("mandate", "end", "NL-1", "--scheme", "sepa")

    assert (named.exit_code, taken.exit_code) == (0, 0)
    assert "line 3, row: There is no such day as '2020-13-05' (signed)" in taken.output
    assert "read 2, changed 1, unchanged 0, ended 0, rejected 1" in taken.output
    assert "1 planned" in planned.output
    assert "1 collection, €61.50" in written.output
    assert again.exit_code == 0
    assert out.read_bytes() == first
    assert "Nothing is planned." in nothing.output
    assert "sent" in listed.output
    assert "Ended." in ended.output
    assert "to " in run("mandate", "list", account.ref).output
