"""A policy's life at the command line: draft, publish, share, move and history, in words that say what to do next."""

import getpass
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from relight.cli.main import relight
from relight.core.policy_reader import packaged_text
from relight.flow.cases.opening import open_cases
from relight.flow.database import Database
from tests.flow import factories
from tests.flow.test_import_command import Connected
from tests.web.console_sample import add_user

Command = Callable[..., Result]
NAME = "broadband-no"
SLOWER = packaged_text(NAME).replace("after: 1 month", "after: 2 months")


@pytest.fixture
def slug(owner: psycopg.Connection, partner: int) -> str:
    found = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone()
    assert found is not None
    return str(found[0])


@pytest.fixture
def command(database_urls: dict[str, str], slug: str) -> Command:
    """Runs `relight policy …` for the test's partner."""

    def run(*words: str | Path) -> Result:
        arguments = ["policy", *map(str, words), "--partner", slug]
        return CliRunner().invoke(relight, arguments, obj=Connected(database_urls["app"]), catch_exceptions=False)

    return run


@pytest.fixture
def manager(owner: psycopg.Connection, partner: int) -> str:
    return add_user(owner, partner, "manager")


@pytest.fixture
def slower(tmp_path: Path) -> Path:
    path = tmp_path / "slower.yaml"
    path.write_text(SLOWER, "utf-8")
    return path


def told(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout.splitlines()[-1]))


def newcomers(db: Database, partner: int, count: int, *, followed: bool = True) -> list[int]:
    now = db.clock()
    with db.transaction(partner) as tx:
        accounts = [factories.make_account(tx, now) for _ in range(count)]
        for account in accounts:
            factories.make_claim(tx, account, now)
        return open_cases(tx, [account.id for account in accounts], now) if followed else []


def test_a_draft_is_kept_checked_and_simulated_step_by_step(command: Command, manager: str, slower: Path) -> None:
    command("check", slower, "--keep", "--as", manager)
    checked = told(command("list", "--json"))
    command("simulate", slower, "--accounts", "30", "--days", "60", "--seeds", "2", "--keep", "--as", manager)
    simulated = told(command("list", "--json"))
    history = command("publish", slower, "--as", manager, "--yes")

    assert [(one["stage"], one["by"]) for one in checked["drafts"]] == [("checked", manager)]  # type: ignore[attr-defined]
    assert [one["stage"] for one in simulated["drafts"]] == ["simulated"]  # type: ignore[attr-defined]
    assert "30 made-up customers over 60 days" in history.stdout
    assert "Simulating" not in history.stderr
    assert told(command("list", "--json"))["drafts"] == []


def test_publishing_does_what_is_missing_and_shows_the_what_if_before_it_asks(command: Command, manager: str) -> None:
    asked = command("publish", NAME, "--as", manager)
    done = command("publish", NAME, "--as", manager, "--yes")
    again = command("publish", NAME, "--as", manager, "--yes")

    assert asked.exit_code == 1
    assert "300 made-up customers over 180 days" in asked.stdout
    assert "add --yes" in asked.stderr
    assert "Published: broadband-no version 1, for all new cases." in done.stdout
    assert "Simulating" in asked.stderr
    assert "Simulating" not in done.stderr
    assert again.stdout == "This very policy is in force already.\n"


def test_on_a_terminal_a_person_is_asked(database_urls: dict[str, str], slug: str, tmp_path: Path) -> None:
    def answer(text: bytes) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        os.write(ours, text)
        urls = {"DATABASE_URL": database_urls["app"], "DATABASE_OWNER_URL": database_urls["owner"]}
        environment = {**os.environ, **urls, "RELIGHT_HOME": str(tmp_path), "RELIGHT_SECRET_KEY": "only for tests"}
        words = ["policy", "publish", NAME, "--by", "Kari", "--partner", slug]
        done = subprocess.run([sys.executable, "-m", "relight.project.main", *words], stdin=theirs, env=environment,
                              capture_output=True, text=True, timeout=120)  # fmt: skip
        os.close(ours)
        os.close(theirs)
        return done.returncode, done.stdout + done.stderr

    no, yes = answer(b"n\n"), answer(b"y\n")

    assert no[0] == 1
    assert "Publish it for 100 of 100 new cases? [y/N]" in no[1]
    assert "Published" not in no[1]
    assert yes[0] == 0
    assert "Published: broadband-no version 1" in yes[1]


