"""`relight policy check`, `show` and `simulate` as people call them: answers, exit codes, and refusals in words."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from relight.cli.main import relight
from relight.core.policy_reader import packaged_names, packaged_text

POLICIES = Path(__file__).parents[2] / "policies"
WRONG = sorted((POLICIES / "wrong").glob("*.yaml"))
MALFORMED = sorted((POLICIES / "malformed").glob("*.yaml"))


def call(*words: str) -> Result:
    return CliRunner().invoke(relight, ["policy", *words])


def fields(done: Result) -> dict[str, Any]:
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", packaged_names())
def test_every_policy_that_comes_with_relight_is_proved(name: str) -> None:
    done = call("check", name, "--json")
    said = fields(done)

    assert (done.exit_code, said["ok"], said["findings"]) == (0, True, [])
    assert said["proof"]["paths"] >= 1
    assert said["proof"]["rules"] >= 1
    assert all(len(hash_) == 64 for hash_ in said["proof"]["packs"].values())


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.stem)
def test_an_unlawful_policy_exits_1_with_rule_section_step_and_path(file: Path) -> None:
    done = call("check", str(file), "--json")
    said = fields(done)
    in_words = call("check", str(file))

    assert (done.exit_code, in_words.exit_code, said["ok"]) == (1, 1, False)
    for one in said["findings"]:
        assert set(one) == {"rule", "law", "step", "message", "path"}
        assert one["rule"]
        assert one["law"]
        assert one["step"] in file.read_text()
        assert f"{one['step']}: {one['message']}. [{one['law']}; {one['rule']}]" in in_words.stdout


@pytest.mark.parametrize("file", MALFORMED, ids=lambda file: file.stem)
def test_a_malformed_policy_exits_1_with_lines_and_no_traceback(file: Path) -> None:
    done = call("check", str(file), "--json")
    said = fields(done)

    assert (done.exit_code, said["ok"], said["proof"]) == (1, False, None)
    assert all(one["line"] >= 1 and one["message"] for one in said["findings"])


def test_what_is_no_text_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(b"policy: bl\xe5\n")

    assert "save it as UTF-8" in fields(call("check", str(file), "--json"))["findings"][0]["message"]
    file.write_bytes(b"#" * ((1 << 20) + 1))
    assert "too large" in fields(call("check", str(file), "--json"))["findings"][0]["message"]
    assert "no such policy with Relight: broadband" in call("check", str(tmp_path / "nothing.yaml")).output


def test_a_pack_that_is_not_in_force_can_be_tried() -> None:
    now = fields(call("check", "broadband-no", "--json"))
    then = fields(call("check", "broadband-no", "--with", "no-inkassolov-2026", "--json"))
    unknown = call("check", "broadband-no", "--with", "no-such")

    assert set(now["proof"]["packs"]) == {"no"}
    assert set(then["proof"]["packs"]) == {"no", "no-inkassolov-2026"}
    assert then["proof"]["rules"] > now["proof"]["rules"]
    assert unknown.exit_code == 2
    assert "no-inkassolov-2026" in unknown.output


def test_a_policy_is_drawn_and_told(tmp_path: Path) -> None:
    drawn = call("show", "power-grid-no", "-o", str(tmp_path / "flow.svg"), "--language", "nb")
    told = call("show", "power-grid-no")

    assert (drawn.exit_code, told.exit_code) == (0, 0), drawn.output + told.output
    assert ET.parse(tmp_path / "flow.svg").getroot().tag.endswith("svg")
    assert "cut" in told.stdout
    assert "cannot be written" in call("show", "power-grid-no", "-o", str(tmp_path / "no" / "flow.svg")).output


SMALL = ("--accounts", "120", "--days", "90", "--seeds", "2")


def test_the_same_seed_tells_the_same_and_no_other(tmp_path: Path) -> None:
    first, again = (fields(call("simulate", "broadband-no", *SMALL, "--json")) for _ in range(2))
    other = fields(call("simulate", "broadband-no", *SMALL, "--seed", "7", "--json"))

    assert first["measures"] == again["measures"]
    assert first["measures"] != other["measures"]
    assert first["decisions"] > 120
    assert first["measures"]["broadband-no"]["cases_opened"]["mean"] > 0
    assert first["account_years"] == round(120 * 90 * 2 / 365, 1)


def test_two_policies_are_held_against_each_other_on_the_same_people(tmp_path: Path) -> None:
    slower = tmp_path / "slower.yaml"
    slower.write_text(packaged_text("broadband-no").replace("max_per_7_days: 5", "max_per_7_days: 1"), "utf-8")
    same = fields(call("simulate", "broadband-no", "--against", "broadband-no", *SMALL, "--json"))
    fewer = call("simulate", "broadband-no", "--against", str(slower), *SMALL, "-o", str(tmp_path / "out"), "--json")

    assert {tuple(gap.values()) for name, gap in same["difference"].items() if isinstance(gap, dict)} == {(0, 0, 0)}
    assert fields(fewer)["difference"]["messages"]["mean"] != 0
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "recovered.svg",
        "sent.svg",
        "simulation.json",
    ]
    for plot in (tmp_path / "out").glob("*.svg"):
        assert ET.parse(plot).getroot().tag.endswith("svg")


BILLS = """\
account,issued_date,due_date,amount,settled_date
A,2026-01-05,2026-01-19,500,2026-01-18
A,2026-02-05,2026-02-19,500,2026-02-25
B,2026-01-05,2026-01-19,500,
C,2026-06-05,2026-06-19,500,2026-06-10
"""


def test_real_bills_show_which_notices_were_needless(tmp_path: Path) -> None:
    file = tmp_path / "bills.csv"
    file.write_text(BILLS, "utf-8")
    said = fields(call("simulate", "broadband-no", "--history", str(file), "--json"))

    assert (said["accounts"], said["bills"], said["late_bills"], said["cases_opened"]) == (3, 4, 2, 2)
    assert said["notices"] == {"friendly_reminder": 2, "reminder": 1, "disconnect_notice": 2}
    assert said["needless"] == {"friendly_reminder": 1}

    file.write_text(BILLS.replace("500,2026-01-18", "many,2026-01-18"), "utf-8")
    assert "line 2" in call("simulate", "broadband-no", "--history", str(file)).output
    file.write_text("a,b\n1,2\n", "utf-8")
    assert "has no column" in call("simulate", "broadband-no", "--history", str(file)).output
