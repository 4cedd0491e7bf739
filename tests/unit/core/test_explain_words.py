"""The words of explanations: every code that can be written has a sentence for both readers in every language."""

import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
import yaml

from relight.core import actions
from relight.core.actions import Action
from relight.core.explain import acts
from relight.core.explain.words import LANGUAGES, READERS, Part, places, required, texts
from relight.core.levels import Level
from relight.core.policy_reader import packaged_text
from relight.core.rules import model
from relight.core.rules.reader import packaged_pack, packaged_packs
from relight.flow.messages.catalog import TEMPLATES
from tests.web import console_codes

PARTS: tuple[Part, ...] = ("names", "agent", "customer")
# What a teller works out from a parameter: the step's acts from its name, a hold's because from its reason.
MADE_OF = {
    "act": {"step"}, "done": {"step"}, "because": {"reason", "holds"}, "n": {"services"}, "wait": {"step"},
    "base": {"step"}, "policy": {"policy"},
}  # fmt: skip
POLICIES = sorted(path.stem for path in (console_codes.ROOT / "core/packs/policies").glob("*.yaml"))
# Not told to customers by their name: the first would tell who is ill, the second speaks of the one who reads.
UNNAMED_HOLDS = {"medical", "deceased"}


@cache
def flags() -> set[str]:
    """Every flag that a packaged law or policy can ask for."""
    found = set(re.findall(r"PROTECTING_FLAGS = frozenset\(\s*\{(.*?)\}", source("core/guards.py"), re.DOTALL))
    names = {name for told in found for name in re.findall(r'"(\w+)"', told)}
    for demand in demands():
        match demand:
            case model.ForbiddenIf(named) | model.ForbiddenWindow(if_flags=named):
                names |= set(named)
            case model.RequiresState(states):
                names |= {flag for state in states for flag in state.flags}
            case _:
                pass
    return names


@cache
def demands() -> list[model.Demand]:
    return [rule.demand for name in packaged_packs() for rule in packaged_pack(name).rules]


def source(path: str) -> str:
    return (console_codes.ROOT / path).read_text("utf-8")


def both(language: str) -> list[tuple[str, dict[str, str]]]:
    return [(reader, dict(texts(language, reader))) for reader in READERS]


@pytest.mark.parametrize("part", PARTS)
def test_every_language_has_the_same_texts_and_fills_in_the_same_things(part: Part) -> None:
    english = texts("en", part)

    for language in LANGUAGES:
        theirs = texts(language, part)
        assert set(theirs) == set(english), language
        assert all(text.strip() for text in theirs.values()), language
        differing = {key for key in english if places(theirs[key]) - {"n"} != places(english[key]) - {"n"}}
        assert differing == set(), language


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_event_has_a_sentence_for_both_readers(language: str) -> None:
    found = console_codes.events()

    assert {"opened", "step_taken", "approval_given", "restored_told", "hold_placed", "policy_moved"} <= found
    for reader, known in both(language):
        assert sorted(code for code in found if f"event.{code}" not in known) == [], reader


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_a_sentence_for_both_readers_and_a_short_name(language: str) -> None:
    found = console_codes.reasons()
    waited_for = {code for code in found if not code.startswith(("restore.", "withdrawn."))}
    names = texts(language, "names")

    assert {"guard.window", "condition.arrears", "law.min_elapsed", "approval"} <= found
    for reader, known in both(language):
        # Why an effect was withheld is a code of its own, told by the sentence for all of them.
        assert sorted(code for code in found - {"withdrawn.contact_cap"} if f"reason.{code}" not in known) == [], reader
    assert sorted(code for code in waited_for if f"waits.{code}" not in names) == []


def test_no_sentence_asks_for_what_its_event_does_not_carry() -> None:
    carried = console_codes.event_params()

    assert len(carried) > 20
    for reader in READERS:
        for code, given in carried.items():
            asked = required(texts("en", reader)[f"event.{code}"])
            missing = {name for name in asked if not (MADE_OF.get(name, {name}) & given)}
            assert missing - ({"service"} if "services" in given else set()) == set(), (reader, code)


def test_no_sentence_asks_for_what_its_reason_does_not_carry() -> None:
    carried = console_codes.reason_params()

    assert {"guard.hold", "guard.window", "policy.step_due"} <= set(carried)
    for reader in READERS:
        known = texts("en", reader)
        for code, given in carried.items():
            asked = required(known[f"reason.{code}"]) if f"reason.{code}" in known else set()
            assert {name for name in asked if not (MADE_OF.get(name, {name}) & given)} == set(), (reader, code)


