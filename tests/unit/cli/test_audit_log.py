"""`relight audit --log`: files as utilities export them, broken ones too; answers, exit codes and refusals in words."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from relight.cli.main import relight

HEAD = "case;step;date;sum;service;due_date;amount\n"
NOTICES = "17;1. purring;16.03.2026;799,00;bredbånd;01.03.2026;35,00\n17;Stengevarsel;16.03.2026;799,00;bredbånd;;\n"
LAWFUL = HEAD + NOTICES + "17;Stengt;17.04.2026;799,00;bredbånd;;\n"
UNLAWFUL = HEAD + NOTICES + "17;Stengt;15.04.2026;799,00;bredbånd;;\n"


def call(tmp_path: Path, content: str | bytes, *words: str) -> Result:
    log = tmp_path / "log.csv"
    log.write_bytes(content.encode() if isinstance(content, str) else content)
    return CliRunner().invoke(relight, ["audit", "--log", str(log), "--country", "NO", *words])


def fields(done: Result) -> dict[str, Any]:
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_lawful_log_exits_0_and_says_how_much_was_checked(tmp_path: Path) -> None:
    done = call(tmp_path, LAWFUL, "--law", "no", "--json")
    said = fields(done)

    assert (done.exit_code, said["violations"], said["cases"], said["rows"]) == (0, [], 1, 3)
    assert said["checked"]["no.ekom.block.one_month"] == 1
    assert (said["unmapped"], said["unreadable"]) == ([], [])
    assert len(said["laws"]["no"]) == 64


def test_an_unlawful_cut_exits_1_with_case_line_law_and_the_lawful_day(tmp_path: Path) -> None:
    done = call(tmp_path, UNLAWFUL, "--json")
    (one,) = fields(done)["violations"]
    in_words = call(tmp_path, UNLAWFUL)

    assert done.exit_code == in_words.exit_code == 1
    assert (one["case"], one["line"], one["step"], one["date"]) == ("17", 4, "Stengt", "2026-04-15")
    assert (one["rule"], one["law"]) == ("no.ekom.block.one_month", "ekomloven § 4-11 second paragraph")
    assert one["lawful_from"] == "2026-04-17"
    assert f"Case 17, line 4, Stengt: {one['why']} [{one['law']}; {one['rule']}]" in in_words.stdout


def test_windows_bytes_and_commas_are_read(tmp_path: Path) -> None:
    done = call(tmp_path, UNLAWFUL.encode("cp1252"), "--json")

    assert [one["line"] for one in fields(done)["violations"]] == [4]


def test_broken_rows_are_listed_with_line_and_field_and_the_rest_is_checked(tmp_path: Path) -> None:
    broken = (
        "18;Stengt;31.02.2026;1,00;bredbånd;;\n"
        "18;Stengt;01.04.2026;1.200;bredbånd;;\n"
        "18;Stengt;01.04.2026;abc;bredbånd;;\n"
        "18;Stengt;01.04.2026;1,00;kabel-tv;;\n"
        ";Stengt;01.04.2026;1,00;bredbånd;;\n"
        "18;Stengt\n"
    )
    said = fields(call(tmp_path, UNLAWFUL + broken, "--json"))

    told = [(one["line"], one["field"]) for one in said["unreadable"]]
    assert told == [(5, "date"), (6, "sum"), (7, "sum"), (8, "service"), (9, "case"), (10, "line")]
    assert all(one["reason"].endswith(".") for one in said["unreadable"])
    assert [one["line"] for one in said["violations"]] == [4]
    assert said["rows"] == 9


def test_a_step_that_nobody_knows_is_named_and_not_guessed_until_a_mapping_says_what_it_is(tmp_path: Path) -> None:
    log = LAWFUL.replace("Stengevarsel", "Brev 7")
    mapping = tmp_path / "words.yaml"
    mapping.write_text("steps:\n  Brev 7: [disconnect_notice]\n")

    unknown, known = call(tmp_path, log, "--json"), call(tmp_path, log, "--mapping", str(mapping), "--json")

    assert fields(unknown)["unmapped"] == [{"step": "Brev 7", "times": 1}]
    assert "not understood: 3." in fields(unknown)["violations"][0]["why"]
    assert (known.exit_code, fields(known)["violations"], fields(known)["unmapped"]) == (0, [], [])


def test_a_log_of_which_nothing_could_be_checked_does_not_pass(tmp_path: Path) -> None:
    done = call(tmp_path, HEAD + "17;Brev 7;16.03.2026;1,00;bredbånd;;\n17;Stengt;aldri;1,00;bredbånd;;\n")

    assert done.exit_code == 2
    assert "Brev 7: 1 row" in done.output
    assert "Not one row could be checked" in done.output


def test_a_mapping_renames_columns_and_settles_the_decimal_sign(tmp_path: Path) -> None:
    log = LAWFUL.replace("case;step;date", "Sak;Trinn;Dato").replace("799,00", "1.200")
    mapping = tmp_path / "words.yaml"
    mapping.write_text("columns: {case: Sak, step: Trinn, date: Dato}\ndecimal: ','\n")

    said = fields(call(tmp_path, log, "--mapping", str(mapping), "--json"))

    assert (said["unreadable"], said["violations"], said["cases"]) == ([], [], 1)


@pytest.mark.parametrize(
    ("country", "log", "rule"),
    [
        ("NO", "Saksnr.;Tiltak;Dato;Beløp;Tjeneste\n1;purring;16.03.2026;1,00;bredbånd\n"
               "1;stengevarsel;16.03.2026;1,00;bredbånd\n1;stengt;15.04.2026;1,00;bredbånd\n",
         "no.ekom.block.one_month"),
        ("DK", "Sagsnr;Hændelse;Dato;Beløb;Ydelse;Gebyr\n1;rykker;16-03-2026;500,00;elektricitet;101,00\n",
         "dk.fee.reminder.amount"),
        ("NL", "zaak,stap,datum,bedrag,dienst\n1,contract beëindigd,20-04-2026,\"120,00\",stroom\n",
         "nl.energy.reminders_3"),
        ("DE", "Vorgang;Maßnahme;Datum;Betrag;Sparte\n1;Sperrung;20.04.2026;120,00;Strom\n",
         "de.el.notice_4w"),
        ("SE", "Ärende;Åtgärd;Datum;Belopp;Tjänst;Avgift\n1;påminnelse;2026-03-16;500,00;el;61,00\n",
         "se.fee.reminder"),
    ],
)  # fmt: skip
def test_headers_in_the_utilitys_own_language_are_read_and_it_is_told_how(
    tmp_path: Path, country: str, log: str, rule: str
) -> None:
    done = call(tmp_path, log, "--country", country, "--json")
    said = fields(done)
    in_words = call(tmp_path, log, "--country", country)

    assert rule in [one["rule"] for one in said["violations"]]
    assert (said["unreadable"], said["unmapped"]) == ([], [])
    assert {"case", "step", "date", "sum", "service"} <= set(said["columns"])
    assert f"{said['columns']['step']} as step" in in_words.stdout


def test_two_columns_that_could_be_the_date_are_refused_and_a_mapping_says_which_it_is(tmp_path: Path) -> None:
    log = LAWFUL.replace(";date;", ";Dato;").replace(";amount", ";Datum").replace("35,00", "")
    mapping = tmp_path / "words.yaml"
    mapping.write_text("columns: {date: Dato}\n")

    refused, settled = call(tmp_path, log), call(tmp_path, log, "--mapping", str(mapping), "--json")

    assert refused.exit_code == 2
    assert "Two columns could be date: Dato and Datum" in refused.output
    assert (settled.exit_code, fields(settled)["columns"]["date"]) == (0, "Dato")


def test_a_mapping_may_be_nothing_but_steps(tmp_path: Path) -> None:
    mapping = tmp_path / "words.yaml"
    mapping.write_text("Brev 7: disconnect_notice\nNotis: nothing\n")
    log = LAWFUL.replace("Stengevarsel", "Brev 7") + "17;Notis;18.04.2026;1,00;bredbånd;;\n"

    done = call(tmp_path, log, "--mapping", str(mapping))

    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("steps: {Brev 7: cutoff}\n", "line 1: 'cutoff' is nothing that is known"),
        ("steps:\n  Brev 7: reminder\nfoo: {a: b}\n", "line 3: there is no 'foo' in a mapping"),
        ("Brev 7: [reminder\n", "words.yaml, line"),
        ("", "a mapping says `steps:`"),
        ("columns:\n  day: Dato\n", "line 2: 'day' is nothing that is known"),
        ("columns: {due_date: Forfall}\n", "The log has no column Forfall"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    mapping = tmp_path / "words.yaml"
    mapping.write_text(text)

    done = call(tmp_path, LAWFUL, "--mapping", str(mapping))

    assert done.exit_code == 2
    assert sentence in done.output


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty"),
        (HEAD, "has no rows"),
        ("a;b\n1;2\n", "The log has no column case, step, date; it has a, b"),
        (b"%PDF-1.7", "is a PDF"),
        ("case;step;date\n1;purring;2026-03-16\n", "has no column service"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence_and_exit_code_2(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    done = call(tmp_path, content)

    assert done.exit_code == 2
    assert sentence in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--country", "XX"], "Say which law"),
        (["--law", "xx"], "There is no law pack"),
        (["--law", "dk", "--country", "NO"], "must be of one country"),
        (["--country", "NO", "--service", "tv"], "There is no service"),
        (["--country", "NO", "--since", "2026-01-01"], "not about a --log"),
    ],
)
def test_a_command_line_that_means_nothing_is_refused(tmp_path: Path, words: list[str], sentence: str) -> None:
    log = tmp_path / "log.csv"
    log.write_text(LAWFUL)

    done = CliRunner().invoke(relight, ["audit", "--log", str(log), *words])

    assert done.exit_code == 2
    assert sentence in done.output


def test_options_of_a_log_without_a_log_are_refused() -> None:
    done = CliRunner().invoke(relight, ["audit", "--country", "NO"])

    assert done.exit_code == 2
    assert "go with --log FILE" in done.output
