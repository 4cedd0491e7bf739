"""Fees over a path: no more at once, no more together and no more often than the law lets."""

from collections.abc import Iterator

from relight.core.actions import FeeAction
from relight.core.policy import Policy
from relight.core.prove.clock import FIRST_START
from relight.core.prove.gates import arrears_at_least
from relight.core.prove.paths import Path
from relight.core.prove.remedies import capital, some
from relight.core.rules import model
from relight.core.rules.acts import FEE, acts_of
from relight.core.rules.model import Rule
from relight.core.rules.sentences import money, name_of
from relight.core.rules.sums import lowest_cap


def check_amount(rule: Rule, policy: Policy, path: Path, place: int) -> Iterator[str]:
    """Each fee against the least cap from now on, and all of them on the path against the cap of their sum."""
    demand = rule.demand
    assert isinstance(demand, model.MaxAmount)
    step = path.steps[place]
    for action in _fees(rule, path, place, place + 1):
        most, name = lowest_cap(demand, FIRST_START, arrears_at_least(policy, step)), some(FEE + action.fee)
        if most is None:
            yield f"{capital(name)} has a legal limit that is not known yet. Leave the fee out until it is"
        elif demand.forbidden:
            yield f"{capital(name)} may not be charged. Take it out"
        elif action.amount_minor > most:
            limit = f"{capital(name)} may be {money(most, policy.currency)} at the most{_smallest(demand)}"
            yield f"{limit}: here it is {units(action.amount_minor)}. Write amount: {units(most)}, or less"
    if demand.sum_max is not None:
        total = sum(action.amount_minor for action in _fees(rule, path, 0, place + 1))
        if total > demand.sum_max:
            most = money(demand.sum_max, policy.currency)
            names = " and ".join(name_of(act, 2) for act in sorted(rule.targets))
            limit = f"{capital(names)} may come to {most} in {demand.sum_span}"
            yield f"{limit}: on this way they come to {units(total)}. Take one out, or lower them"


def check_count(rule: Rule, path: Path, place: int) -> Iterator[str]:
    """How often the rule's acts come on the path, the step included."""
    demand = rule.demand
    assert isinstance(demand, model.MaxCount)
    count = sum(act.name in rule.targets for step in path.steps[: place + 1] for act in acts_of(step))
    if count > demand.count:
        acts = " or ".join(some(act) for act in sorted(rule.targets))
        here = f"on this way {_times(count)}. Take {'one' if count - demand.count == 1 else count - demand.count} out"
        yield f"{capital(acts)} may come {_times(demand.count)} at most: {here}"


def _fees(rule: Rule, path: Path, first: int, end: int) -> Iterator[FeeAction]:
    wide = rule.targets & {"fee.any", "fee.any_other"}
    for step in path.steps[first:end]:
        for action in step.do:
            if isinstance(action, FeeAction) and (wide or FEE + action.fee in rule.targets):
                yield action


def units(minor: int) -> str:
    """Minor units as whole ones with two decimals."""
    return f"{minor // 100}.{minor % 100:02}"


def _smallest(demand: model.MaxAmount) -> str:
    return " for the smallest debt that gets here" if demand.bands else ""


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
