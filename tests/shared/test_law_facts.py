"""Our law packs against the facts that were read: none missing, none surer than its source, none about others."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from relight.core.rules import model
from relight.core.rules.model import LawPack, Rule
from relight.core.rules.reader import packaged_pack
from relight.core.rules.sums import cap_of
from relight.core.spans import Span

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "law"
COUNTRIES = ("no", "dk", "nl", "se", "de", "gb")
DEBTORS = {"small_business": "business"}  # a policy cannot tell small businesses from large ones
ACTORS = {"no.el.disconnect.business_2w": "grid_company"}  # the proof lets nobody else close (relight.actor)
TARGETS = {
    "agency_action": "agency_handoff",
    "debtor_contact_about_debt": "debtor_contact",
    "fee.subscription": "fee.subscription_while_blocked",
}
KINDS = {
    "contact_attempts": {"requires_before"},
    "actor_limit": {"requires_before", "requires_state"},  # who acts is a state that a person or a flag confirms
    "min_gap": {"min_elapsed"},
    "max_elapsed": {"min_elapsed"},
    "forbidden_charge": {"max_amount"},
    "scope_limit": {"forbidden_step"},
    "external_deadline": {"obligation_after"},
    "alias": {"requires_before"},  # nl.heat.as_energy: see docs/law.md
}
# Rules that the facts tell inside another one, or that close a way around one. All the rest must stand in the facts.
EXTRA = {
    "no.ekom.block.notice": "the month also counts from the notice, so there has to be one",
    "no.el.disconnect.supplier": "the README's row on who may close: only the grid company",
    "no.fee.reminder.second": "no.fee.reminder.count says it in words",
    "dk.fee.collection.once": "dk.fee.collection says count: 1",
    "dk.el.security.after_reminders": "dk.el.security says after: second_reminder_expired",
    "dk.el.security.reason": "dk.el.security says only_if",
    "dk.el.security.wait": "dk.el.security says min_deadline",
    "dk.el.termination_notice.content": "dk.el.termination_notice says notice_content",
    "dk.eu.complaint": "the README's row on the Union",
    "nl.wik.14day.term": "nl.wik.14day says min_deadline",
    "nl.wik.14day.wait": "nl.wik.14day says min_deadline from receipt",
    "nl.wik.14day.after_due": "nl.wik.14day says only_after: default",
    "nl.wik.14day.content": "nl.wik.14day says content",
    "nl.energy.signal_wait_4w.second": "nl.energy.signal_wait_4w leaves open from which signal",
    "nl.energy.end_before_cut": "nobody but the grid company closes, and only what has ended",
    "nl.energy.grid_after_supplier": "the grid company closes only what a supplier has ended",
    "nl.water.reminder.content": "nl.water.reminder says content",
    "nl.water.containers.notice": "nl.water.containers speaks of a notice, so there has to be one",
    "nl.municipality.first_talk.crisis": "nl.municipality.first_talk says crisis",
    "nl.eu.complaint": "the README's row on the Union",
    "se.el.step1.content": "se.el.step1 says informs_of_disconnect",
    "se.el.step1.wait": "se.el.step1 says reasonable_time before the notice",
    "se.el.step2_served": "se.el.step2_3w says formal_service",
    "se.el.social_board_3w": "se.el.social_board says simultaneous_with",
    "se.eu.complaint": "the README's row on the Union",
    "de.el.announce_8wt.twice": "de.el.announce_8wt says letter plus text form",
    "de.el.avert_offer.in_time": "de.el.avert_offer says at_latest_with",
    "de.el.avert_offer.content": "de.el.avert_offer says interest and objections",
    "de.el.avert_offer.on_request": "de.el.avert_offer says on_request_within",
    "de.tel.notice_2w.content": "de.tel.notice_2w says content",
    "de.eu.complaint": "the README's row on the Union",
}


def facts_of(country: str) -> list[dict[str, Any]]:
    read = yaml.safe_load((FOLDER / f"{country}.yaml").read_text("utf-8"))
    rules: list[dict[str, Any]] = read["rules"]
    return rules


FACTS = {fact["id"]: fact for country in COUNTRIES for fact in facts_of(country)}


def pack(country: str) -> LawPack:
    return packaged_pack(country)


def rule(id_: str) -> Rule:
    return pack(id_[:2]).rule(id_)


def listed(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def test_the_facts_hold_a_hundred_rules_of_six_countries() -> None:
    assert len(FACTS) >= 100
    assert {id_[:2] for id_ in FACTS} == set(COUNTRIES)


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_fact_is_a_rule_of_ours_and_every_further_rule_has_its_reason(country: str) -> None:
    ours = {one.id for one in pack(country).rules}
    theirs = {id_ for id_ in FACTS if id_.startswith(country)}

    assert theirs - ours == set()
    assert ours - theirs == {id_ for id_ in EXTRA if id_.startswith(country)}


@pytest.mark.parametrize("id_", FACTS)
def test_a_rule_is_no_surer_than_its_source(id_: str) -> None:
    fact, ours = FACTS[id_], rule(id_)

    assert ours.source.level == fact["source_level"]
    assert ours.source.confidence == fact["confidence"]
    told = {"default_policy": "default", "off": "off", False: "off"}  # YAML reads off as false
    if "enforce" in fact:
        assert ours.enforce == told[fact["enforce"]]
    elif fact["confidence"] == "verified" and fact["source_level"] != "none":
        assert ours.enforce == "block"
    else:
        assert ours.enforce in ("warn", "default")


@pytest.mark.parametrize("id_", FACTS)
def test_a_rule_is_of_the_kind_and_the_time_that_was_read(id_: str) -> None:
    fact, ours = FACTS[id_], rule(id_)

    assert ours.kind in KINDS.get(fact["kind"], {fact["kind"]})
    assert ours.valid_from == fact["valid_from"]
    assert ours.valid_to == fact.get("valid_to")


@pytest.mark.parametrize("id_", FACTS)
def test_a_rule_is_about_the_acts_that_were_read(id_: str) -> None:
    wanted = {TARGETS.get(target, target) for target in listed(FACTS[id_]["target"])} - {"nl.energy.*"}

    assert wanted <= rule(id_).targets


@pytest.mark.parametrize("id_", FACTS)
def test_a_rule_protects_everybody_who_was_read_to_be_protected(id_: str) -> None:
    applies, ours = FACTS[id_]["applies"], rule(id_).applies
    debtors = {DEBTORS.get(one, one) for one in listed(applies["debtor"])}

    assert not ours.debtor or debtors == ours.debtor
    if applies["service"] == "any":
        assert not ours.service
    else:
        assert not ours.service or set(applies["service"]) <= ours.service
    assert ours.actor <= {applies.get("actor", ACTORS.get(id_, ""))}
    assert ours.contract in ("", applies.get("contract"))
    assert ours.region <= set(applies.get("region", []))


@pytest.mark.parametrize("id_", FACTS)
def test_a_rule_names_the_act_and_every_section_that_was_read(id_: str) -> None:
    ours = rule(id_).law.casefold()

    missing = [word for word in act_and_sections(id_) if word.casefold() not in ours]

    assert missing == [], ours


def act_and_sections(id_: str) -> Iterator[str]:
    """The first word of the act, and the numbers after each section sign. "idem" is the act named before."""
    law = FACTS[id_]["law"]
    if "idem" in law:
        yield "drinkwater"
    elif FACTS[id_]["source_level"] != "none" and not law.startswith(("no ", "Grid", "Standard", "sector")):
        yield re.split(r"[\s(]", law)[0]
    yield from re.findall(r"§§? *([0-9]+(?:-[0-9]+)?[a-z]?(?: [a-z](?![a-z]))?)", law)


@pytest.mark.parametrize("id_", FACTS)
def test_a_rule_demands_what_was_read(id_: str) -> None:
    params, demand = FACTS[id_]["params"], rule(id_).demand

    match demand:
        case model.MinElapsed():
            assert (demand.span or demand.at_most) == SPANS.get(id_, span_of(params))
        case model.MinDeadline():
            assert demand.term == span_of(params)
        case model.MaxCount():
            assert demand.count == params["n"]
        case model.MaxAmount() if {"cap", "amount", "at_2026"} & params.keys() and not demand.bands:
            most = params.get("cap") or params.get("amount") or params["at_2026"]
            assert cap_of(demand, date(2026, 11, 21), 0) == round(most * 100)
        case model.RequiresBefore() if FACTS[id_]["kind"] != "alias":
            assert demand.count == params.get("count", params.get("min", 1))
            assert step_of(params) in demand.needs
        case model.ForbiddenIf():
            assert set(params["flags"]) - set(demand.flags) == set(NO_FLAGS.get(id_, ()))
        case model.ForbiddenWindow() if "months" in params:
            assert demand.months == set(params["months"])
            assert demand.if_flags == tuple(params["when"])
        case model.ForbiddenWindow() if "weekdays" in params:
            assert demand.weekdays == {4, 5, 6}
            assert demand.holidays
            assert demand.day_before_holiday
        case _:
            pass  # states, texts, tables and scopes are held to the letter in test_law_surprises.py


# A day counted as "on day n" has n - 1 whole days before it.
SPANS = {
    "no.inkasso.warning.after_due": Span.parse("0 days"),
    "no.fee.reminder.earliest": Span.parse("13 days"),
}
STEPS = {"rectify_demand": "reminder"}
# Not flags of ours: what is owed and under which policy the engine sees itself; what nobody has asked is "unknown".
NO_FLAGS = {
    "dk.el.stop": {"arrears_paid"},
    "se.el.blockers": {"paid"},
    "nl.signal.blockers": {"paid", "legal_person"},
    "nl.water.children": {"minors_unknown"},
    "nl.energy.debt_help": {"debt_help_running_incl_claim"},
}


def span_of(params: Mapping[str, Any]) -> Span:
    units = {"days": "days", "weeks": "weeks", "months": "months"}
    units["business_days"] = "werktage" if params.get("saturday_counts") else "working days"
    [(key, unit)] = [pair for pair in units.items() if pair[0] in params]
    return Span.parse(f"{params[key]} {unit}")


def step_of(params: Mapping[str, Any]) -> str:
    if params.get("personal"):
        return "personal_contact"
    if params.get("says_disconnect"):
        return "disconnect_notice"
    step = str(params["step"] if "step" in params else params.get("steps", ["contact_attempt"])[0])
    return STEPS.get(step, step)
