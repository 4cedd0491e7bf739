"""Compiles a checked tree into a `Policy`: every default is filled in here, and nothing can fail any more."""

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from relight.core import actions
from relight.core.actions import Action, ChannelMode, MessageAction
from relight.core.conditions import (
    ALWAYS,
    AllOf,
    AnyOf,
    Between,
    Condition,
    Flags,
    MonthIn,
    Not,
    ProfileIn,
    Reach,
    SupplyIn,
)
from relight.core.levels import Level
from relight.core.money import COUNTRY_CURRENCY, parse_amount
from relight.core.plans.terms import Months, PlanTerms, PromiseTerms
from relight.core.policy import Branch, Contact, Opens, Policy, Profile, Step
from relight.core.policy_checks import minutes
from relight.core.policy_tree import (
    ActionTree,
    BoundsTree,
    BranchTree,
    ConditionTree,
    ContactTree,
    MonthsTree,
    Number,
    OpensTree,
    PlanTree,
    PolicyTree,
    ProfileTree,
    PromiseTree,
    StepTree,
    WindowTree,
)
from relight.core.spans import Span
from relight.core.windows import WEEKDAY_NAMES, Window

LANGUAGE_VERSION = 1  # part of the hash: raise it when a default below changes
DEFAULT_SETTLE = "3 working days"
DEFAULT_GAP = "3 days"
DEFAULT_WITHIN = "3 working days"
DEFAULT_CHANNELS = ("sms", "email", "letter")
DEFAULT_CONTACT_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
DEFAULT_CONTACT_HOURS: list[int | str] = [9, 20]
DEFAULT_MAX_PER_7_DAYS = 4
SEASONS = {"winter": (12, 1, 2), "spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11)}


def compile_policy(tree: PolicyTree) -> Policy:
    """The policy of a tree that the schema and the checks have passed."""
    whom, country = tree["for"], tree["for"]["country"]
    currency = COUNTRY_CURRENCY[country]
    return Policy(
        name=tree["policy"],
        hash=content_hash(tree),
        country=country,
        currency=currency,
        services=frozenset(whom["service"]),
        debtor=whom["debtor"],
        actor=whom["actor"],
        laws=tuple(tree.get("law", [country.lower()])),
        opens=_opens(tree["opens"], currency),
        restore_when=tree.get("restore_when", "zero"),
        close_when=tree.get("close_when", "zero"),
        steps=tuple(_step(name, step, currency, number) for number, (name, step) in enumerate(tree["steps"].items())),
        contact=_contact(tree.get("contact", ContactTree())),
        settle=Span.parse(tree.get("settle", DEFAULT_SETTLE)),
        gap=Span.parse(tree.get("gap", DEFAULT_GAP)),
        late_interest=tree.get("late_interest", "none") == "law",
        holds=dict(tree.get("holds", {})),
        profiles={name: _profile(profile) for name, profile in tree.get("profiles", {}).items()},
        plans={name: _plan(plan, currency) for name, plan in tree.get("plans", {}).items()},
        promise=_promise(tree.get("promise", PromiseTree())),
    )


def content_hash(tree: PolicyTree) -> str:
    """SHA-256 of what the file says: comments, layout and the order of anything but the steps do not matter."""
    ordered = {**tree, "steps": list(tree["steps"].items()), "language": LANGUAGE_VERSION}
    text = json.dumps(ordered, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_canonical)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: object) -> int | str:
    number = cast(Decimal, value)
    return int(number) if number == number.to_integral_value() else f"{number.normalize():f}"


def _opens(tree: OpensTree, currency: str) -> Opens:
    arrears_min = _minor(tree["arrears"]["min"], currency) if "arrears" in tree else None
    return Opens(overdue=Span.parse(tree["overdue"]), arrears_min=arrears_min)


def _contact(tree: ContactTree) -> Contact:
    window = WindowTree(
        weekdays=tree.get("weekdays", DEFAULT_CONTACT_WEEKDAYS),
        hours=tree.get("hours", DEFAULT_CONTACT_HOURS),
        holidays=tree.get("holidays", False),
    )
    return Contact(window=_window(window), max_per_7_days=tree.get("max_per_7_days", DEFAULT_MAX_PER_7_DAYS))


def _window(tree: WindowTree) -> Window:
    opens, closes = tree["hours"]
    return Window(
        weekdays=frozenset(WEEKDAY_NAMES.index(name) for name in tree["weekdays"]),
        opens_minute=minutes(opens),
        closes_minute=minutes(closes),
        on_holidays=tree.get("holidays", False),
        before_holidays=tree.get("before_holidays", True),
    )


def _profile(tree: ProfileTree) -> Profile:
    delay = Span.parse(tree["delay"]) if "delay" in tree else None
    return Profile(skip=frozenset(tree.get("skip", [])), tone=tree.get("tone"), delay=delay)


def _plan(tree: PlanTree, currency: str) -> PlanTerms:
    usual = PlanTerms()
    bands = tuple(
        Months(_minor(band["upto"], currency) if "upto" in band else None, *band["months"])
        for band in tree.get("bands", [MonthsTree(months=tree["months"])] if "months" in tree else [])
    )
    return PlanTerms(
        months=bands or usual.months,
        least=_minor(tree.get("least", 0), currency),
        first=Span.parse(tree["first"]) if "first" in tree else usual.first,
        grace=Span.parse(tree["grace"]) if "grace" in tree else usual.grace,
        remind_days=tree.get("remind", usual.remind_days),
        valid=Span.parse(tree["valid"]) if "valid" in tree else usual.valid,
    )


def _promise(tree: PromiseTree) -> PromiseTerms:
    usual = PromiseTerms()
    longest = Span.parse(tree["longest"]) if "longest" in tree else usual.longest
    return PromiseTerms(longest=longest, times=tree.get("times", usual.times))


