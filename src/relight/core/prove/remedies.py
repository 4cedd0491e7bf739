"""What to write so that a policy passes, in the policy's own words."""

from collections.abc import Iterable

from relight.core.actions import MessageAction
from relight.core.policy import Step
from relight.core.rules.acts import FEE, acts_of
from relight.core.rules.sentences import a, name_of

_WRITE = {
    "contact_attempt": "{contact_attempt: phone}",
    "personal_contact": "{contact_attempt: phone}",
    "plan_offer": "{plan_offer: standard}",
    "security_demand": "{security_demand: deposit, term: 15 working days}",
    "early_signal": "{signal: municipality}",
    "end_supply_signal": "{signal: municipality_end_of_supply}",
    "authority_notice": "{signal: social_board}",
    "contract_terminate": "{contract_terminate: service}",
    "end_of_supply": "{request_to_grid: end_of_supply}",
    "agency_handoff": "{handover: agency}",
}
_DEEDS = {
    "disconnect": "cutting the service off",
    "throttle": "limiting the service",
    "contract_terminate": "ending the contract",
    "end_of_supply": "ending the supply",
    "agency_handoff": "handing over to an agency",
}
_ELEMENTS = {
    "about_closing": "that the service will be cut",
    "about_ending": "that the contract will end",
    "collection_cost": "what the collection would cost",
    "complaint_board": "where one can complain",
    "consequence": "what happens otherwise",
    "contact_us": "how to reach you",
    "cost": "what cutting and restoring cost",
    "court": "the right to go to court",
    "creditor_name": "who is owed",
    "cut_possible": "that the service may be cut",
    "data_offer": "that a word can be put in for help with debts",
    "debt_help_options": "where there is help with debts",
    "instalments": "that one can pay in instalments",
    "interest": "the interest",
    "new_supplier": "how to find another supplier",
    "no_cutoff_if_medical_or_debt_help": "that nobody is cut off who is ill or gets help with debts",
    "no_interest": "that it costs no interest",
    "objections_right": "the right to object",
    "payable_within": "how long one can pay",
    "payment_reference": "the reference to pay with",
    "plan_possible": "that a plan is possible",
    "principal_and_costs": "the debt and the costs apart",
    "social_service": "the social services",
    "water_containers": "water in containers",
    "what_claim_is_for": "what the bill is for",
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_LANGUAGES = {"nb": "Norwegian", "da": "Danish", "nl": "Dutch", "de": "German", "en": "English"}


def write(act: str) -> str:
    """The action that does an act, as a policy writes it."""
    if act.startswith(FEE):
        return f"{{fee: {act.removeprefix(FEE)}, amount: …}}"
    return _WRITE.get(act, f"{{message: {act}}}")


def deed(step: Step, targets: frozenset[str]) -> str:
    """What the step does that a rule is about: "cutting the service off", "a reminder fee or a collection warning"."""
    names = dict.fromkeys(act.name for act in acts_of(step) if act.name in targets)
    return " or ".join(_DEEDS.get(name) or some(name) for name in names) or "this"


def some(act: str, count: int = 1) -> str:
    """ "a reminder", "three reminders"."""
    if count == 1:
        return a(act)
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    return f"{number} {name_of(act, count)}"


def capital(sentence: str) -> str:
    """The sentence with its first letter large; its other letters are left alone."""
    return sentence[:1].upper() + sentence[1:]


def elements(missing: Iterable[str]) -> str:
    """What a text lacks, told."""
    return "; ".join(_ELEMENTS.get(one, one.replace("_", " ")) for one in missing)


def language(code: str) -> str:
    """A language's English name."""
    return _LANGUAGES.get(code, code)


def all_ways(message: MessageAction | None, more: Iterable[str]) -> str:
    """The channels to write so that a message surely goes in more ways than now."""
    now = message.channels if message and (message.mode == "all" or len(message.channels) == 1) else ()
    return f"channel: {{all: [{', '.join(dict.fromkeys([*now, *more]))}]}}"
