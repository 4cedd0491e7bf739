"""`relight plan` at the command line: offered, agreed, seen and ended by a user who may, and refused in a sentence."""

import json
from collections.abc import Callable

import psycopg
import pytest
from click.testing import CliRunner, Result

from relight.cli.main import relight
from tests.flow.test_explain_command import case
from tests.flow.test_import_command import Connected
from tests.web.console_sample import add_user

__all__ = ["case"]

Command = Callable[..., Result]


@pytest.fixture
def command(database_urls: dict[str, str], owner: psycopg.Connection, partner: int) -> Command:
    """Runs `relight plan …` for the test's partner."""
    found = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone()
    assert found is not None

    def run(*words: object) -> Result:
        arguments = ["plan", *map(str, words), "--partner", found[0]]
        return CliRunner().invoke(relight, arguments, obj=Connected(database_urls["app"]))

    return run


def test_an_agent_offers_agrees_and_ends(command: Command, owner: psycopg.Connection, partner: int, case: int) -> None:
    agent = add_user(owner, partner, "agent")

    before = command("show", case)
    offered = command("offer", case, "--months", 2, 6, "--as", agent)
    agreed = command("agree", case, "--months", 3, "--as", agent, "--json")
    ended = command("end", case, "--note", "pays all tomorrow", "--as", agent)
    after = command("show", case)

    assert "over 2 to 12 months, not offered yet." in before.output
    assert "over 2 to 6 months, offered until" in offered.output
    found = json.loads(agreed.output.splitlines()[-1])
    assert (found["state"], found["months"]) == ("agreed", 3)
    assert sum(part["amount"] for part in found["parts"]) == found["amount"]
    assert ended.output == f"The plan of case {case} has ended.\n"
    assert "ended, 3 months" in after.output


def test_whoever_runs_the_machine_agrees_on_nothing(command: Command, case: int) -> None:
    refused = command("agree", case, "--months", 3)

    assert refused.exit_code == 1
    assert "--as" in refused.output


def test_a_promise_beyond_the_policy_is_refused_with_the_days_that_can_be(
    command: Command, owner: psycopg.Connection, partner: int, case: int
) -> None:
    agent = add_user(owner, partner, "agent")

    refused = command("promise", case, "--until", "2099-01-01", "--as", agent)

    assert refused.exit_code == 1
    assert "A promise can be for" in refused.output
