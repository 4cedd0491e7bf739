"""What a step does: "stenge bredbåndet" to the customer, "bredbånd blir satt til «stengt»" to the agent."""

from collections.abc import Iterable

from relight.core.actions import (
    Action,
    ContactAttemptAction,
    FeeAction,
    MessageAction,
    RequestToGridAction,
    SignalAction,
    SupplyAction,
    TaskAction,
    WorkOrderAction,
)
from relight.core.explain.speech import Speech
from relight.core.explain.words import texts
from relight.core.parts import waits_for_supply
from relight.core.policy import Step
from relight.core.restore import RESTORE

_INTERNAL = frozenset({"task", "work_order"})  # what people do among themselves


def to_customer(speech: Speech, name: str, form: str = "act") -> str:
    """A step by its name, as what we do to or for the customer. `form` is "act" (infinitive) or "done" (participle)."""
    if name == RESTORE:
        return _phrase(speech, form, RESTORE)
    step = speech.policy.by_name.get(name) if speech.policy else None
    keys = list(dict.fromkeys(_keys(step, speech))) if step else []
    fee = speech.money(_fee(step)) if step else ""
    phrases = dict.fromkeys(_phrase(speech, form, key, fee) for key in keys)
    return speech.listed(phrases) if phrases else _phrase(speech, form, "other")


def to_agent(speech: Speech, step: Step) -> str:
    """What a step does, action by action."""
    return speech.listed(dict.fromkeys(_does(speech, action) for action in step.do))


def services(speech: Speech, kinds: Iterable[str]) -> str:
    """Services as the customer calls them: "strømmen og bredbåndet"."""
    known = texts(speech.language, "customer")
    names = [known[f"service.{kind}" if f"service.{kind}" in known else "service.other"] for kind in kinds]
    return speech.listed(dict.fromkeys(names)) or known["service.other"]


def _phrase(speech: Speech, form: str, key: str, fee: str = "") -> str:
    mine = services(speech, concerned(speech))
    return speech.piece(f"{form}.{key}", "customer", service=mine, amount=fee)


def concerned(speech: Speech) -> list[str]:
    """The kinds of the services that are spoken of: unpaid ones where that is known, and that the policy is about."""
    kinds = sorted({kind for id_, kind in speech.services.items() if not speech.only or id_ in speech.only})
    return [kind for kind in kinds if speech.policy is None or kind in speech.policy.services]


def _keys(step: Step, speech: Speech) -> Iterable[str]:
    """What a customer would call each action; that a service is gone is not told beside its going."""
    known = texts(speech.language, "customer")
    for part, action in enumerate(step.do):
        key = _key(action)
        if isinstance(action, MessageAction) and (waits_for_supply(step, part) or step.cuts):
            continue
        if f"act.{key}" in known:
            yield key
        elif action.kind not in _INTERNAL:
            yield _wider(action)


def _key(action: Action) -> str:
    match action:
        case MessageAction(template):
            return f"message.{template}"
        case SupplyAction(level):
            return f"supply.{level.value}"
        case ContactAttemptAction(way):
            return f"contact_attempt.{way}"
        case SignalAction(to):
            return f"signal.{to}"
        case RequestToGridAction(request):
            return f"request_to_grid.{request}"
        case TaskAction(code) | WorkOrderAction(code):
            return f"{action.kind}.{code}"
        case _:
            return action.kind


def _wider(action: Action) -> str:
    return "message.other" if isinstance(action, MessageAction) else action.kind


def _fee(step: Step) -> int:
    return sum(action.amount_minor for action in step.do if isinstance(action, FeeAction))


def _does(speech: Speech, action: Action) -> str:
    match action:
        case MessageAction(template):
            return speech.piece("does.message", template=speech.name("template", template))
        case SupplyAction(level):
            kinds = speech.listed(speech.name("service", kind) for kind in concerned(speech))
            return speech.piece("does.supply", services=kinds, level=speech.name("level", level.value))
        case FeeAction(_, amount):
            return speech.piece("does.fee", amount=speech.money(amount))
        case _:
            return speech.piece(f"does.{action.kind}")
