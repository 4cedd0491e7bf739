"""`relight payments` and `relight partner references` as people and scripts meet them."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from relight.cli.main import relight
from relight.flow.database import Database
from tests.flow.factories import Account
from tests.flow.queueing import Desk
from tests.flow.test_import_command import Connected
from tests.unit.payments.files.pain001 import rules_broken
from tests.web.console_sample import add_user

OWED = 89900
Command = Callable[..., Result]


@pytest.fixture
def desk(db: Database, partner: int, now: datetime, tmp_path: Path) -> Desk:
    return Desk(db, partner, now, tmp_path)


@pytest.fixture
def kari(desk: Desk) -> Account:
    return desk.customer()


@pytest.fixture
def slug(owner: psycopg.Connection, partner: int) -> str:
    found = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone()
    assert found is not None
    return str(found[0])


@pytest.fixture
def command(database_urls: dict[str, str], slug: str) -> Command:
    """Runs `relight payments …` for the test's partner."""

    def run(*words: object) -> Result:
        arguments = ["payments", *map(str, words), "--partner", slug]
        return CliRunner().invoke(relight, arguments, obj=Connected(database_urls["app"]), catch_exceptions=False)

    return run


@pytest.fixture
def agent(owner: psycopg.Connection, partner: int) -> str:
    return add_user(owner, partner, "agent")


@pytest.fixture
def manager(owner: psycopg.Connection, partner: int) -> str:
    return add_user(owner, partner, "manager")


def told(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout.splitlines()[-1]))


def test_the_queue_says_what_waits_whose_it_may_be_and_why(command: Command, desk: Desk, kari: Account) -> None:
    payment = desk.comes(OWED, reference="2345679", payer="Kari Nordmann")

    result = command("queue")

    assert result.exit_code == 0
    assert (
        "1 on no account, 0 that name an unknown bill, 0 for a bill that was paid already, 0 set aside."
        in result.output
    )
    assert f"{payment}  2026-03-02  NOK\xa0899.00  Kari Nordmann  2345679" in result.output
    assert f"→ {kari.ref} Kari Nordmann" in result.output
    assert "one slip away from 2345676" in result.output


def test_scripts_get_the_same_as_one_object(command: Command, desk: Desk, kari: Account) -> None:
    payment = desk.comes(OWED, reference="2345679")

    found = told(command("queue", "--json"))

    (one,) = found["payments"]  # type: ignore[misc]
    assert (one["id"], one["rest"], one["suggestions"][0]["ref"]) == (payment, OWED, kari.ref)


def test_a_payment_is_assigned_and_taken_back(command: Command, desk: Desk, kari: Account, agent: str) -> None:
    payment = desk.comes(OWED)

    given = command("assign", payment, kari.ref, "--as", agent)
    paid = desk.owes(kari)
    taken = command("unassign", payment, "--note", "wrong Kari", "--as", agent)

    assert f"NOK\xa0899.00 lies on {kari.ref}" in given.output
    assert paid == 0
    assert "lies on no account" in taken.output
    assert f"by {agent}: wrong Kari" in taken.output
    assert desk.owes(kari) == OWED


def test_parts_go_to_several_accounts_and_a_booking_is_corrected(
    command: Command, desk: Desk, kari: Account, agent: str
) -> None:
    ola = desk.customer(kid="2345684")
    payment = desk.comes(OWED)
    command("assign", payment, f"{kari.ref}=500.00", f"{ola.ref}=399.00", "--as", agent)
    shared = desk.owes(kari), desk.owes(ola)

    command("move", payment, ola.ref, "--from", kari.ref, "--as", agent)

    assert shared == (OWED - 50000, OWED - 39900)
    assert (desk.owes(kari), desk.owes(ola)) == (OWED, 0)


def test_without_a_user_nothing_is_placed(command: Command, desk: Desk, kari: Account) -> None:
    payment = desk.comes(OWED)

    result = command("assign", payment, kari.ref)

    assert result.exit_code == 1
    assert "--as" in result.output
    assert desk.owes(kari) == OWED


def test_money_goes_back_by_two_people_and_a_file(
    command: Command, desk: Desk, agent: str, manager: str, tmp_path: Path
) -> None:
    payment, file = desk.comes(5000, payer="Ola Nordmann"), tmp_path / "refunds.xml"
    asked = command("refund", payment, "50.00", "--to", "NO9386011117947", "--reason", "Feil", "--as", agent)
    number = asked.output.split("grant ")[1].split()[0]
    listed = command("refunds")

    command("grant", number, "--as", manager)
    written = command("refunds", "-o", file)
    again = command("refunds", "-o", file)

    assert "NOK\xa050.00 to Ola Nordmann (NO9386011117947): Feil; asked by" in listed.output
    assert "message RL" in written.output
    assert rules_broken(file.read_bytes()) == []
    assert again.exit_code == 1
    assert "is there already" in again.output


def test_a_payment_is_set_aside_and_found_there(command: Command, desk: Desk, agent: str) -> None:
    payment = desk.comes(5000)

    command("park", payment, "--note", "asked the bank", "--as", agent)

    assert "(asked the bank)" in command("queue", "--show", "parked").output
    assert str(payment) not in command("queue").output.split("aside.")[1]


def test_how_references_are_made_is_set_and_shown(database_urls: dict[str, str], slug: str, tmp_path: Path) -> None:
    file = tmp_path / "kid.yaml"
    file.write_text("scheme: kid\nlayouts:\n- - customer: 7\n  - invoice: 6\n", "utf-8")

    def run(*words: object) -> Result:
        connected = Connected(database_urls["app"])
        return CliRunner().invoke(relight, ["partner", "references", slug, *map(str, words)], obj=connected)

    before, done, after = run(), run(file), run()
    file.write_text("scheme: giro", "utf-8")
    refused, ended = run(file), run("--none")

    assert (before.output, done.exit_code) == ("No references are made.\n", 0)
    assert after.output == "scheme: kid\nlayouts:\n- - customer: 7\n  - invoice: 6\n"
    assert (refused.exit_code, ended.exit_code) == (1, 0)
    assert "'giro' is not known" in refused.output


def test_a_bill_paid_twice_is_told_and_kept_for_the_next_bill(
    command: Command, desk: Desk, kari: Account, agent: str
) -> None:
    desk.comes(OWED, reference="2345676")
    second = desk.comes(OWED, reference="2345676")

    told = command("queue", "--show", "paid_again").output
    kept = command("keep", second, "--as", agent).output

    assert f"for bill F-{kari.ref} of {kari.ref}, which was paid already: keep it, or send it back" in told
    assert f"left on {kari.ref} for the next bill" in kept
    assert desk.waiting() == []
