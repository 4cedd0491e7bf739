"""Checks that a policy makes sense: what a schema cannot say, such as a road that goes round or hours upside down."""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from relight.core.money import NotAnAmount, parse_amount
from relight.core.policy import STANDARD_PROFILE
from relight.core.policy_schema import Mistake
from relight.core.policy_tree import (
    ActionTree,
    BoundsTree,
    BranchTree,
    ConditionTree,
    Number,
    PlanTree,
    QuantifiedTree,
    StepTree,
)
from relight.core.yaml_tree import Path

Roads = Mapping[str, list[BranchTree] | None]  # each step's `next`; None when the following step comes next


def minutes(hour: int | str) -> int:
    """Minutes after midnight of 9, "9:30" or 24."""
    if isinstance(hour, int):
        return hour * 60
    hours, _, rest = hour.partition(":")
    return int(hours) * 60 + int(rest)


def check_step(path: Path, step: StepTree, currency: str, profiles: Iterable[str]) -> Iterator[Mistake]:
    """What is wrong within one step."""
    if "when" in step:
        yield from check_condition((*path, "when"), step["when"], currency, profiles)
    if "window" in step:
        yield from check_hours((*path, "window", "hours"), step["window"]["hours"])
    for number, action in enumerate(step["do"]):
        yield from _check_action((*path, "do", number), action, currency)
    for number, branch in enumerate(step.get("next", [])):
        if "when" in branch:
            yield from check_condition((*path, "next", number, "when"), branch["when"], currency, profiles)


def check_hours(path: Path, hours: list[int | str]) -> Iterator[Mistake]:
    """A window opens before it closes."""
    opens, closes = hours
    if minutes(opens) >= minutes(closes):
        remedy = "write the earlier one first; a window does not run past midnight"
        yield Mistake(path, f"the window opens at {opens} and closes at {closes}", remedy)


def check_amount(path: Path, amount: Number, currency: str) -> Iterator[Mistake]:
    """An amount is a whole number of minor units."""
    try:
        parse_amount(str(amount), currency)
    except NotAnAmount as refusal:
        yield Mistake(path, str(refusal), "write at most two decimals")


def check_condition(path: Path, tree: ConditionTree, currency: str, profiles: Iterable[str]) -> Iterator[Mistake]:
    """What no case could ever meet, here and in every part."""
    yield from _check_leaves(path, tree, currency)
    for number, name in enumerate(tree["profile"]["in"] if "profile" in tree else ()):
        if name not in profiles and name != STANDARD_PROFILE:
            remedy = f"name it under profiles; there are {_list([*profiles, STANDARD_PROFILE])}"
            yield Mistake((*path, "profile", "in", number), f"no profile is called {name!r}", remedy)
    for number, part in enumerate(tree.get("all", [])):
        yield from check_condition((*path, "all", number), part, currency, profiles)
    for number, part in enumerate(tree.get("any", [])):
        yield from check_condition((*path, "any", number), part, currency, profiles)
    if "not" in tree:
        yield from check_condition((*path, "not"), tree["not"], currency, profiles)


def check_road(roads: Roads) -> Iterator[Mistake]:
    """Every `next` leads to a step, no road goes round, and every step is on one."""
    for name, branches in roads.items():
        yield from _check_branches(("steps", name, "next"), branches or [], roads)
    cycle = _cycle(roads)
    if cycle:
        remedy = "a road may branch and must end; let next lead onwards"
        yield Mistake(("steps", cycle[-2], "next"), f"the road goes round: {' → '.join(cycle)}", remedy)
    reached = _reached(roads)
    for name in roads:
        if name not in reached:
            yield Mistake(("steps", name), f"no road leads to step {name!r}", "name it in a next, or take it out", True)


def check_skips(skips: Mapping[str, list[str]], steps: Iterable[str]) -> Iterator[Mistake]:
    """A profile skips steps that exist."""
    known = list(steps)
    for profile, names in skips.items():
        for number, name in enumerate(names):
            if name not in known:
                path = ("profiles", profile, "skip", number)
                yield Mistake(path, f"no step is called {name!r}", f"the steps are {_list(known)}")