def test_every_parameter_that_a_sentence_may_show_is_one_that_its_event_has() -> None:
    carried = console_codes.event_params()

    for reader in READERS:
        for code, given in carried.items():
            shown = places(texts("en", reader)[f"event.{code}"])
            unknown = {name for name in shown if not (MADE_OF.get(name, {name}) & given)}
            assert unknown - ({"service"} if "services" in given else set()) == set(), (reader, code)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_flag_of_laws_and_guards_has_a_name(language: str) -> None:
    named = {key.removeprefix("flag.") for key in texts(language, "names") if key.startswith("flag.")}

    assert {"danger_life", "breathing_space_active", "minor_in_household"} <= flags()
    assert flags() - named == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_for_customers_names_a_flag(language: str) -> None:
    names = texts(language, "names")
    told = {key: text.lower() for key, text in texts(language, "customer").items()}

    for flag in sorted(flags()):
        name = names[f"flag.{flag}"].lower()
        assert [key for key, text in told.items() if flag in text or name in text] == [], flag


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_for_customers_fills_in_a_flag_a_code_or_a_person(language: str) -> None:
    internal = {"yes", "unknown", "flags", "code", "note", "text", "blocks", "actor", "reason", "holds", "rule", "why"}

    told = {key: places(text) & internal for key, text in texts(language, "customer").items()}

    assert {key: names for key, names in told.items() if names} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_act_of_a_law_has_a_name_in_words(language: str) -> None:
    asked = {need for demand in demands() if isinstance(demand, model.RequiresBefore) for need in demand.needs}
    asked |= {
        anchor.of
        for demand in demands()
        if isinstance(demand, model.MinElapsed)
        for anchor in demand.since
        if anchor.moment != "due"
    }
    names = texts(language, "names")

    unnamed = [act for act in asked if not {f"{group}.{act}" for group in ("act", "template", "task")} & set(names)]

    assert len(asked) > 10
    assert sorted(unnamed) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_a_step_may_do_is_said_to_both_readers(language: str) -> None:
    told, agents = texts(language, "customer"), texts(language, "agent")
    kinds = {action.kind for action in get_args(Action)}
    keys = {f"message.{template}" for template in TEMPLATES} - {
        "message.restored", "message.payment_received", "message.press_button",
        "message.wrong_person_ack", "message.apology",
    }  # fmt: skip
    keys |= {f"supply.{level.value}" for level in (Level.OFF, Level.LIMITED, Level.WALLED_GARDEN, Level.FULL)}
    keys |= {f"contact_attempt.{way}" for way in get_args(actions.ContactWay) if way != "any"}
    keys |= {f"request_to_grid.{request}" for request in get_args(actions.GridRequest)}
    keys |= kinds - {"message", "supply", "request_to_grid"} - acts._INTERNAL

    assert sorted(kind for kind in kinds if f"does.{kind}" not in agents) == []
    for form in ("act", "done"):
        assert sorted(key for key in keys if f"{form}.{key}" not in told) == [], form


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", POLICIES)
def test_every_packaged_policy_is_all_in_words(name: str, language: str) -> None:
    policy = yaml.safe_load(packaged_text(name))
    names, told = texts(language, "names"), texts(language, "customer")
    done = [act for step in policy["steps"].values() for act in step["do"]]

    assert [step for step in policy["steps"] if f"step.{step}" not in names] == []
    assert [act["message"] for act in done if "message" in act and f"template.{act['message']}" not in names] == []
    for hold in policy["holds"]:
        assert f"hold.{hold}" in names, hold
        assert f"hold.{hold}" in told, hold
        assert hold in UNNAMED_HOLDS or f"stop.{hold}" in told, hold


def test_every_hold_that_people_may_place_has_a_because_for_the_customer() -> None:
    offered = re.search(r"HOLD_REASONS = \((.*?)\)", source("web/console/forms.py"), re.DOTALL)

    assert offered
    reasons = re.findall(r'"(\w+)"', offered[1])
    assert len(reasons) > 8
    assert [reason for reason in reasons if f"hold.{reason}" not in texts("en", "customer")] == []


def test_what_is_medical_or_a_death_is_told_in_the_same_words_as_any_special_care() -> None:
    for language in LANGUAGES:
        told = texts(language, "customer")

        assert told["hold.medical"] == told["hold.deceased"], language


@pytest.mark.parametrize("language", ["da", "nl", "en"])
def test_no_sentence_was_left_in_norwegian(language: str) -> None:
    norwegian = {**texts("nb", "agent"), **texts("nb", "customer")}

    for part in ("agent", "customer"):
        same = {
            key
            for key, text in texts(language, part).items()
            if len(text) > 25 and "{" not in text and norwegian.get(key) == text
        }
        assert same == set(), part


def test_no_file_of_words_is_longer_than_one_reads() -> None:
    folder = Path(console_codes.ROOT / "core/explain/texts")

    assert {path.name: count for path in folder.iterdir() if (count := len(path.read_text().splitlines())) > 300} == {}
