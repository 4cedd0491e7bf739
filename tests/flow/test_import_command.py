"""`relight import` as people and scripts meet it: answers, exit codes, and sentences instead of tracebacks."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from relight.cli.main import relight
from relight.flow.database import Database
from tests.flow.importing import INVOICES, write_csv
from tests.unit.payments.files.written import Paid, camt, entry, statement

KEYS = {"read", "accepted", "unchanged", "other", "rejected", "errors"}


class Connected:
    """As much of an installation as imports ask for."""

    def __init__(self, conninfo: str):
        self.conninfo = conninfo

    def database(self, *, size_max: int = 8) -> Database:
        """The test's database."""
        return Database(self.conninfo, size_max=size_max, name="relight-command").open()

    def go_gently(self) -> None:
        """Not this process: it is the tests'."""


Command = Callable[..., Result]


@pytest.fixture
def command(database_urls: dict[str, str], owner: psycopg.Connection, partner: int) -> Command:
    """Runs `relight import …` for the test's partner."""
    slug = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone()
    assert slug is not None

    def run(kind: str, *words: str | Path) -> Result:
        arguments = ["import", kind, *map(str, words), "--partner", slug[0]]
        return CliRunner().invoke(relight, arguments, obj=Connected(database_urls["app"]), catch_exceptions=False)

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [("F1", "A1", "10", "2026-02-01"), ("F2", "A1", "ten", "2026-02-01"), ("F3", "A1", "2.5", "2026-02-01")]
    return write_csv(tmp_path / "invoices.csv", INVOICES, rows)


def last_line(result: Result) -> dict[str, object]:
    return json.loads(result.stdout.splitlines()[-1])


def test_json_is_one_object_on_the_last_line(command: Command, file: Path) -> None:
    result = command("invoices", file, "--json")

    told = last_line(result)
    assert result.exit_code == 0
    assert told.keys() >= KEYS
    assert [told[key] for key in ("read", "accepted", "unchanged", "other", "rejected")] == [3, 2, 0, 0, 1]
    assert told["errors"] == [
        {"line": 3, "field": "amount", "reason": "'ten' is not an amount; write it like 1234.50."}
    ]
    assert told["totals"] == {"NOK": {"rows": 2, "amount": 1250, "disputed": 0}}


def test_people_read_what_became_of_the_file(command: Command, file: Path) -> None:
    first, again = command("invoices", file), command("invoices", file)

    assert "3 rows read: 2 taken in, 0 known already, 0 of another kind, 1 rejected (mapping relight)." in first.stdout
    assert "line 3, amount: 'ten' is not an amount" in first.stdout
    assert "3 rows read: 0 taken in, 2 known already" in again.stdout


def test_a_long_list_of_errors_is_cut_and_says_where_the_rest_is(command: Command, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "bad.csv", INVOICES, [(f"F{at}", "A1", "x", "2026-02-01") for at in range(50)])

    people, script = command("invoices", path), command("invoices", path, "--json")

    assert people.stdout.count("is not an amount") == 20
    assert "and 30 more; --json lists 50 of them" in people.stdout
    errors = last_line(script)["errors"]
    assert isinstance(errors, list)
    assert len(errors) == 50


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be opened: No such file or directory"),
        (b"", "is empty"),
        (b"\n\n\n", "is empty"),
        (b"%PDF-1.7\n%\xe2\xe3", "is a PDF"),
        (b"PK\x03\x04 not really", "not an Excel file that can be read"),
        (b"a,b\n1,2\n", "The columns (a, b) are not known"),
        (b"<?xml version='1.0'?>", "is XML or a web page"),
        ("number;account\n".encode("utf-16"), "is not plain text"),
    ],
)
@pytest.mark.parametrize("kind", ["invoices", "payments", "cases"])
def test_a_file_that_cannot_be_used_is_one_sentence_and_exit_code_1(
    command: Command, tmp_path: Path, kind: str, content: bytes | None, says: str
) -> None:
    path = tmp_path / "file.csv"
    if content is not None:
        path.write_bytes(content)

    result = command(kind, path, "--json")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert says in result.stderr
    assert result.stderr.startswith("Error: ")


