"""The packs that come with Relight can be read, and a pack with a mistake is refused with its line and a remedy."""

import subprocess
import sys
from importlib import resources
from itertools import pairwise

import pytest

from relight.core.findings import Findings
from relight.core.money import COUNTRY_CURRENCY
from relight.core.rules import model
from relight.core.rules.model import LawPack, Rule
from relight.core.rules.reader import packaged_pack, packaged_packs, read_pack

PACKS = packaged_packs()
RULES = [(name, rule) for name in PACKS for rule in packaged_pack(name).rules]
IDS = [rule.id for _, rule in RULES]

SAMPLE = """\
pack: sample
country: DK
currency: DKK
as_of: 2026-11-21

rules:
  dk.wait:
    kind: min_elapsed
    target: [disconnect]
    for: {debtor: [consumer], service: [broadband]}
    since: [{of: disconnect_notice, moment: sent}]
    span: 10 days
    law: an act § 1
    valid: {from: 2020-01-01}
    source: {level: primary, confidence: verified}
  dk.fee:
    kind: max_amount
    target: [fee.reminder]
    caps: [{from: 2020-01-01, amount: 100}]
    law: an act § 2
    source: {level: secondary, confidence: verified}
"""


def text_of(name: str) -> str:
    return resources.files("relight.core.packs").joinpath(f"laws/{name}.yaml").read_text("utf-8")


def test_there_is_a_pack_for_each_of_the_six_countries() -> None:
    in_force = [packaged_pack(name) for name in PACKS if not packaged_pack(name).pending]

    assert {pack.country for pack in in_force} == {"NO", "DK", "NL", "SE", "DE", "GB"}


@pytest.mark.parametrize("name", PACKS)
def test_a_packaged_pack_is_read_without_a_finding(name: str) -> None:
    read = read_pack(text_of(name), source=name)

    assert isinstance(read, LawPack), str(read)
    assert read.name == name
    assert read.currency == COUNTRY_CURRENCY[read.country]


def test_every_kind_of_rule_is_used() -> None:
    assert len({rule.kind for _, rule in RULES}) == 12


def test_no_rule_stands_in_two_packs() -> None:
    assert len(IDS) == len(set(IDS))


@pytest.mark.parametrize(("name", "rule"), RULES, ids=IDS)
def test_a_rule_from_memory_or_without_a_source_never_blocks(name: str, rule: Rule) -> None:
    if rule.enforce == "block":
        assert rule.source.confidence == "verified"
        assert rule.source.level in ("primary", "secondary")
        assert rule.source.read


@pytest.mark.parametrize(("name", "rule"), RULES, ids=IDS)
def test_a_rule_holds_over_some_time(name: str, rule: Rule) -> None:
    if rule.valid_from and rule.valid_to:
        assert rule.valid_from < rule.valid_to
    if rule.valid_from:
        assert rule.valid_from <= packaged_pack(name).as_of


@pytest.mark.parametrize(("name", "rule"), RULES, ids=IDS)
def test_a_rule_demands_something(name: str, rule: Rule) -> None:
    demand = rule.demand

    match demand:
        case model.MinElapsed(since, span, at_most):
            assert since
            assert span is not None or at_most is not None
        case model.MaxAmount():
            assert demand.forbidden or demand.caps or demand.bands
        case model.ForbiddenWindow():
            closes = demand.weekdays or demand.months or demand.holidays or demand.day_before_holiday
            assert closes or demand.open
        case model.ForbiddenStep():
            assert demand.never or demand.only_unpaid_service or demand.keep
        case model.DataScope():
            assert demand.allowed
            assert not demand.allowed & demand.forbidden
        case _:
            pass  # the schema itself asks for the one thing that these say
    assert rule.targets


@pytest.mark.parametrize("name", PACKS)
def test_a_table_of_slices_has_neither_gap_nor_overlap(name: str) -> None:
    for rule in packaged_pack(name).rules:
        bands = rule.demand.bands if isinstance(rule.demand, model.MaxAmount) else ()
        for lower, upper in pairwise(bands):
            assert lower.upto == upper.over
        if bands:
            assert bands[0].over == 0
            assert bands[-1].upto is None


def test_a_pack_has_the_same_hash_in_every_process() -> None:
    code = "from relight.core.rules.reader import *; print(*(packaged_pack(name).hash for name in packaged_packs()))"
    here = [packaged_pack(name).hash for name in PACKS]

    # Each process hashes strings with a seed of its own: whatever leans on the order of a set comes out differently.
    there = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(2)
    ]

    assert there == [here, here]


def test_a_hash_is_of_the_content_not_of_how_it_is_written() -> None:
    same = SAMPLE.replace("  dk.wait:", "  # a remark\n  dk.wait:").replace("amount: 100}", "amount: 100.00}")
    other = SAMPLE.replace("10 days", "11 days")

    hashes = [read.hash for read in map(read_pack, (SAMPLE, same, other)) if isinstance(read, LawPack)]

    assert hashes[0] == hashes[1] != hashes[2]


