"""Proof and run time never contradict each other: drawn policies of six countries, and drawn lives under them.

The long form of a hundred thousand pairs is run by hand (`python -m tests.agreement`); its result is in bench/results.
"""

import dataclasses
from functools import cache

import pytest

from relight.core.prove.prove import prove
from relight.core.rules.lawbook import LawBook, packaged_law
from relight.core.rules.model import LawPack
from relight.core.rules.reader import packaged_pack
from relight.flow.messages.elements import Texts
from tests.agreement.bases import base_names, lawful_names
from tests.agreement.counterexamples import replay
from tests.agreement.lives import draw_plot, live
from tests.agreement.pairs import Found, again, look_at, shrunk
from tests.agreement.roads import Road, draw_road

SEEDS = range(32)


@cache
def found() -> Found:
    """Thirty-two policies, about half of them proved, and some lives under each; and all that we know to be wrong."""
    together = Found()
    for seed in SEEDS:
        together.take(look_at(seed, proved_lives=12, refused_lives=5))
    for name in base_names():
        if name not in lawful_names():
            together.take(again(Road(name), None))
    return together


def test_no_proved_policy_is_refused_for_what_its_file_could_know_and_no_refused_one_gets_through() -> None:
    assert found().contradictions == []


@pytest.mark.parametrize(
    ("what", "least"),
    [("policies.proved", 10), ("policies.refused", 10), ("pairs.proved", 100), ("pairs.refused", 50),
     ("lives.cut", 30), ("lives.restored", 5), ("lives.voided", 20), ("lives.withdrawn", 5),
     ("counterexample.stopped.requires_before", 9), ("counterexample.stopped.min_elapsed", 6),
     ("counterexample.stopped.max_amount", 2), ("counterexample.stopped.requires_state", 2),
     ("stopped_by.law.forbidden_if", 5), ("stopped_by.guard.hold", 5)],
)  # fmt: skip
def test_the_lives_are_not_hollow(what: str, least: int) -> None:
    assert found().counted[what] >= least


@pytest.mark.parametrize("country", ["NO", "DK", "NL", "SE", "DE", "GB"])
def test_every_country_is_lived_in(country: str) -> None:
    assert found().counted[f"country.{country}"] > 0


def test_every_beginning_makes_a_policy() -> None:
    assert [name for name in base_names() if Road(name).policy() is None] == []


def test_the_same_seed_gives_the_same_policy_and_the_same_life() -> None:
    road, twice = draw_road(7), draw_road(7)
    policy = road.policy()
    assert policy is not None
    plot, book = draw_plot(11, policy, packaged_law()), packaged_law()

    first, second = live(policy, book, plot), live(policy, book, plot)

    assert road.text() == twice.text()
    assert plot == draw_plot(11, policy, packaged_law())
    assert first.log == second.log


def _lax(rule_id: str, **changed: object) -> LawBook:
    """The Norwegian pack with one rule changed."""
    pack = packaged_pack("no")
    rules = tuple(
        dataclasses.replace(rule, **changed) if rule.id == rule_id else rule  # type: ignore[arg-type]
        for rule in pack.rules
    )
    assert rules != pack.rules
    changed_pack: LawPack = dataclasses.replace(pack, rules=rules)
    return LawBook([changed_pack])


def test_a_proof_that_forgets_a_rule_is_contradicted_and_told_in_its_smallest_form() -> None:
    road = Road("no-agency-after-a-short-warning", (1,))
    policy = road.policy()
    assert policy is not None
    forgetful = _lax("no.inkasso.warning.deadline", enforce="off")
    plot = next(plot for plot in (draw_plot(seed, policy, packaged_law()) for seed in range(99)) if plot.happenings)

    contradicted = again(road, plot, proved_by=forgetful).contradictions[0]
    small = shrunk(contradicted, proved_by=forgetful)

    assert "no.inkasso.warning.deadline" in contradicted.told
    assert "no.inkasso.warning.deadline" in small.told
    assert small.road.changes == ()
    assert small.plot is not None
    assert small.plot.happenings == ()


def test_a_run_time_that_forgets_a_rule_does_not_stop_the_counterexample() -> None:
    road = Road("no-broadband-thirty-days")
    policy = road.policy()
    assert policy is not None
    findings = prove(policy, packaged_law(), Texts()).findings
    breach = next(one for one in findings if one.rule == "no.ekom.block.one_month")

    forgotten = replay(policy, _lax("no.ekom.block.one_month", enforce="warn"), breach)

    assert replay(policy, packaged_law(), breach).outcome == "stopped"
    assert forgotten.outcome == "not_stopped"
