"""`relight explain` at the command line: for people in their language, for scripts, and refusals in a sentence."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
import pytest
from click.testing import CliRunner, Result

from relight.cli.main import relight
from relight.core.policy_reader import packaged_text
from relight.flow.cases.opening import open_cases
from relight.flow.cases.people import operator
from relight.flow.database import Database
from relight.flow.road.publishing import publish_at_once
from tests.flow import factories
from tests.flow.test_import_command import Connected

Command = Callable[..., Result]


@pytest.fixture
def case(db: Database, owner: psycopg.Connection, partner: int, now: datetime) -> int:
    """A case of a Danish-speaking customer, who has not paid a bill that was due a week ago."""
    owner.execute("UPDATE brand SET phone = '77 00 00 00' WHERE partner_id = %s", (partner,))
    with db.transaction(partner) as tx:
        publish_at_once(tx, packaged_text("broadband-no"), by=operator("test"), now=now)
        account = factories.make_account(tx, now, name="Freja Holm", language="da")
        factories.make_claim(tx, account, now, due_date=(now - timedelta(days=7)).date(), number="F-7")
        open_cases(tx, [account.id], now)
        return tx.value("SELECT id FROM dunning_case WHERE account_id = %(a)s", {"a": account.id})


@pytest.fixture
def command(database_urls: dict[str, str], owner: psycopg.Connection, partner: int) -> Command:
    """Runs `relight explain …` for the test's partner."""
    found = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone()
    assert found is not None

    def run(*words: object) -> Result:
        arguments = ["explain", *map(str, words), "--partner", found[0]]
        return CliRunner().invoke(relight, arguments, obj=Connected(database_urls["app"]), catch_exceptions=False)

    return run


def data_of(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


def test_an_agent_reads_it_in_the_partners_language(command: Command, case: int) -> None:
    told = command(case)

    assert told.exit_code == 0
    assert told.stdout.startswith(f"Sak {case}, Freja Holm, konto")
    assert "Hva som stopper det" in told.stdout


def test_a_customer_reads_it_in_their_own_and_is_told_whom_to_call(command: Command, case: int) -> None:
    told = command(case, "--for", "customer")

    assert told.stdout.startswith("Hej Freja Holm.")
    assert "Ring til os på 77 00 00 00" in told.stdout


@pytest.mark.parametrize(
    ("language", "title"),
    [("nb", "Dette kan du gjøre"), ("da", "Det her kan du gøre"), ("nl", "Wat u kunt doen"), ("en", "What you can do")],
)
def test_any_language_can_be_asked_for(command: Command, case: int, language: str, title: str) -> None:
    assert title in command(case, "--for", "customer", "--language", language).stdout


def test_scripts_get_the_record_beside_the_words(command: Command, case: int, now: datetime) -> None:
    found = data_of(command(case, "--language", "en", "--json"))

    assert (found["case"], found["state"], found["for"], found["language"]) == (case, "watching", "agent", "en")
    assert found["events"] == []
    coming = found["next"]
    assert isinstance(coming, dict)
    assert coming["step"] == "friendly"
    assert coming["lines"][0].startswith("Friendly reminder can ")
    assert {"text"} <= set(found["stops"][0])  # type: ignore[index]


def test_a_customers_version_for_scripts_holds_sentences_and_no_codes(command: Command, case: int) -> None:
    result = command(case, "--for", "customer", "--language", "en", "--json")

    found = data_of(result)
    assert set(found) == {"case", "language", "for", "lead", "events", "next", "stops", "help"}
    assert not any(code in result.stdout for code in ("friendly_reminder", "broadband-no", "watching", "guard."))


def test_a_case_that_there_is_not_is_said_in_a_sentence(command: Command, case: int) -> None:
    told = command(case + 100_000)

    assert told.exit_code == 1
    assert f"There is no case {case + 100_000} at this partner." in told.output
    assert "Traceback" not in told.output


def test_a_language_without_words_is_refused_with_the_choice(command: Command, case: int) -> None:
    told = command(case, "--language", "fi")

    assert told.exit_code == 2
    assert "'nb', 'da', 'nl', 'en'" in told.output
