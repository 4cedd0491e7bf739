"""Conditions: structured data over the facts' names, answered yes, no or unknown, with what each leaf said."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, assert_never


class Truth(StrEnum):
    """Three-valued (Kleene): unknown is not false. A step whose condition is unknown waits; it never runs."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class ConditionFacts(Protocol):
    """What conditions may look at, all of one case at one moment.

    Amounts are minor units; `flags` hold "yes", "no" or "unknown" and an absent flag is unknown; `levels` are the
    desired levels of the services in question (empty: unknown); `month` is the partner's local month, 1 to 12.
    """

    @property
    def arrears(self) -> int: ...
    @property
    def claims(self) -> int: ...
    @property
    def oldest_days(self) -> int: ...
    @property
    def flags(self) -> Mapping[str, str]: ...
    @property
    def profile(self) -> str: ...
    @property
    def reach(self) -> frozenset[str]: ...
    @property
    def month(self) -> int: ...
    @property
    def levels(self) -> frozenset[str]: ...


Number = Literal["arrears", "claims", "oldest_days"]
Quantifier = Literal["none", "any", "all"]


@dataclass(frozen=True, slots=True)
class Between:
    """A number of the facts lies within both bounds, each included; None leaves that side open."""

    fact: Number
    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class Flags:
    """None, any or all of the named flags are yes."""

    quantifier: Quantifier
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProfileIn:
    """The case's profile is one of these."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class MonthIn:
    """The local month is one of these, 1 to 12."""

    months: frozenset[int]


@dataclass(frozen=True, slots=True)
class Reach:
    """None, any or all of these channels reach the customer."""

    quantifier: Quantifier
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SupplyIn:
    """At least one of the services is at one of these levels."""

    levels: frozenset[str]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; an empty one always does."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold; the opposite of unknown is unknown."""

    part: "Condition"


Leaf = Between | Flags | ProfileIn | MonthIn | Reach | SupplyIn
Condition = Leaf | AllOf | AnyOf | Not
ALWAYS = AllOf(())

Param = int | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What one leaf said: a code such as "condition.arrears", its own truth, and what it compared."""

    code: str
    truth: Truth
    params: Mapping[str, Param]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a whole condition, and what every leaf of it said, in the file's order."""

    truth: Truth
    said: tuple[Said, ...] = ()

    @property
    def holds(self) -> bool:
        """Only yes holds."""
        return self.truth is Truth.YES


def evaluate(condition: Condition, facts: ConditionFacts) -> Verdict:
    """Answer a condition. Every leaf is asked, so that an explanation is whole."""
    match condition:
        case AllOf(parts):
            return _combine(all_true, [evaluate(part, facts) for part in parts])
        case AnyOf(parts):
            return _combine(any_true, [evaluate(part, facts) for part in parts])
        case Not(part):
            inner = evaluate(part, facts)
            return Verdict(opposite(inner.truth), inner.said)
        case _:
            said = _ask(condition, facts)
            return Verdict(said.truth, (said,))


def all_true(truths: Iterable[Truth]) -> Truth:
    """No if any is no, else unknown if any is unknown, else yes."""
    seen = set(truths)
    if Truth.NO in seen:
        return Truth.NO
    return Truth.UNKNOWN if Truth.UNKNOWN in seen else Truth.YES


def any_true(truths: Iterable[Truth]) -> Truth:
    """Yes if any is yes, else unknown if any is unknown, else no."""
    return opposite(all_true(opposite(truth) for truth in truths))


def opposite(truth: Truth) -> Truth:
    """Yes for no, no for yes; unknown stays."""
    return {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.UNKNOWN: Truth.UNKNOWN}[truth]


def _combine(rule: Callable[[Iterable[Truth]], Truth], verdicts: list[Verdict]) -> Verdict:
    return Verdict(rule(verdict.truth for verdict in verdicts), tuple(said for v in verdicts for said in v.said))


def _ask(leaf: Leaf, facts: ConditionFacts) -> Said:
    match leaf:
        case Between():
            return _between(leaf, facts)
        case Flags(quantifier, names):
            return _flags(quantifier, names, facts.flags)
        case ProfileIn(names):
            return _said("profile", facts.profile in names, {"is": facts.profile, "in": _sorted(names)})
        case MonthIn(months):
            wanted = tuple(str(month) for month in sorted(months))
            return _said("month", facts.month in months, {"is": facts.month, "in": wanted})
        case Reach(quantifier, channels):
            truths = [_truth(channel in facts.reach) for channel in channels]
            reach: dict[str, Param] = {quantifier: channels, "is": _sorted(facts.reach)}
            return Said("condition.reach", _quantified(quantifier, truths), reach)
        case SupplyIn(levels):
            truth = _truth(bool(levels & facts.levels)) if facts.levels else Truth.UNKNOWN
            return Said("condition.supply", truth, {"is": _sorted(facts.levels), "in": _sorted(levels)})
        case _:
            assert_never(leaf)


def _between(leaf: Between, facts: ConditionFacts) -> Said:
    number = {"arrears": facts.arrears, "claims": facts.claims, "oldest_days": facts.oldest_days}[leaf.fact]
    holds = (leaf.min is None or number >= leaf.min) and (leaf.max is None or number <= leaf.max)
    params: dict[str, Param] = {"is": number}
    if leaf.min is not None:
        params["min"] = leaf.min
    if leaf.max is not None:
        params["max"] = leaf.max
    return _said(leaf.fact, holds, params)


def _flags(quantifier: Quantifier, names: tuple[str, ...], flags: Mapping[str, str]) -> Said:
    truths = [_flag_truth(flags.get(name, "unknown")) for name in names]
    params: dict[str, Param] = {quantifier: names}
    for wanted in (Truth.YES, Truth.UNKNOWN):
        found = tuple(name for name, truth in zip(names, truths, strict=True) if truth is wanted)
        if found:
            params[wanted.value] = found
    return Said("condition.flags", _quantified(quantifier, truths), params)


def _flag_truth(value: str) -> Truth:
    return {"yes": Truth.YES, "no": Truth.NO}.get(value, Truth.UNKNOWN)


def _quantified(quantifier: Quantifier, truths: list[Truth]) -> Truth:
    if quantifier == "all":
        return all_true(truths)
    found = any_true(truths)
    return found if quantifier == "any" else opposite(found)


def _said(name: str, holds: bool, params: Mapping[str, Param]) -> Said:
    return Said(f"condition.{name}", _truth(holds), params)


def _truth(holds: bool) -> Truth:
    return Truth.YES if holds else Truth.NO


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))
