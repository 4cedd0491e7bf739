"""Required content: what the texts of a step must hold, in every language that the country's customers read."""

from collections.abc import Iterator
from typing import Protocol

from relight.core.actions import MessageAction, PlanOfferAction
from relight.core.bounds import at_most
from relight.core.policy import Policy, Step
from relight.core.prove.gates import arrears_at_least
from relight.core.prove.remedies import capital, elements, some
from relight.core.prove.remedies import language as spoken
from relight.core.rules import model
from relight.core.rules.model import Rule
from relight.core.rules.sentences import money, name_of

LANGUAGES = {
    "NO": ("nb", "en"),
    "DK": ("da", "en"),
    "NL": ("nl", "en"),
    "SE": ("en",),
    "DE": ("de", "en"),
    "GB": ("en",),
}
_WRITTEN = frozenset({"email", "letter"})


class Contents(Protocol):
    """What is known of the texts."""

    def elements(self, template: str, language: str, country: str) -> frozenset[str] | None:
        """The elements that a template holds for a country's customers; None where there is no such template."""
        ...


def check_content(rule: Rule, policy: Policy, step: Step, contents: Contents) -> Iterator[str]:
    """What each of the step's texts that the rule is about lacks."""
    demand = rule.demand
    assert isinstance(demand, model.RequiredContent)
    for action in step.do:
        if isinstance(action, MessageAction) and action.template in rule.targets:
            yield from _lacks(demand, policy, action, contents)
            if demand.form == "written" and not _is_written(action):
                must = f"{some(action.template)} must go in writing: by e-mail or letter, whatever else"
                yield f"{capital(must)}. Write channel: {{all: [email, letter]}}"
        elif isinstance(action, PlanOfferAction) and action.kind in rule.targets and action.months is not None:
            yield from _too_short(demand, policy, step, action.months)


def _lacks(demand: model.RequiredContent, policy: Policy, action: MessageAction, contents: Contents) -> Iterator[str]:
    name = name_of(action.template)
    for language in LANGUAGES[policy.country]:
        held = contents.elements(action.template, language, policy.country)
        if held is None:
            yield f"There is no {name} in {spoken(language)}. Write its text, or leave the message out"
        elif missing := sorted(demand.elements - held):
            yield f"The {name} in {spoken(language)} does not say {elements(missing)}. Add it to its text"


def _too_short(demand: model.RequiredContent, policy: Policy, step: Step, months: tuple[int, int]) -> Iterator[str]:
    """A plan that is offered at some sum, and must run longer there."""
    least, most = arrears_at_least(policy, step), at_most(step.when, "arrears")
    over = 0
    for band in demand.plan:
        met = (band.upto is None or least <= band.upto) and (most is None or over < most)
        if met and months[0] < band.shortest:
            debts = f" of more than {money(over, policy.currency)}" if over else ""
            longest = max(months[1], band.longest)
            must = f"A plan for a debt{debts} must run {band.shortest} months at the least"
            yield f"{must}: here it may run {months[0]}. Write months: [{band.shortest}, {longest}]"
            return
        over = band.upto or over


def _is_written(action: MessageAction) -> bool:
    """Whether one of the written channels is surely used."""
    channels = frozenset(action.channels)
    return bool(channels & _WRITTEN) if action.mode == "all" else channels <= _WRITTEN
