"""`relight audit` as people call it: words or JSON, and an exit code for the night's script."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from psycopg.conninfo import make_conninfo

from relight.cli.main import relight
from relight.flow.database import Database
from tests.audit.story import Copy


def _audit(copy: Copy, *words: str) -> Result:
    def database(**options: Any) -> Database:
        return Database(make_conninfo(copy.story.app_url, dbname=copy.name), **options).open()

    return CliRunner().invoke(relight, ["audit", *words], obj=SimpleNamespace(database=database))


def test_a_clean_database_exits_0_and_counts_everything(copy: Copy) -> None:
    done = _audit(copy, "--json", "--as-of", copy.story.ends_at.isoformat())
    said = json.loads(done.stdout.splitlines()[-1])

    assert done.exit_code == 0, done.output
    assert said["violations"] == []
    assert list(said["checked"]) == [f"I{number}" for number in range(1, 10)]
    assert all(said["checked"].values())
    assert ": I3 and I9" in done.stderr


def test_a_violation_exits_1_and_names_case_event_why_and_what_to_do(copy: Copy) -> None:
    cut = copy.cut_of(copy.story.dark)
    copy.plant("DELETE FROM task WHERE case_id = %(case)s AND code = 'contact_attempt'", case=cut.case)

    done = _audit(copy, "--json")
    in_words = _audit(copy)
    said = json.loads(done.stdout.splitlines()[-1])

    assert (done.exit_code, in_words.exit_code) == (1, 1)
    assert [(one["invariant"], one["case"], one["event"]) for one in said["violations"]] == [
        ("I9", cut.case, cut.event)
    ]
    assert "nobody had tried to reach the customer in person" in said["violations"][0]["why"]
    assert f"case {cut.case}, event {cut.event}" in in_words.stdout
    assert "Call the customer" in in_words.stdout


@pytest.mark.parametrize("words", [("--partner", "nobody"), ("--since", "yesterday")])
def test_what_cannot_be_understood_is_refused_with_a_sentence(copy: Copy, words: tuple[str, str]) -> None:
    done = _audit(copy, *words)

    assert done.exit_code == 2
    assert words[1] in done.output
    assert "Traceback" not in done.output
