"""The picture's words: spans, actions, conditions and profiles said to a credit manager."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from relight.core.actions import Action, FeeAction, MessageAction, SupplyAction
from relight.core.conditions import (
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
from relight.core.money import format_amount
from relight.core.policy import Policy, Profile, Step
from relight.core.spans import Span

LANGUAGES = ("en", "nb")


@cache
def _texts() -> Mapping[str, Any]:
    return yaml.safe_load(resources.files("relight.core.show").joinpath("words.yaml").read_text("utf-8"))


class Words:
    """One language's words; raises KeyError for one that has none."""

    def __init__(self, language: str):
        if language not in LANGUAGES:
            raise KeyError(f"no pictures in {language!r}; there are {', '.join(LANGUAGES)}")
        self.language = language
        self.texts: Mapping[str, Any] = _texts()[language]

    def say(self, key: str, **params: object) -> str:
        """A text, filled in."""
        return str(self.texts[key]).format(**params)

    def name(self, code: str) -> str:
        """What a code is called; a partner's own code is shown as it is."""
        return str(self.texts["names"].get(code, code.replace("_", " ")))

    def span(self, span: Span) -> str:
        """A span of time: "4 weeks"."""
        one, many = self.texts["units"][span.unit.value]
        return f"{span.count} {one if span.count == 1 else many}"

    def whom(self, policy: Policy) -> str:
        """Whom the policy is for."""
        return self.say(
            "whom",
            debtor=self.texts["debtor"][policy.debtor],
            services=self.listed(self.name(kind) for kind in sorted(policy.services)),
            country=policy.country,
            actor=self.texts["actor"][policy.actor],
            laws=", ".join(policy.laws),
        )

    def wait(self, policy: Policy, step: Step) -> str:
        """How long a step waits, and for what."""
        told = self.say("first_wait" if step.base == "due" else "later_wait", span=self.span(step.after))
        return f"{told}, {self.say('settle', span=self.span(policy.settle))}" if step.cuts else told

    def action(self, action: Action, policy: Policy) -> str:
        """What an action does."""
        texts = self.texts["actions"]
        match action:
            case MessageAction():
                channels = self.texts["channels"][action.mode].format(list=self.listed(map(self.name, action.channels)))
                term = texts["term"].format(span=self.span(action.term)) if action.term else ""
                return texts["message"].format(name=self.name(action.template), channels=channels) + term
            case SupplyAction(level):
                return texts["supply"][level.value]
            case FeeAction(fee, amount):
                return texts["fee"].format(name=self.name(fee), amount=self.money(amount, policy))
            case _:
                span = getattr(action, "within", None) or getattr(action, "term", None)
                told = self.span(span) if isinstance(span, Span) else ""
                return texts[action.kind].format(name=self.name(_named(action)), span=told)

    def gates(self, policy: Policy, step: Step) -> tuple[str, ...]:
        """What has to hold before the step is taken."""
        texts, told = self.texts["gates"], list[str]()
        if step.when != AllOf(()):
            told.append(texts["when"].format(condition=self.condition(step.when, policy)))
        if step.window is not None:
            days = ", ".join(self.texts["weekdays"][day] for day in sorted(step.window.weekdays))
            hours = [_clock(minute) for minute in (step.window.opens_minute, step.window.closes_minute)]
            told.append(texts["window"].format(days=days, opens=hours[0], closes=hours[1]))
        if step.approval != "none":
            told.append(texts["approval"][step.approval])
        return tuple(told)

    def condition(self, condition: Condition, policy: Policy) -> str:
        """A condition in words."""
        texts = self.texts["conditions"]
        match condition:
            case AllOf(()):
                return texts["otherwise"]
            case AllOf(parts):
                return f" {texts['and']} ".join(self.condition(part, policy) for part in parts)
            case AnyOf(parts):
                return f" {texts['or']} ".join(self.condition(part, policy) for part in parts)
            case Not(part):
                return texts["not"].format(what=self.condition(part, policy))
            case Between():
                return self._between(condition, policy)
            case _:
                return self._membership(condition)

    def _between(self, leaf: Between, policy: Policy) -> str:
        texts, told = self.texts["conditions"], list[str]()
        for key, bound in (("at_least", leaf.min), ("at_most", leaf.max)):
            if bound is not None:
                shown = self.money(bound, policy) if leaf.fact == "arrears" else str(bound)
                told.append(texts[key].format(what=texts[leaf.fact], least=shown, most=shown))
        return f" {texts['and']} ".join(told)

    def _membership(self, leaf: Flags | ProfileIn | MonthIn | Reach | SupplyIn) -> str:
        texts = self.texts["conditions"]
        match leaf:
            case Flags(quantifier, names):
                key = "all_flags" if quantifier == "all" else quantifier
                return texts[key].format(list=self.listed(map(self.name, names)))
            case ProfileIn(names):
                return texts["profile"].format(list=self.listed(sorted(names)))
            case MonthIn(months):
                return texts["month"].format(list=self.listed(str(month) for month in sorted(months)))
            case Reach(_, channels):
                return texts["reach"].format(list=self.listed(map(self.name, channels)))
            case SupplyIn(levels):
                return texts["supply"].format(list=self.listed(map(self.name, sorted(levels))))

    def least(self, span: Span, act: str) -> str:
        """The time that the law asks for."""
        key = "due" if act == "due" else "other"
        return self.texts["least"][key].format(span=self.span(span), act=self.name(act))

    def profile(self, name: str, profile: Profile) -> str:
        """What a profile changes."""
        texts, told = self.texts["profile_parts"], list[str]()
        if profile.skip:
            told.append(texts["skip"].format(list=self.listed(sorted(profile.skip))))
        if profile.delay is not None:
            told.append(texts["delay"].format(span=self.span(profile.delay)))
        if profile.tone is not None:
            told.append(texts["tone"].format(tone=self.name(profile.tone)))
        return self.say("profile", name=name, told=", ".join(told) or texts["none"])

    def holds(self, policy: Policy) -> str:
        """How far holds reach; empty when the policy names none."""
        told = [f"{self.name(name)} ({self.texts['hold_scope'][scope]})" for name, scope in policy.holds.items()]
        return self.say("holds", list=", ".join(told)) if told else ""

    def ends(self, policy: Policy) -> str:
        """When a service comes back, and when the case is over."""
        ends = self.texts["end"]
        return self.say("ends", restore=ends[policy.restore_when], close=ends[policy.close_when])

    def money(self, minor: int, policy: Policy) -> str:
        """An amount as people read it."""
        return format_amount(minor, policy.currency, self.language)

    def listed(self, parts: Iterable[str]) -> str:
        """ "a, b, c" """
        return ", ".join(parts)

    def days(self, days: tuple[int, int]) -> str:
        """ "day 12" or "day 12–15" """
        return self.say("day" if days[0] == days[1] else "days", least=days[0], most=days[1])


def _named(action: Action) -> str:
    for name in ("code", "to", "plan", "way", "request", "form"):
        found = getattr(action, name, "")
        if found:
            return str(found)
    return ""


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
