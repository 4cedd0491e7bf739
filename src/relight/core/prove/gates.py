"""Gates: what a step's conditions make sure of, whatever the case."""

from relight.core.bounds import at_least
from relight.core.conditions import AllOf, Condition, Flags
from relight.core.policy import Policy, Step
from relight.core.rules.model import RequiresState, State


def holds_state(demand: RequiresState, policy: Policy, step: Step) -> bool:
    """Whether the step can only be taken in one of the demanded states."""
    return any(_holds(state, policy, step) for state in demand.any_of)


def arrears_at_least(policy: Policy, step: Step) -> int:
    """The least arrears with which the step is taken, in minor units."""
    return at_least(step.when, "arrears") or 0


def _holds(state: State, policy: Policy, step: Step) -> bool:
    arrears, claims = arrears_at_least(policy, step), at_least(step.when, "claims") or 1
    return (
        (state.arrears_min is None or arrears >= state.arrears_min)
        and (state.claims_min is None or claims >= state.claims_min)
        and (not state.person or step.approval != "none")
        and state.flags <= _sure_flags(step.when)
    )


def _sure_flags(condition: Condition) -> frozenset[str]:
    match condition:
        case Flags(quantifier="all", names=names):
            return frozenset(names)
        case Flags(quantifier="any", names=(name,)):
            return frozenset({name})
        case AllOf(parts):
            return frozenset[str]().union(*(_sure_flags(part) for part in parts))
        case _:
            return frozenset()
