"""What is wrong with a policy is said with its line, all at once, and nothing raises."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.core.findings import FINDINGS_MAX, Findings
from relight.core.policy import Policy
from relight.core.policy_reader import packaged_text, read_policy
from relight.core.yaml_tree import CHARACTERS_MAX, NODES_MAX

MALFORMED = sorted((Path(__file__).parents[2] / "policies" / "malformed").glob("*.yaml"))
HEAD = """\
policy: sample
for: {country: NO, service: [broadband], debtor: consumer, actor: network}
opens: {overdue: 1 day}
"""


def findings_of(text: str) -> Findings:
    found = read_policy(text)
    assert isinstance(found, Findings)
    return found


def expected(text: str) -> list[tuple[int, str]]:
    """What the remarks "#! …" of a file say should be found, with their lines."""
    lines = enumerate(text.splitlines(), 1)
    return [(number, words.strip()) for number, line in lines for words in re.split(r"#!", line)[1:]]


def test_there_are_malformed_policies() -> None:
    assert len(MALFORMED) >= 15


@pytest.mark.parametrize("file", MALFORMED, ids=lambda file: file.stem)
def test_finds_each_mistake_on_its_line_and_nothing_else(file: Path) -> None:
    text = file.read_text("utf-8")
    wanted = expected(text)

    found = list(findings_of(text))

    for line, words in wanted:
        assert any(item.line == line and words in f"{item.message}; {item.remedy}" for item in found), (line, words)
    assert len(found) == len(wanted), "\n".join(map(str, found))


@pytest.mark.parametrize("file", MALFORMED, ids=lambda file: file.stem)
def test_every_finding_points_into_the_file_and_offers_a_remedy(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines()

    for item in findings_of("\n".join(lines)):
        assert 1 <= item.line <= len(lines)
        assert item.column >= 1
        assert item.remedy


def test_names_the_file_in_each_line_of_the_report() -> None:
    found = read_policy("policy: 7\nsteps: {}\n", source="ours.yaml")

    assert all(line.startswith("ours.yaml: line ") for line in str(found).splitlines())


def test_points_at_the_value_that_is_wrong() -> None:
    found = findings_of(HEAD + "steps:\n  limit:\n    after: 1 month\n    do: [{supply: of}]\n")

    (only,) = found
    assert (only.line, only.column, only.path) == (7, 19, "steps.limit.do[0].supply")


def test_refuses_ten_thousand_steps() -> None:
    steps = "".join(f"  s{number}: {{after: 1 day}}\n" for number in range(10_000))

    (only,) = findings_of(HEAD + "steps:\n" + steps)

    assert "200 steps" in only.remedy


def test_refuses_two_hundred_and_one_steps() -> None:
    steps = "".join(f"  s{number}: {{after: 1 day, do: [{{message: reminder}}]}}\n" for number in range(201))

    (only,) = findings_of(HEAD + "steps:\n" + steps)

    assert "201 is too many here: the limit is 200" in only.message


def test_takes_two_hundred_steps_in_one_road() -> None:
    steps = "".join(f"  s{number}: {{after: 1 day, do: [{{message: reminder}}]}}\n" for number in range(200))

    policy = read_policy(HEAD + "steps:\n" + steps)

    assert isinstance(policy, Policy)
    assert policy.step("s199") is policy.steps[199]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: " + "[" * 100_000, "nested more than"),
        ("{" * 100_000, "a list or mapping stands where a name should"),
        ("a:\n" + "".join("  " * depth + "- \n" for depth in range(1, 200)), "nested more than"),
        ("x" * (CHARACTERS_MAX + 1), "larger than 256 KiB"),
        ("a: [" + "1," * (NODES_MAX + 1) + "]", f"more than {NODES_MAX} values"),
        ("policy: \x00", "unreadable character"),
        ("policy: *nothing", "aliases"),
        ("? [a, b]\n: c", "a list or mapping stands where a name should"),
        ("%YAML 9.9\n---\npolicy: a", "not YAML"),
    ],
)
def test_refuses_what_no_policy_needs(text: str, words: str) -> None:
    assert any(words in item.message for item in findings_of(text))


def test_a_number_of_any_length_is_only_a_wrong_value() -> None:
    found = findings_of(HEAD.replace("1 day}", "1 day, arrears: {min: " + "9" * 5_000 + "}}") + "steps: {}")

    assert any("is not an amount" in item.message for item in found)


def test_reports_at_most_as_many_findings_as_help() -> None:
    unknown = "".join(f"key{number}: 1\n" for number in range(FINDINGS_MAX * 2))

    found = list(findings_of(unknown))

    assert len(found) == FINDINGS_MAX + 1
    assert "more findings" in found[-1].message


TEXTS = st.sampled_from([packaged_text("power-grid-no"), *(file.read_text("utf-8") for file in MALFORMED)])
SCRAPS = st.sampled_from(
    ["{", "}", "[", "]", ":", "- ", "\n", "  ", "\t", "&a ", "*a", "!!x ", "~", "no", "0x", "7", "'", '"']
)


@given(TEXTS, st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), SCRAPS), min_size=1, max_size=6))
def test_no_mutilated_policy_raises(text: str, cuts: list[tuple[float, int, str]]) -> None:
    for at, length, scrap in cuts:
        start = int(at * len(text))
        text = text[:start] + scrap + text[start + length :]

    assert isinstance(read_policy(text), Policy | Findings)


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    assert isinstance(read_policy(text), Findings)


KEYS = (
    "policy for opens steps after do when window next message supply channel all any not flags none arrears min max a"
)
WORDS = st.sampled_from(["NO", "off", "1 day", "sms", "reminder", "zero"])
TREES = st.recursive(
    WORDS | st.integers(-3, 30) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=4),
    max_leaves=30,
)


@given(TREES)
def test_no_tree_of_known_words_raises(tree: object) -> None:
    assert isinstance(read_policy(json.dumps(tree)), Policy | Findings)