def test_a_folder_a_wrong_mapping_and_a_missing_one_say_what_to_do(
    command: Command, file: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "own.yaml"
    wrong.write_text("kind: invoices\ncolumns:\n  nummer: Nr\n")

    results = [
        command("invoices", tmp_path),
        command("invoices", file, "--mapping", wrong),
        command("invoices", file, "--mapping", "norks"),
        command("invoices", file, "--mapping", "norsk"),
        command("invoices", file, "--mapping", "relight-payments"),
    ]

    assert [result.exit_code for result in results] == [1] * 5
    assert "is not a file" in results[0].stderr
    assert "own.yaml, line 3: there is no field 'nummer'" in results[1].stderr
    assert "There are accounts-receivable, norsk, relight" in results[2].stderr
    assert "Mapping norsk needs the columns Fakturanr, Kundenr, Beløp, Forfallsdato" in results[3].stderr
    assert "reads payments, not invoices" in results[4].stderr


@pytest.mark.parametrize(
    ("format_", "says"),
    [("camt", "is no camt file"), ("ocr", "is not an OCR file"), ("mt940", "is not an MT940 file")],
)
def test_a_table_given_as_a_banks_file_is_refused_in_a_sentence(
    command: Command, file: Path, format_: str, says: str
) -> None:
    result = command("payments", file, "--format", format_, "--json")

    assert result.exit_code == 1
    assert says in result.stderr
    assert result.stdout == ""


def test_a_banks_file_says_which_file_is_missing(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "bank.xml"
    answers: list[Result] = []
    for number in (1, 3):
        entries = [entry(Paid(bank_ref=f"B{number}"))]
        path.write_bytes(camt(statement(entries, number=number, until=f"2026-03-0{number}T00:00:00+01:00")))
        answers.append(command("payments", path, "--format", "camt"))
    script = command("payments", path, "--format", "camt", "--json")

    assert "1 rows read: 1 taken in" in answers[0].stdout
    assert "comes 3: 2 is missing." in answers[1].stdout
    assert last_line(script).keys() >= KEYS
    assert last_line(script)["complete_until"] == "2026-02-28T23:00:00+00:00"
    assert last_line(script)["missing"] == ["After statement 1 of camt.053 NO9386011117947 comes 3: 2 is missing."]


def test_a_banks_file_under_the_wrong_format_says_which_is_right(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "bank.xml"
    path.write_bytes(camt(statement([])))

    result = command("payments", path, "--format", "mt940")

    assert result.exit_code == 1
    assert "Import it with --format camt." in result.stderr


def test_a_mapping_for_a_banks_file_is_not_understood(command: Command, file: Path) -> None:
    result = command("payments", file, "--format", "camt", "--mapping", "norsk")

    assert result.exit_code == 2
    assert "Leave --mapping out" in result.stderr


@pytest.mark.parametrize("words", [("--format", "pdf"), ("--complete-until", "tomorrow"), ("--nonsense",)])
def test_a_command_line_that_is_not_understood_is_exit_code_2(
    command: Command, file: Path, words: tuple[str, ...]
) -> None:
    assert command("payments", file, *words).exit_code == 2


@pytest.mark.parametrize("kind", ["invoices", "payments", "cases"])
def test_help_shows_an_example(kind: str) -> None:
    result = CliRunner().invoke(relight, ["import", kind, "--help"])

    assert result.exit_code == 0
    assert f"Example:  relight import {kind} " in result.stdout


def test_a_source_is_complete_up_to_the_moment_that_is_given(
    command: Command, db: Database, partner: int, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "payments.csv", ("ref", "amount", "value_date"), [("P1", "10", "2026-02-01")])

    result = command("payments", path, "--source", "dnb", "--complete-until", "2026-02-02T00:00:00+01:00", "--json")

    assert last_line(result)["complete_until"] == "2026-02-02T00:00:00+01:00"
    with db.transaction(partner) as tx:
        stored = tx.row("SELECT name, complete_until FROM source")
    assert stored == ("dnb", datetime.fromisoformat("2026-02-02T00:00:00+01:00"))


def test_payments_that_belong_to_nobody_wait_and_are_counted(command: Command, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "payments.csv", ("ref", "amount", "value_date"), [("P1", "10", "2026-02-01")])

    result = command("payments", path)

    assert "1 of them are of no known account, and wait to be matched" in result.stdout


def test_long_work_tells_how_far_it_has_come(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relight.flow.road.runs.BATCH_ROWS", 20)
    monkeypatch.setattr("relight.cli.importing.PROGRESS_ROWS", 40)
    path = write_csv(tmp_path / "invoices.csv", INVOICES, [(f"F{at}", "A1", "10", "2026-02-01") for at in range(100)])

    result = command("invoices", path, "--json")

    assert result.stderr.splitlines() == ["rows read: 40", "rows read: 80"]
    assert last_line(result)["accepted"] == 100
