"""`relight provider` at the command line: refunds take a manager, and a day of settlements is read at once."""

from collections.abc import Callable

import psycopg
import pytest
from click.testing import CliRunner, Result

from relight.cli.main import relight
from tests.flow.test_import_command import Connected
from tests.flow.test_provider_refunds import TOO_MUCH, Overpaid, overpaid
from tests.web.console_sample import add_user

__all__ = ["overpaid"]

Command = Callable[..., Result]


@pytest.fixture
def command(database_urls: dict[str, str], owner: psycopg.Connection, partner: int) -> Command:
    """Runs `relight provider …` for the test's partner."""
    found = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone()
    assert found is not None

    def run(*words: str) -> Result:
        arguments = ["provider", *words, "--partner", found[0]]
        return CliRunner().invoke(relight, arguments, obj=Connected(database_urls["app"]), catch_exceptions=False)

    return run


def test_a_manager_gives_back_what_was_paid_too_much(
    command: Command, overpaid: Overpaid, owner: psycopg.Connection, partner: int
) -> None:
    manager = add_user(owner, partner, "manager")

    told = command("refund", "testpay", overpaid.ref, "--amount", "100.50", "--as", manager)

    assert told.exit_code == 0, told.output
    assert "100.50 NOK is booked as a refund. testpay has taken it." in told.output
    assert overpaid.books[:2] == (TOO_MUCH - 10050, 10050)
    assert overpaid.provider.payment(overpaid.ref).refunded == 10050


def test_an_agent_is_told_whom_to_ask_and_nothing_goes_back(
    command: Command, overpaid: Overpaid, owner: psycopg.Connection, partner: int
) -> None:
    agent = add_user(owner, partner, "agent")

    told = command("refund", "testpay", overpaid.ref, "--as", agent)

    assert told.exit_code == 1
    assert "Ask a manager" in told.output
    assert overpaid.books[:2] == (TOO_MUCH, 0)


def test_more_than_stands_as_credit_is_refused_in_a_sentence(
    command: Command, overpaid: Overpaid, owner: psycopg.Connection, partner: int
) -> None:
    manager = add_user(owner, partner, "manager")

    told = command("refund", "testpay", overpaid.ref, "--amount", "899.00", "--as", manager)

    assert told.exit_code == 1
    assert "stands as credit" in told.output


def test_a_day_of_settlements_is_compared_at_once(command: Command, overpaid: Overpaid) -> None:
    day = overpaid.provider.payment(overpaid.ref).paid_at[:10]

    told = command("settled", "testpay", "--day", day)

    assert told.exit_code == 0, told.output
    assert "1 lines; 0 payments not told before" in told.output
    assert overpaid.rows("SELECT state FROM payment WHERE amount = 89900") == [("booked",)]
