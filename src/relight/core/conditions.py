"""Conditions: structured data over the facts' names, answered yes, no or unknown, with what each leaf said."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, assert_never

from relight.core.records import record


class Truth(StrEnum):
    """Three-valued (Kleene): unknown is not false. A step whose condition is unknown waits; it never runs."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


_YES, _NO, _UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN  # a member of an enumeration is slow to name
_OPPOSITE = {_YES: _NO, _NO: _YES, _UNKNOWN: _UNKNOWN}
_FLAGS = {"yes": _YES, "no": _NO}


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


@record
class Said:
    """What one leaf said: a code such as "condition.arrears", its own truth, and what it compared."""

    code: str
    truth: Truth
    params: Mapping[str, Param]


@record
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
        case AllOf(parts) | AnyOf(parts):
            verdicts = [evaluate(part, facts) for part in parts]
            rule = all_true if isinstance(condition, AllOf) else any_true
            said_all = tuple([said for verdict in verdicts for said in verdict.said])
            return Verdict(rule(verdict.truth for verdict in verdicts), said_all)
        case Not(part):
            inner = evaluate(part, facts)
            return Verdict(opposite(inner.truth), inner.said)
        case _:
            said = _say(condition, facts)
            return Verdict(said.truth, (said,))


def truth_of(condition: Condition, facts: ConditionFacts) -> Truth:
    """The answer alone, without a word of why: what is asked of every case, of which few need an explanation."""
    match condition:
        case AllOf(parts):
            return all_true([truth_of(part, facts) for part in parts])
        case AnyOf(parts):
            return any_true([truth_of(part, facts) for part in parts])
        case Not(part):
            return opposite(truth_of(part, facts))
        case _:
            return _answer(condition, facts)


def all_true(truths: Iterable[Truth]) -> Truth:
    """No if any is no, else unknown if any is unknown, else yes."""
    found = _YES
    for truth in truths:
        if truth is _NO:
            return _NO
        if truth is _UNKNOWN:
            found = _UNKNOWN
    return found


def any_true(truths: Iterable[Truth]) -> Truth:
    """Yes if any is yes, else unknown if any is unknown, else no."""
    found = _NO
    for truth in truths:
        if truth is _YES:
            return _YES
        if truth is _UNKNOWN:
            found = _UNKNOWN
    return found


def opposite(truth: Truth) -> Truth:
    """Yes for no, no for yes; unknown stays."""
    return _OPPOSITE[truth]


def _answer(leaf: Leaf, facts: ConditionFacts) -> Truth:
    match leaf:
        case Between(min=low, max=high):
            number = _number(leaf, facts)
            return _truth((low is None or number >= low) and (high is None or number <= high))
        case Flags(quantifier, names):
            return _quantified(quantifier, [_flag_truth(facts.flags.get(name, "unknown")) for name in names])
        case ProfileIn(names):
            return _truth(facts.profile in names)
        case MonthIn(months):
            return _truth(facts.month in months)
        case Reach(quantifier, channels):
            return _quantified(quantifier, [_truth(channel in facts.reach) for channel in channels])
        case SupplyIn(levels):
            return _truth(bool(levels & facts.levels)) if facts.levels else _UNKNOWN
        case _:
            assert_never(leaf)


def _number(leaf: Between, facts: ConditionFacts) -> int:
    match leaf.fact:
        case "arrears":
            return facts.arrears
        case "claims":
            return facts.claims
        case "oldest_days":
            return facts.oldest_days
        case _:
            assert_never(leaf.fact)


def _say(leaf: Leaf, facts: ConditionFacts) -> Said:
    """A leaf's answer with what it looked at and what it wanted, for those who read the reasons."""
    truth = _answer(leaf, facts)
    match leaf:
        case Between(min=low, max=high):
            bounds = {"min": low, "max": high}
            wanted = {name: bound for name, bound in bounds.items() if bound is not None}
            return _said(leaf.fact, truth, {"is": _number(leaf, facts), **wanted})
        case Flags(quantifier, names):
            return _said("flags", truth, {quantifier: names, **_flags_seen(names, facts.flags)})
        case ProfileIn(names):
            return _said("profile", truth, {"is": facts.profile, "in": _sorted(names)})
        case MonthIn(months):
            return _said("month", truth, {"is": facts.month, "in": tuple([str(month) for month in sorted(months)])})
        case Reach(quantifier, channels):
            return _said("reach", truth, {quantifier: channels, "is": _sorted(facts.reach)})
        case SupplyIn(levels):
            return _said("supply", truth, {"is": _sorted(facts.levels), "in": _sorted(levels)})
        case _:
            assert_never(leaf)


def _said(name: str, truth: Truth, params: Mapping[str, Param]) -> Said:
    return Said(f"condition.{name}", truth, params)


def _flags_seen(names: tuple[str, ...], flags: Mapping[str, str]) -> dict[str, Param]:
    """Of whom a flag says yes, and of whom nobody knows; nothing of those that say no."""
    truths = {name: _flag_truth(flags.get(name, "unknown")) for name in names}
    seen: dict[str, Param] = {}
    for wanted in (_YES, _UNKNOWN):
        found = tuple([name for name in names if truths[name] is wanted])
        if found:
            seen[wanted.value] = found
    return seen


def _flag_truth(value: str) -> Truth:
    return _FLAGS.get(value, _UNKNOWN)


def _quantified(quantifier: Quantifier, truths: list[Truth]) -> Truth:
    if quantifier == "all":
        return all_true(truths)
    found = any_true(truths)
    return found if quantifier == "any" else opposite(found)


def _truth(holds: bool) -> Truth:
    return _YES if holds else _NO


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))