def _step(name: str, tree: StepTree, currency: str, number: int) -> Step:
    return Step(
        name=name,
        after=Span.parse(tree["after"]),
        base="due" if number == 0 else "previous",
        when=_condition(tree.get("when"), currency),
        window=_window(tree["window"]) if "window" in tree else None,
        approval=tree.get("approval", "none"),
        do=tuple(_action(action, currency) for action in tree["do"]),
        next=tuple(_branch(branch, currency) for branch in tree["next"]) if "next" in tree else None,
    )


def _branch(tree: BranchTree, currency: str) -> Branch:
    return Branch(when=_condition(tree.get("when"), currency), step=tree["step"])


def _action(tree: ActionTree, currency: str) -> Action:
    kind = next(kind for kind in _ACTIONS if kind in tree)
    # Each reader looks only at the keys that the schema demands of, or allows, its own action.
    return _ACTIONS[kind](cast(dict[str, Any], tree), currency)


def _message(tree: dict[str, Any], _: str) -> MessageAction:
    mode, channels = _channels(cast(ActionTree, tree))
    term = Span.parse(tree["term"]) if "term" in tree else None
    return MessageAction(template=tree["message"], channels=channels, mode=mode, tone=tree.get("tone"), term=term)


def _channels(tree: ActionTree) -> tuple[ChannelMode, tuple[str, ...]]:
    channel = tree.get("channel", "best")
    if channel == "best":
        return "best", DEFAULT_CHANNELS
    if isinstance(channel, str):
        return "first", (channel,)
    if isinstance(channel, list):
        return "first", tuple(channel)
    mode, names = next(iter(channel.items()))
    return cast(ChannelMode, mode), tuple(cast(list[str], names))


def _within(tree: dict[str, Any]) -> Span:
    return Span.parse(tree.get("within", DEFAULT_WITHIN))


def _months(tree: dict[str, Any]) -> tuple[int, int] | None:
    if "months" not in tree:
        return None
    shortest, longest = tree["months"]
    return shortest, longest


_ACTIONS: dict[str, Callable[[dict[str, Any], str], Action]] = {
    "message": _message,
    "supply": lambda tree, _: actions.SupplyAction(Level(tree["supply"])),
    "fee": lambda tree, currency: actions.FeeAction(tree["fee"], _minor(tree["amount"], currency)),
    "task": lambda tree, _: actions.TaskAction(tree["task"], _within(tree)),
    "handover": lambda tree, _: actions.HandoverAction(tree["handover"]),
    "plan_offer": lambda tree, _: actions.PlanOfferAction(tree["plan_offer"], _months(tree)),
    "contact_attempt": lambda tree, _: actions.ContactAttemptAction(tree["contact_attempt"], _within(tree)),
    "signal": lambda tree, _: actions.SignalAction(tree["signal"]),
    "contract_terminate": lambda tree, _: actions.ContractTerminateAction(tree["contract_terminate"]),
    "request_to_grid": lambda tree, _: actions.RequestToGridAction(tree["request_to_grid"]),
    "security_demand": lambda tree, _: actions.SecurityDemandAction(tree["security_demand"], Span.parse(tree["term"])),
    "work_order": lambda tree, _: actions.WorkOrderAction(tree["work_order"], _within(tree)),
}


def _condition(tree: ConditionTree | None, currency: str) -> Condition:
    parts = tuple(_leaves(tree, currency)) if tree else ()
    if not parts:
        return ALWAYS
    return parts[0] if len(parts) == 1 else AllOf(parts)


def _leaves(tree: ConditionTree, currency: str) -> list[Condition]:
    leaves: list[Condition] = []
    if "arrears" in tree:
        low, high = _bounds(tree["arrears"], lambda amount: _minor(amount, currency))
        leaves.append(Between("arrears", low, high))
    if "claims" in tree:
        leaves.append(Between("claims", *_bounds(tree["claims"], int)))
    if "oldest_days" in tree:
        leaves.append(Between("oldest_days", *_bounds(tree["oldest_days"], int)))
    for quantifier, names in tree.get("flags", {}).items():
        leaves.append(Flags(cast(Any, quantifier), tuple(cast(list[str], names))))
    for quantifier, names in tree.get("reach", {}).items():
        leaves.append(Reach(cast(Any, quantifier), tuple(cast(list[str], names))))
    return leaves + _memberships(tree) + _compounds(tree, currency)


def _memberships(tree: ConditionTree) -> list[Condition]:
    leaves: list[Condition] = []
    if "profile" in tree:
        leaves.append(ProfileIn(frozenset(tree["profile"]["in"])))
    if "season" in tree:
        leaves.append(MonthIn(frozenset(month for season in tree["season"]["in"] for month in SEASONS[season])))
    if "month" in tree:
        leaves.append(MonthIn(frozenset(tree["month"]["in"])))
    if "supply" in tree:
        leaves.append(SupplyIn(frozenset(tree["supply"]["level"])))
    return leaves


def _compounds(tree: ConditionTree, currency: str) -> list[Condition]:
    parts: list[Condition] = []
    if "all" in tree:
        parts.append(AllOf(tuple(_condition(part, currency) for part in tree["all"])))
    if "any" in tree:
        parts.append(AnyOf(tuple(_condition(part, currency) for part in tree["any"])))
    if "not" in tree:
        parts.append(Not(_condition(tree["not"], currency)))
    return parts


def _bounds(tree: BoundsTree, read: Callable[[Number], int]) -> tuple[int | None, int | None]:
    return (
        read(tree["min"]) if "min" in tree else None,
        read(tree["max"]) if "max" in tree else None,
    )


def _minor(amount: Number, currency: str) -> int:
    return parse_amount(str(amount), currency)
