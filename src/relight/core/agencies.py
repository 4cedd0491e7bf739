"""Agencies: who may be given claims, what is theirs while they have them, and when a claim is called back.

What a partner noted of an agency is a fact, and so is each hand-over. What was paid past the agency is told to it; when
nothing is left to collect, it is called back. The recall leaves at once: nobody is to be asked for what he has paid.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

import yaml

from relight.core.actions import HandoverAction
from relight.core.decision import EffectDraft
from relight.core.draft import Draft
from relight.core.facts import AgencyFacts, CaseFacts, ClaimFacts, HandoverFacts
from relight.core.law import Answer, Reason, Ruling
from relight.core.policy import Step
from relight.core.standing import Standing
from relight.core.windows import local_midnight

PLACE, TELL, RECALL = "place", "tell", "recall"
REGISTERED = "agency_is_registered"
_DAY = timedelta(days=1)


@cache
def _registers() -> Mapping[str, Any]:
    return yaml.safe_load(resources.files("relight.core.packs").joinpath("registers.yaml").read_text("utf-8"))


def register_for(country: str, debtor: str, kind: str) -> tuple[str, str] | None:
    """The register that an agency of that kind must stand in to collect from such debtors, and the law; None: none."""
    found = _registers().get(country)
    if found is None or debtor not in found["debtors"] or kind in found["exempt"]:
        return None
    return found["register"], found["law"]


def agency_of(facts: CaseFacts, step: Step) -> AgencyFacts | None:
    """The agency that a step hands over to, when the partner has set it up; else a person does it by hand."""
    names = [action.to for action in step.do if isinstance(action, HandoverAction)]
    return next((agency for agency in facts.partner.agencies if agency.name in names), None)


def is_registered(facts: CaseFacts, agency: AgencyFacts, today: date) -> bool:
    """Whether nothing is missing: a check that still holds, or no register that asks for one."""
    if register_for(facts.partner.country, facts.debtor, agency.kind) is None:
        return True
    return agency.checked_until is not None and agency.checked_until >= today


def knowing_agency(facts: CaseFacts, step: Step, today: date) -> CaseFacts:
    """The facts with what is on record of the step's agency as a flag, which is how law packs ask for it."""
    agency = agency_of(facts, step)
    if agency is None:
        return facts
    answer = "yes" if is_registered(facts, agency, today) else "no"
    return facts.with_flags({**facts.flags, REGISTERED: answer})


def may_hand_over(facts: CaseFacts, at: Standing, step: Step) -> Iterable[Ruling]:
    """What speaks against the agency of a step: it is no more, or nobody has looked where the law asks for it."""
    agency = agency_of(facts, step)
    if agency is None:
        return
    tomorrow = local_midnight(at.today + _DAY, facts.partner.zone)
    if agency.ended:
        yield Ruling(Answer.DENY, _reason("guard.agency_ended", agency=agency.title), tomorrow)
    asked = register_for(facts.partner.country, facts.debtor, agency.kind)
    if asked is not None and not is_registered(facts, agency, at.today):
        said = _reason("guard.agency_unchecked", asked[1], agency=agency.title, register=asked[0])
        yield Ruling(Answer.DENY, said, tomorrow)


def with_agency(facts: CaseFacts, claims: tuple[ClaimFacts, ...]) -> Iterable[Ruling]:
    """While an agency has a claim, nobody else asks for it, adds to it or cuts for it."""
    wanted = {claim.id for claim in claims}
    for one in facts.handovers:
        if one.is_open and wanted & one.claims:
            yield Ruling(Answer.DENY, _reason("guard.with_agency", agency=one.title))
            return


def _reason(code: str, law: str = "", **params: str) -> Reason:
    return Reason(code, tuple(sorted(params.items())), law)


def follow_handovers(draft: Draft, facts: CaseFacts) -> None:
    """Call back what there is nothing left to collect of, or what somebody wants back; tell of what was paid to us."""
    if facts.partner.shadow:
        return  # nothing would leave, and it would be decided again and again
    for one in facts.handovers:
        if not one.is_open or one.is_leaving or one.recall_sent:
            continue
        why = recall_reason(one)
        if why:
            params = {"agency": one.title, "handover": one.id, "why": why, "paid": one.lessened}
            event = draft.event("recall_decided", params, keep_facts=True)
            _say(draft, event, one, RECALL, why)
        elif one.lessened != one.told:
            event = draft.event("agency_told", {"agency": one.title, "handover": one.id, "amount": one.owed})
            _say(draft, event, one, TELL)


def recall_reason(one: HandoverFacts) -> str:
    """Why a hand-over is to end from our side; empty where it is not."""
    if one.wanted_back:
        return one.wanted_back
    if one.was_withheld:
        return "withheld"
    return "paid" if not one.owed and one.lessened > 0 else ""


def _say(draft: Draft, event: int, one: HandoverFacts, what: str, why: str = "") -> None:
    params = {"handover": one.id, "lessened": one.lessened, "owed": one.owed, "why": why}
    draft.effects += (
        EffectDraft(event, "handover", draft.now, "urgent", channel=one.agency, template=what, params=params),
    )
