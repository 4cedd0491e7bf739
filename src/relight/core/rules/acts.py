"""What a policy's actions are in law: the acts that rules speak of, and how certainly an action comes to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relight.core.actions import (
    Action,
    ContactAttemptAction,
    FeeAction,
    HandoverAction,
    MessageAction,
    RequestToGridAction,
    SignalAction,
    SupplyAction,
    TaskAction,
    WorkOrderAction,
)
from relight.core.levels import Level

if TYPE_CHECKING:  # a step keeps its acts, so that module needs this one
    from relight.core.policy import Step

CONTACT = "debtor_contact"
FEE = "fee."
ANY_FEE = "fee.any"
# Acts that take a service away, wholly or in part, now or by asking another to.
CUTS = frozenset({"disconnect", "throttle", "contract_terminate"})


@dataclass(frozen=True, slots=True)
class Act:
    """One act of a step's part. `ways` are the channels or manners in which it surely comes about."""

    name: str
    part: int
    ways: frozenset[str] = frozenset()


def acts_in(do: tuple[Action, ...]) -> tuple[Act, ...]:
    """Every act of a step's parts, in their order."""
    return tuple(act for part, action in enumerate(do) for act in _acts(action, part))


def acts_of(step: "Step") -> tuple[Act, ...]:
    """Every act of a step, part by part."""
    return step.acts


def names_of(step: "Step") -> frozenset[str]:
    """The names of a step's acts."""
    return step.act_names


def _acts(action: Action, part: int) -> Iterator[Act]:
    match action:
        case MessageAction():
            yield Act(action.template, part, _surely_on(action))
            yield Act(CONTACT, part)
        case FeeAction(fee):
            yield Act(FEE + fee, part)
            yield Act(ANY_FEE, part)
        case ContactAttemptAction(way):
            yield Act("contact_attempt", part, frozenset({way}))
            yield Act("personal_contact", part, frozenset({way}))
        case _:
            name = _name(action)
            if name:
                yield Act(name, part)


def _name(action: Action) -> str:
    """The one act of an action that has but one; empty where it takes nothing away and asks for nothing."""
    match action:
        case SupplyAction(level):
            return _SUPPLY.get(level, "")
        case RequestToGridAction(request):
            return _REQUESTS[request]
        case SignalAction(to):
            return _SIGNALS.get(to, f"signal_{to}")
        case TaskAction(code) | WorkOrderAction(code):
            return f"{action.kind}_{code}"
        case HandoverAction():
            return "agency_handoff"
        case _:
            return action.kind  # plan_offer, contract_terminate, security_demand


_SUPPLY = {Level.OFF: "disconnect", Level.LIMITED: "throttle", Level.WALLED_GARDEN: "throttle"}
_REQUESTS = {"disconnect": "disconnect", "end_of_supply": "end_of_supply", "reconnect": ""}
_SIGNALS = {
    "municipality": "early_signal",
    "municipality_end_of_supply": "end_supply_signal",
    "social_board": "authority_notice",
}


def _surely_on(action: MessageAction) -> frozenset[str]:
    """The channels that the message takes whatever happens: all of `all`, or the only one of a list."""
    if action.mode == "all" or len(action.channels) == 1:
        return frozenset(action.channels)
    return frozenset()