def _check_action(path: Path, action: ActionTree, currency: str) -> Iterator[Mistake]:
    if "amount" in action:
        yield from check_amount((*path, "amount"), action["amount"], currency)
        if action["amount"] == 0:
            yield Mistake((*path, "amount"), "a fee of nothing is no fee", "leave the action out")
    if "months" in action:
        yield from _check_months((*path, "months"), action["months"])


def check_plan(path: Path, plan: PlanTree, currency: str) -> Iterator[Mistake]:
    """A plan template's months are in order, and its bands reach from small debts to any."""
    if "months" in plan and "bands" in plan:
        yield Mistake((*path, "bands"), "months and bands say the same twice", "keep one of them")
    if "months" in plan:
        yield from _check_months((*path, "months"), plan["months"])
    if "least" in plan:
        yield from check_amount((*path, "least"), plan["least"], currency)
    over: Number = 0
    bands = plan.get("bands", [])
    for number, band in enumerate(bands):
        here = (*path, "bands", number)
        yield from _check_months((*here, "months"), band["months"])
        if "upto" in band:
            yield from check_amount((*here, "upto"), band["upto"], currency)
        if ("upto" in band) == (number == len(bands) - 1):
            yield Mistake(here, "the last band is for any sum, and no other", "leave upto out of the last one alone")
        elif "upto" in band and band["upto"] <= over:
            yield Mistake((*here, "upto"), f"{band['upto']} is not more than the band before", "go from small to large")
        over = band.get("upto", over)


def _check_leaves(path: Path, tree: ConditionTree, currency: str) -> Iterator[Mistake]:
    bounds = {"arrears": tree.get("arrears"), "claims": tree.get("claims"), "oldest_days": tree.get("oldest_days")}
    for fact, bound in bounds.items():
        if bound:
            yield from _check_bounds((*path, fact), bound)
    for side, amount in cast(dict[str, Number], tree.get("arrears", {})).items():
        yield from check_amount((*path, "arrears", side), amount, currency)
    for fact, quantified in {"flags": tree.get("flags"), "reach": tree.get("reach")}.items():
        if quantified:
            yield from _check_quantified((*path, fact), quantified)


def _check_months(path: Path, months: list[int]) -> Iterator[Mistake]:
    shortest, longest = months
    if shortest > longest:
        yield Mistake(path, f"{shortest} months are more than {longest}", "write the shortest plan first")


def _check_bounds(path: Path, bounds: BoundsTree) -> Iterator[Mistake]:
    if "min" in bounds and "max" in bounds and bounds["min"] > bounds["max"]:
        yield Mistake(path, f"min {bounds['min']} is more than max {bounds['max']}", "no case can ever meet this")


def _check_quantified(path: Path, tree: QuantifiedTree) -> Iterator[Mistake]:
    clash = sorted(set(tree.get("none", [])) & set(tree.get("all", [])))
    if clash:
        yield Mistake(path, f"{_list(clash)} stands under none and under all", "no case can ever meet this")


def _check_branches(path: Path, branches: list[BranchTree], roads: Roads) -> Iterator[Mistake]:
    for number, branch in enumerate(branches):
        if branch["step"] not in roads:
            yield Mistake(
                (*path, number, "step"), f"no step is called {branch['step']!r}", f"the steps are {_list(roads)}"
            )
        if "when" not in branch and number < len(branches) - 1:
            remedy = "put the branch without a condition last"
            yield Mistake((*path, number), "branches after this one are never tried", remedy)


def _onwards(roads: Roads) -> dict[str, list[str]]:
    names = list(roads)
    following = dict(zip(names, [[name] for name in names[1:]] + [[]], strict=True))
    return {
        name: following[name] if branches is None else [b["step"] for b in branches if b["step"] in roads]
        for name, branches in roads.items()
    }


def _reached(roads: Roads) -> set[str]:
    onwards, waiting = _onwards(roads), list(roads)[:1]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(onwards[name])
    return reached


def _cycle(roads: Roads) -> list[str]:
    """The first cycle, its first step repeated at the end; empty when there is none."""
    onwards, done = _onwards(roads), set[str]()

    def walk(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for onward in onwards[name]:
            if cycle := walk(onward, [*trail, name]):
                return cycle
        done.add(name)
        return []

    for name in roads:
        if cycle := walk(name, []):
            return cycle
    return []


def _list(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:12]) + (" …" if len(shown) > 12 else "")
