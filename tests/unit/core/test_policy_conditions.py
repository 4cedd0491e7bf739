"""Conditions answer yes, no or unknown, and unknown is never taken for an answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.core.conditions import (
    ALWAYS,
    AllOf,
    AnyOf,
    Between,
    Condition,
    Flags,
    MonthIn,
    Not,
    ProfileIn,
    Reach,
    SupplyIn,
    Truth,
    evaluate,
    truth_of,
)


@dataclass(frozen=True)
class Facts:
    arrears: int = 50_000
    claims: int = 2
    oldest_days: int = 40
    flags: Mapping[str, str] = field(default_factory=dict)
    profile: str = "standard"
    reach: frozenset[str] = frozenset({"sms", "email"})
    month: int = 1
    levels: frozenset[str] = frozenset({"full"})


NAMES = ["medical", "danger_life", "vulnerable"]
BOUNDS = st.none() | st.integers(0, 4)
SOME = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple)
WAYS = st.lists(st.sampled_from(["sms", "email", "letter"]), min_size=1, max_size=3, unique=True).map(tuple)
QUANTIFIERS = st.sampled_from(["none", "any", "all"])
LEAVES = st.one_of(
    st.builds(Between, st.sampled_from(["arrears", "claims", "oldest_days"]), BOUNDS, BOUNDS),
    st.builds(Flags, QUANTIFIERS, SOME),
    st.builds(Reach, QUANTIFIERS, WAYS),
    st.builds(ProfileIn, st.frozensets(st.sampled_from(["standard", "vip"]), min_size=1)),
    st.builds(MonthIn, st.frozensets(st.integers(1, 12), min_size=1)),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)
FLAGS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["yes", "no", "unknown"]))
NUMBERS = st.integers(0, 4)
FACTS = st.builds(Facts, NUMBERS, NUMBERS, NUMBERS, FLAGS, st.sampled_from(["standard", "vip"]))


def answers_once_known(condition: Condition, facts: Facts) -> Iterator[Truth]:
    """The answers in every world in which the unknown flags turn out to be yes or no."""
    unknown = [name for name in NAMES if facts.flags.get(name, "unknown") == "unknown"]
    for turned_out in product(["yes", "no"], repeat=len(unknown)):
        flags = {**facts.flags, **dict(zip(unknown, turned_out, strict=True))}
        yield evaluate(condition, replace(facts, flags=flags)).truth


@given(CONDITIONS, FACTS)
def test_an_answer_stands_whatever_the_unknown_turns_out_to_be(condition: Condition, facts: Facts) -> None:
    truth = evaluate(condition, facts).truth

    if truth is not Truth.UNKNOWN:
        assert set(answers_once_known(condition, facts)) == {truth}


@given(LEAVES, FACTS)
def test_a_leaf_says_unknown_only_when_it_matters(leaf: Condition, facts: Facts) -> None:
    if evaluate(leaf, facts).truth is Truth.UNKNOWN:
        assert set(answers_once_known(leaf, facts)) == {Truth.YES, Truth.NO}


@given(CONDITIONS, FACTS)
def test_the_answer_alone_is_the_answer_with_its_reasons(condition: Condition, facts: Facts) -> None:
    assert truth_of(condition, facts) is evaluate(condition, facts).truth


@given(CONDITIONS, FACTS)
def test_every_leaf_has_its_say(condition: Condition, facts: Facts) -> None:
    def leaves(part: Condition) -> int:
        match part:
            case AllOf(parts) | AnyOf(parts):
                return sum(map(leaves, parts))
            case Not(inner):
                return leaves(inner)
            case _:
                return 1

    assert len(evaluate(condition, facts).said) == leaves(condition)


@given(CONDITIONS, FACTS)
def test_not_not_changes_nothing(condition: Condition, facts: Facts) -> None:
    assert evaluate(Not(Not(condition)), facts) == evaluate(condition, facts)


@pytest.mark.parametrize(
    ("condition", "flags", "truth"),
    [
        (Flags("none", ("medical",)), {"medical": "no"}, Truth.YES),
        (Flags("none", ("medical",)), {"medical": "yes"}, Truth.NO),
        (Flags("none", ("medical",)), {}, Truth.UNKNOWN),
        (Flags("none", ("medical",)), {"medical": "nonsense"}, Truth.UNKNOWN),
        (Flags("none", ("medical", "vulnerable")), {"medical": "yes"}, Truth.NO),
        (Flags("any", ("medical", "vulnerable")), {"medical": "yes"}, Truth.YES),
        (Flags("any", ("medical", "vulnerable")), {"medical": "no"}, Truth.UNKNOWN),
        (Flags("all", ("medical", "vulnerable")), {"medical": "no"}, Truth.NO),
        (Flags("all", ("medical", "vulnerable")), {"medical": "yes"}, Truth.UNKNOWN),
    ],
)
def test_an_unasked_flag_blocks(condition: Condition, flags: dict[str, str], truth: Truth) -> None:
    verdict = evaluate(condition, Facts(flags=flags))

    assert verdict.truth is truth
    assert verdict.holds == (truth is Truth.YES)


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        (Between("arrears", min=50_000), Truth.YES),
        (Between("arrears", min=50_001), Truth.NO),
        (Between("claims", max=2), Truth.YES),
        (Between("oldest_days", min=10, max=39), Truth.NO),
        (ProfileIn(frozenset({"vip"})), Truth.NO),
        (MonthIn(frozenset({12, 1, 2})), Truth.YES),
        (Reach("any", ("sms", "letter")), Truth.YES),
        (Reach("all", ("sms", "letter")), Truth.NO),
        (Reach("none", ("letter",)), Truth.YES),
        (SupplyIn(frozenset({"full", "limited"})), Truth.YES),
        (SupplyIn(frozenset({"off"})), Truth.NO),
        (ALWAYS, Truth.YES),
    ],
)
def test_looks_at_the_facts(condition: Condition, truth: Truth) -> None:
    assert evaluate(condition, Facts()).truth is truth


def test_a_service_that_nobody_knows_the_level_of_is_unknown() -> None:
    assert evaluate(SupplyIn(frozenset({"off"})), Facts(levels=frozenset())).truth is Truth.UNKNOWN


def test_says_which_flags_are_in_the_way_and_which_are_not_known() -> None:
    verdict = evaluate(
        Flags("none", ("medical", "vulnerable", "alarm")), Facts(flags={"medical": "yes", "alarm": "no"})
    )

    (said,) = verdict.said
    assert said.code == "condition.flags"
    assert said.params == {"none": ("medical", "vulnerable", "alarm"), "yes": ("medical",), "unknown": ("vulnerable",)}


def test_says_what_was_compared() -> None:
    (said,) = evaluate(Between("arrears", min=60_000), Facts()).said

    assert (said.code, said.truth, said.params) == ("condition.arrears", Truth.NO, {"is": 50_000, "min": 60_000})
