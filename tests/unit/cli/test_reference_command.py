"""`relight reference` as it is typed: makes, checks, and says what is wrong in one sentence."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relight.cli.main import relight

SETTING = 'scheme: kid\nlayouts:\n  - [{fixed: "00"}, {customer: 7}, {invoice: 6}]\n'


@pytest.fixture
def setting(tmp_path: Path) -> Path:
    path = tmp_path / "kid.yaml"
    path.write_text(SETTING)
    return path


def typed(*words: str | Path) -> Result:
    return CliRunner().invoke(relight, ["reference", *map(str, words)])


def test_makes_a_kid_and_checks_it() -> None:
    made = typed("make", "kid", "1234567")
    checked = typed("check", "kid", made.output.strip(), "--json")

    assert (made.exit_code, made.output) == (0, "12345674\n")
    assert checked.exit_code == 0
    assert json.loads(checked.output) == {"ok": True, "scheme": "kid", "reference": "12345674", "numbers": {}}


def test_says_what_is_wrong_and_leaves_with_one() -> None:
    checked = typed("check", "rf", "RF17 5390 0754 7034", "--json")

    assert checked.exit_code == 1
    assert json.loads(checked.output)["ok"] is False
    assert "check digits do not fit" in json.loads(checked.output)["reason"]


def test_makes_and_takes_apart_by_a_partners_setting(setting: Path) -> None:
    made = typed("make", "--setting", setting, "--customer", "4711", "--invoice", "202601", "--json")
    checked = typed("check", "kid", json.loads(made.output)["reference"], "--setting", setting, "--json")
    foreign = typed("check", "kid", "12345674", "--setting", setting)

    assert json.loads(made.output) == {"scheme": "kid", "reference": "0000047112026019"}
    assert json.loads(checked.output)["numbers"] == {"customer": "0004711", "invoice": "202601"}
    assert (foreign.exit_code, "none of the setting's layouts" in foreign.output) == (1, True)


@pytest.mark.parametrize("words", [("make",), ("make", "kid"), ("make", "kid", "1", "--setting", "SETTING")])
def test_asks_for_one_way_or_the_other(setting: Path, words: tuple[str, ...]) -> None:
    result = typed(*(setting if word == "SETTING" else word for word in words))

    assert result.exit_code == 2
    assert "Give a scheme and a number, or --setting" in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [("scheme: ocr", "choose among kid"), ("- kid", "begin with scheme"), ("a: [", "is not YAML")],
)
def test_a_setting_that_is_none_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)

    result = typed("make", "--setting", path, "--customer", "1", "--invoice", "2")

    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


def test_what_cannot_be_made_is_one_sentence() -> None:
    result = typed("make", "kid", "12a")

    assert result.exit_code == 1
    assert result.output.startswith("Error: '12a' has more than digits in it")


def test_a_setting_of_another_scheme_is_noticed(setting: Path) -> None:
    result = typed("check", "rf", "RF18539007547034", "--setting", setting)

    assert result.exit_code == 2
    assert "for kid, not for rf" in result.output


def test_lists_what_it_knows() -> None:
    result = typed("schemes")

    assert result.exit_code == 0
    assert "Danish payment slip +71" in result.output