def test_the_hint_after_a_trial_can_be_typed_as_it_stands(
    command: Command, slug: str, manager: str, slower: Path
) -> None:
    command("publish", NAME, "--as", manager, "--yes")

    trial = command("publish", slower, "--as", manager, "--yes", "--share", "10", "--cap", "500").stdout
    hint = re.search(r"relight policy (share \S+ 100) --partner (\S+)", trial)
    assert hint is not None
    taken = command(*hint[1].split(), "--as", manager)

    assert "for 10 of 100 new cases. Version 1 gets the others." in trial
    assert hint[2] == slug
    assert taken.stdout == "broadband-no version 2 gets 100 of 100 new cases, at most 500 running at a time.\n"


def test_who_may_not_is_told_whom_to_ask(command: Command, owner: psycopg.Connection, partner: int) -> None:
    agent = add_user(owner, partner, "agent")

    refused = [command("publish", NAME, "--as", agent, "--yes"), command("publish", NAME, "--as", "nobody", "--yes")]

    assert [one.exit_code for one in refused] == [1, 1]
    assert f"{agent} is agent here, and may not decide about policies. Ask a manager." in refused[0].stderr
    assert "relight user add nobody" in refused[1].stderr


def test_without_a_user_the_operator_is_on_record_and_never_nobody(command: Command) -> None:
    command("publish", NAME, "--yes", "--by", "Kari Nordmann")
    command("share", NAME, "60")

    acts = told(command("history", NAME, "--json"))["acts"]
    account = re.escape(getpass.getuser())

    assert isinstance(acts, list)
    assert re.fullmatch(f"operator {account}", acts[0]["by"])
    assert {one["by"] for one in acts[1:]} == {f"Kari Nordmann ({acts[0]['by']})"}
    assert [one["code"] for one in acts] == ["shared", "published", "simulated", "checked"]


def test_customers_who_waited_for_a_policy_are_followed_up_when_it_comes(
    command: Command, db: Database, partner: int
) -> None:
    newcomers(db, partner, 3, followed=False)

    published = command("publish", NAME, "--yes", "--cap", "2")
    raised = command("share", NAME, "100", "--cap", "none")

    assert "2 customers with open bills had no case yet, and are followed up from now on" in published.stdout
    assert "1 customer with open bills had no case yet, and is followed up from now on" in raised.stdout


def test_cases_are_moved_after_a_look_and_back_by_the_number(
    command: Command, db: Database, partner: int, manager: str, slower: Path
) -> None:
    command("publish", NAME, "--as", manager, "--yes")
    first, second, third = newcomers(db, partner, 3)
    command("publish", slower, "--as", manager, "--yes")

    looked = command("move", NAME, "--case", first, "--case", second, "--dry-run", "--as", manager)
    unasked = command("move", NAME, "--all", "--as", manager)
    moved = told(command("move", NAME, "--case", first, "--case", 999_999, "--as", manager, "--yes", "--json"))
    history = command("history", NAME).stdout
    back = command("move", NAME, "--undo", moved["bulk"], "--as", manager, "--yes")

    assert looked.stdout == "2 cases of broadband-no from version 1 to 2 may move; 0 stay.\n"
    assert unasked.exit_code == 1
    assert (moved["moved"], moved["stayed"]) == (1, [{"case": 999_999, "why": "not_there", "step": ""}])
    assert f"ended move {moved['bulk']}: 1 cases to version 2, 1 stayed" in history
    assert "Moved 1 case of broadband-no from version 2 to 1; 0 stay." in back.stdout
    assert told(command("history", NAME, "--json"))["versions"][1]["cases"] == len((first, second, third))  # type: ignore[index]


@pytest.mark.parametrize("words", [(), ("--all", "--case", "1"), ("--undo", "1", "--from", "2")])
def test_what_to_move_is_said_one_way(command: Command, words: tuple[str, ...]) -> None:
    refused = command("move", NAME, *words)

    assert refused.exit_code == 2
    assert "Say which cases" in refused.stderr
