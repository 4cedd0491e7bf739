"""Policies drawn from a seed: a beginning and some changes, lawful and not.

A road is told by its name and the seeds of its changes: it can be made again, and shrunk by leaving changes out.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Any

from relight.core.policy import Policy
from relight.core.policy_reader import read_policy
from tests.agreement.bases import base_names, base_tree, lawful_names

SPANS = ("1 day", "3 days", "1 week", "10 days", "13 days", "14 days", "2 weeks", "15 days", "3 weeks", "27 days",
         "28 days", "4 weeks", "29 days", "30 days", "31 days", "1 month", "2 months", "1 working day",
         "3 working days", "5 working days", "15 hverdage", "8 werktage", "20 werktage")  # fmt: skip
_WAYS = ("phone", "visit", "any")
_CHANNELS: tuple[Any, ...] = (
    ["sms"], ["email"], ["letter"], ["sms", "email", "letter"], ["email", "letter"], "best", {"all": ["sms", "email"]},
    {"all": ["email", "letter"]}, {"all": ["sms", "letter"]},
)  # fmt: skip
_WINDOWS: tuple[dict[str, Any], ...] = (
    {"weekdays": ["mon", "tue", "wed", "thu"], "hours": [9, 14], "before_holidays": False},
    {"weekdays": ["tue"], "hours": [10, 11]},
    {"weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "hours": [0, 24], "holidays": True},
    {"weekdays": ["fri", "sat"], "hours": ["8:30", 17]},
)
_MESSAGES = ("reminder", "disconnect_notice", "friendly_reminder", "collection_warning", "termination_notice",
             "fourteen_day_letter", "disconnect_announcement", "contact_attempt", "plan_offer")  # fmt: skip
_BURDENS: tuple[dict[str, Any], ...] = (
    {"supply": "off"}, {"supply": "limited"}, {"supply": "walled_garden"}, {"handover": "agency"},
    {"contract_terminate": "service"}, {"request_to_grid": "disconnect"}, {"request_to_grid": "end_of_supply"},
)  # fmt: skip
_FEES = ("reminder", "collection_warning", "payment_demand", "collection_cost", "handoff", "compensation", "disconnect")
_CONDITIONS: tuple[dict[str, Any], ...] = (
    {"arrears": {"min": 300}}, {"claims": {"min": 2}}, {"arrears": {"min": 1000}, "claims": {"min": 2}},
    {"oldest_days": {"min": 40}}, {"season": {"in": ["spring", "summer", "autumn"]}}, {"not": {"month": {"in": [12]}}},
    {"any": [{"claims": {"min": 2}}, {"arrears": {"min": 500}}]}, {"flags": {"none": ["life_support"]}},
    {"reach": {"any": ["email", "letter"]}},
)  # fmt: skip

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Road:
    """A policy to be: where it begins, and the seeds of its changes in their order."""

    base: str
    changes: tuple[int, ...] = ()

    def tree(self) -> Tree:
        """The policy as a plain tree."""
        tree = base_tree(self.base)
        for seed in self.changes:
            dice = Random(seed)
            dice.choice(_CHANGES)(dice, tree)
        tree["policy"] = "drawn"
        return tree

    def text(self) -> str:
        """The policy, as its reader takes it."""
        return as_yaml(self.tree())

    def policy(self) -> Policy | None:
        """The compiled policy; None where the changes made none of it (a step that no road reaches)."""
        read = read_policy(self.text())
        return read if isinstance(read, Policy) else None


def draw_road(seed: int) -> Road:
    """A road whose policy can be read. Most begin lawfully and have few changes, so that about half pass the proof."""
    dice = Random(f"road-{seed}")
    while True:
        count = dice.choice((0, 1, 1, 1, 2, 2, 3, 4, 6))
        begins = base_names() if dice.random() < 0.45 else lawful_names()
        road = Road(dice.choice(begins), tuple(dice.randrange(1 << 30) for _ in range(count)))
        if road.policy() is not None:
            return road


def shrink(road: Road, still: Callable[[Road], bool]) -> Road:
    """The road with every change left out that is not needed for `still` to hold."""
    for seed in road.changes:
        smaller = replace(road, changes=tuple(one for one in road.changes if one != seed))
        if smaller.policy() is not None and still(smaller):
            road = smaller
    return road


def as_yaml(tree: object) -> str:
    """A tree as YAML on one line."""
    match tree:
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)}: {as_yaml(value)}" for key, value in tree.items()) + "}"
        case list():
            return "[" + ", ".join(as_yaml(value) for value in tree) + "]"
        case Decimal():
            return f"{tree:f}"
        case _:
            return json.dumps(tree)


# -- the changes


def _name(dice: Random, tree: Tree) -> str:
    return dice.choice(list(tree["steps"]))


def _wait(dice: Random, tree: Tree) -> None:
    tree["steps"][_name(dice, tree)]["after"] = dice.choice(SPANS)


def _longer(dice: Random, tree: Tree) -> None:
    """Ten to thirty days more, which break nothing but what is too old."""
    step = tree["steps"][_name(dice, tree)]
    count, _, unit = step["after"].partition(" ")
    step["after"] = f"{int(count) + dice.choice((1, 2, 3, 10))} {unit if unit.endswith(('s', 'e')) else unit + 's'}"


def _drop_step(dice: Random, tree: Tree) -> None:
    name = _name(dice, tree)
    if len(tree["steps"]) < 2:
        return
    del tree["steps"][name]
    for step in tree["steps"].values():
        if "next" in step:
            step["next"] = [branch for branch in step["next"] if branch["step"] != name]
            if not step["next"]:
                del step["next"]
    for profile in tree.get("profiles", {}).values():
        profile["skip"] = [one for one in profile.get("skip", []) if one != name]
    tree["profiles"] = {key: value for key, value in tree.get("profiles", {}).items() if _says(value)}
    if not tree["profiles"]:
        del tree["profiles"]


def _says(profile: Tree) -> bool:
    if not profile.get("skip"):
        profile.pop("skip", None)
    return bool(profile)


def _drop_action(dice: Random, tree: Tree) -> None:
    do = tree["steps"][_name(dice, tree)]["do"]
    if len(do) > 1:
        do.pop(dice.randrange(len(do)))


def _messages(tree: Tree) -> list[Tree]:
    return [action for step in tree["steps"].values() for action in step["do"] if "message" in action]


def _channel(dice: Random, tree: Tree) -> None:
    found = _messages(tree)
    if found:
        dice.choice(found)["channel"] = dice.choice(_CHANNELS)


def _term(dice: Random, tree: Tree) -> None:
    found = _messages(tree)
    if not found:
        return
    action = dice.choice(found)
    if dice.random() < 0.3:
        action.pop("term", None)
    else:
        action["term"] = dice.choice(SPANS)


def _window(dice: Random, tree: Tree) -> None:
    step = tree["steps"][_name(dice, tree)]
    if dice.random() < 0.3:
        step.pop("window", None)
    else:
        step["window"] = dict(dice.choice(_WINDOWS))


def _approval(dice: Random, tree: Tree) -> None:
    tree["steps"][_name(dice, tree)]["approval"] = dice.choice(("none", "person", "two_people"))


def _condition(dice: Random, tree: Tree) -> None:
    step = tree["steps"][_name(dice, tree)]
    step.pop("when", None)
    if dice.random() < 0.6:
        step["when"] = dice.choice(_CONDITIONS)


def _profile(dice: Random, tree: Tree) -> None:
    profiles = tree.setdefault("profiles", {})
    drawn: Tree = {"tone": "warm"}
    if dice.random() < 0.7:
        drawn["skip"] = sorted({_name(dice, tree) for _ in range(dice.choice((1, 1, 2)))})
    if dice.random() < 0.5:
        drawn["delay"] = dice.choice(("1 day", "1 week", "1 month", "3 working days"))
    profiles[dice.choice(("vip", "careful", "spared"))] = drawn


def _branch(dice: Random, tree: Tree) -> None:
    names = list(tree["steps"])
    if len(names) < 3:
        return
    at = dice.randrange(len(names) - 2)
    ahead = dice.choice(names[at + 2 :])
    tree["steps"][names[at]]["next"] = [
        {"when": dice.choice(_CONDITIONS), "step": ahead}, {"step": names[at + 1]},
    ]  # fmt: skip


def _road_ends(dice: Random, tree: Tree) -> None:
    names = list(tree["steps"])
    tree["steps"][names[-1]].pop("next", None)
    if len(names) > 2:
        at = dice.randrange(len(names) - 2)
        tree["steps"][names[at]]["next"] = [{"step": names[at + 1]}]


def _pace(dice: Random, tree: Tree) -> None:
    key = dice.choice(("settle", "gap"))
    tree[key] = dice.choice(("1 day", "3 days", "3 working days", "5 working days", "1 week", "10 days"))


def _contact(dice: Random, tree: Tree) -> None:
    tree["contact"] = {
        "weekdays": dice.choice((["mon", "tue", "wed", "thu", "fri"], ["tue", "thu"], ["mon", "sat"])),
        "hours": dice.choice(([9, 20], [8, 16], [10, 12])), "max_per_7_days": dice.choice((1, 2, 4, 9)),
    }  # fmt: skip


def _fee(dice: Random, tree: Tree) -> None:
    amount = Decimal(dice.choice(("5", "35", "37.50", "40", "60", "100", "140")))
    tree["steps"][_name(dice, tree)]["do"].append({"fee": dice.choice(_FEES), "amount": amount})


def _ask(dice: Random, tree: Tree) -> None:
    """One message more, in a step that is there."""
    tree["steps"][_name(dice, tree)]["do"].insert(
        0, {"message": dice.choice(_MESSAGES), "channel": dice.choice(_CHANNELS), "term": dice.choice(SPANS)}
    )


def _work(dice: Random, tree: Tree) -> None:
    """Something more for a person to do."""
    drawn = dice.choice(
        (
            {"contact_attempt": dice.choice(_WAYS)},
            {"plan_offer": "standard"},
            {"signal": "municipality"},
            {"task": "look"},
        )
    )
    tree["steps"][_name(dice, tree)]["do"].append(drawn)


def _step_more(dice: Random, tree: Tree) -> None:
    """A step somewhere on the way, or a burden at its end."""
    names = list(tree["steps"])
    at = dice.randrange(len(names) + 1)
    ends = at == len(names)
    do = [dice.choice(_BURDENS)] if ends else [{"message": dice.choice(_MESSAGES), "channel": dice.choice(_CHANNELS)}]
    drawn: Tree = {"after": dice.choice(SPANS), "do": do}
    items = list(tree["steps"].items())
    items.insert(at, (f"more{len(names)}", drawn))
    tree["steps"] = dict(items)


def _whom(dice: Random, tree: Tree) -> None:
    """The same road for somebody else: another debtor, actor or kind of service."""
    key = dice.choice(("debtor", "actor", "service"))
    tree["for"][key] = {
        "debtor": lambda: dice.choice(("consumer", "business")),
        "actor": lambda: dice.choice(("grid_company", "supplier", "network", "agency")),
        "service": lambda: [dice.choice(("broadband", "electricity", "electricity_grid", "gas", "water", "heat"))],
    }[key]()


def _ending(dice: Random, tree: Tree) -> None:
    tree[dice.choice(("restore_when", "close_when"))] = dice.choice(("zero", "past_due", "latest_claim"))


def _opens(dice: Random, tree: Tree) -> None:
    tree["opens"] = {"overdue": dice.choice(("1 day", "5 days", "2 weeks"))}
    if dice.random() < 0.7:
        tree["opens"]["arrears"] = {"min": dice.choice((20, 50, 400))}


_CHANGES: tuple[Callable[[Random, Tree], None], ...] = (
    _wait, _wait, _longer, _longer, _longer, _drop_step, _drop_action, _channel, _term, _term, _window, _window,
    _approval, _condition, _profile, _profile, _branch, _road_ends, _pace, _contact, _fee, _ask, _work, _step_more,
    _whom, _ending, _opens,
)  # fmt: skip