# One mistake each: what stands there, what is written instead, the line that is told (of a thing that is missing: where
# it should be), what is said, and the remedy.
MISTAKES = {
    "another country's rule": ("  dk.fee:", "  no.fee:", 16, "not a rule of DK", "begin the id with the country"),
    "a kind that is none": ("max_amount", "max_amont", 17, '"max_amont" is not known here', "max_amount"),
    "a key of another kind": (
        "    span: 10 days",
        "    span: 10 days\n    count: 2",
        13,
        "'count' says nothing",
        "take it out",
    ),
    "what the kind needs is missing": (
        "    since: [{of: disconnect_notice, moment: sent}]\n",
        "",
        7,
        "'since' is missing",
        "add since",
    ),
    "a misspelled key": ("    law: an act § 2", "    laww: an act § 2", 20, "unknown key 'laww'", "did you mean law?"),
    "no section": ("    law: an act § 2\n", "", 16, "'law' is missing", "add law"),
    "no span": ("span: 10 days", "span: ten days", 12, '"ten days" is not a span of time', "a whole number and a unit"),
    "a day that is none": (
        "from: 2020-01-01}\n    source",
        "from: 2020-02-31}\n    source",
        14,
        "2020-02-31 is not a day",
        "year, month and day",
    ),
    "memory that would block": (
        "{level: primary, confidence: verified}",
        "{level: primary, confidence: memory_high}",
        15,
        "memory_high cannot block",
        "enforce: warn",
    ),
    "no source": (
        "{level: secondary, confidence: verified}",
        "{level: none, confidence: verified}",
        21,
        "without a source cannot block",
        "enforce: default",
    ),
    "an amount with its currency": ("amount: 100}", "amount: 100 kr}", 19, "is not an amount", "without a currency"),
    "a debtor that is none": (
        "debtor: [consumer]",
        "debtor: [household]",
        10,
        '"household" is not known here',
        "consumer",
    ),
    "a moment that is none": ("moment: sent", "moment: posted", 11, '"posted" is not known here', "sent"),
    "a list that is none": ("target: [disconnect]", "target: disconnect", 9, '"disconnect" is not a list', "a list"),
    "an alias": ("target: [disconnect]", "target: *cuts", 9, "aliases (*name) are not allowed", "write the value out"),
    "a rule twice": ("  dk.fee:", "  dk.wait:", 16, "'dk.wait' is written twice", "keep one of them"),
    "no rules": (SAMPLE[SAMPLE.index("rules:") :], "rules: {}\n", 6, "too few", "limit of 1"),
    "a sum that cannot be paid": ("amount: 100}", "amount: 37.505}", 19, "more than 2 decimals", "leave the further"),
    "an end before the beginning": (
        "{from: 2020-01-01}\n    source",
        "{from: 2020-01-01, to: 2019-12-31}\n    source",
        14,
        "2019-12-31 lies before 2020-01-01",
        "the first day first",
    ),
    "a cap from no day": ("from: 2020-01-01, amount", "from: 2020-02-31, amount", 19, "is not a day", "year, month"),
    "a wait without a time": ("    span: 10 days\n", "", 7, "forbids nothing", "add one of span, at_most"),
    "a cap without a sum": ("    caps: [{from: 2020-01-01, amount: 100}]\n", "", 16, "forbids nothing", "caps, bands"),
    "slices with a gap": (
        "caps: [{from: 2020-01-01, amount: 100}]",
        "bands: [{over: 0, upto: 100, percent: 5}, {over: 200, percent: 1}]",
        19,
        "a slice begins at 200, the one before ends at 100",
        "let slices adjoin",
    ),
    "slices without an end": (
        "caps: [{from: 2020-01-01, amount: 100}]",
        "bands: [{over: 0, upto: 100, percent: 5}]",
        19,
        "nothing is said above 100",
        "leave upto out",
    ),
    "a percentage too fine": (
        "caps: [{from: 2020-01-01, amount: 100}]",
        "bands: [{over: 0, percent: 0.125}]",
        19,
        "finer than we reckon",
        "at most two decimals",
    ),
    "names where yes is meant": (
        "caps: [{from: 2020-01-01, amount: 100}]",
        "forbidden: [reminder]",
        19,
        "'forbidden' is not that",
        "write true",
    ),
    "hours turned round": (
        "max_amount\n    target: [fee.reminder]\n    caps: [{from: 2020-01-01, amount: 100}]",
        "forbidden_window\n    target: [debtor_contact]\n    open: [{weekdays: [mon], hours: [21, 8]}]",
        19,
        "21 to 8 is never",
        "the earlier hour first",
    ),
    "an unknown country": ("country: DK", "country: XX", 2, '"XX" is not known here', "DK"),
}


@pytest.mark.parametrize("story", MISTAKES)
def test_a_mistake_in_a_pack_is_told_with_its_line_and_a_remedy(story: str) -> None:
    right, wrong, line, message, remedy = MISTAKES[story]
    assert right in SAMPLE

    found = read_pack(SAMPLE.replace(right, wrong, 1), source="sample.yaml")

    assert isinstance(found, Findings)
    [item] = [item for item in found if message in item.message]
    assert item.line == line
    assert remedy in item.remedy
    assert str(found).startswith("sample.yaml: line ")


def test_all_mistakes_are_told_at_once() -> None:
    text = SAMPLE
    for story in ("a kind that is none", "no span", "a debtor that is none", "a moment that is none"):
        right, wrong, *_ = MISTAKES[story]
        text = text.replace(right, wrong, 1)

    found = read_pack(text)

    assert isinstance(found, Findings)
    assert [item.line for item in found] == [10, 11, 12, 17]


@pytest.mark.parametrize("text", ["", "\n\n", "[]", "pack", "pack: &a {}", "\t", "\x00", "rules: {" * 40])
def test_no_text_is_too_strange_to_refuse(text: str) -> None:
    found = read_pack(text)

    assert isinstance(found, Findings)
    assert all(item.message and item.line >= 1 for item in found)


def test_a_pack_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(KeyError, match="no law pack 'fr'; there are de, dk"):
        packaged_pack("fr")
