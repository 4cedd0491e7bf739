"""What a policy's picture shows, row by row: one content for the picture and for the text that screen readers read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from relight.core.calendars import Calendar, calendar_for, due_date
from relight.core.policy import STANDARD_PROFILE, Policy, Step
from relight.core.prove.clock import DUE, days_between
from relight.core.prove.paths import Path, paths
from relight.core.rules import model
from relight.core.rules.acts import acts_of
from relight.core.rules.lawbook import LawBook
from relight.core.rules.model import Rule
from relight.core.show.words import Words

_STARTS = tuple(date(2027, 1, 1) + timedelta(days=ahead) for ahead in range(365))

Days = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Least:
    """A time that the law asks for before a step, and what the policy takes, in calendar days (least, most)."""

    law: str
    told: str
    lawful: Days
    chosen: Days


@dataclass(frozen=True, slots=True)
class Row:
    """One step. `days` counts from the due date; `onwards` are the ways on: the condition and the step."""

    name: str
    days: Days
    wait: str
    does: tuple[str, ...]
    gates: tuple[str, ...]
    least: tuple[Least, ...]
    onwards: tuple[tuple[str, str], ...]
    cuts: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole policy. `profiles` and `holds` are told in a sentence each."""

    title: str
    whom: str
    rows: tuple[Row, ...]
    profiles: tuple[str, ...]
    holds: str
    ends: str


def picture(policy: Policy, book: LawBook, words: Words) -> Picture:
    """The content of a policy's picture, in the words' language."""
    calendar = calendar_for(policy.country)
    ways = [path for path in paths(policy) if path.profile == STANDARD_PROFILE]
    return Picture(
        title=policy.name,
        whom=words.whom(policy),
        rows=tuple(_row(policy, book, words, calendar, ways, step) for step in policy.steps),
        profiles=tuple(words.profile(name, profile) for name, profile in policy.profiles.items()),
        holds=words.holds(policy),
        ends=words.ends(policy),
    )


def _row(policy: Policy, book: LawBook, words: Words, calendar: Calendar, ways: Iterable[Path], step: Step) -> Row:
    on = [(path, path.steps.index(step)) for path in ways if step in path.steps]
    reached = [
        (days_between(policy, calendar, path, DUE, place, day)[-1] - day).days for path, place in on for day in _STARTS
    ]
    least = [one for rule in book.about(policy, step) for one in _least(policy, words, calendar, rule, on)]
    branches = policy.successors(step) if step.next is not None else ()
    return Row(
        name=step.name,
        days=(min(reached), max(reached)) if reached else (0, 0),
        wait=words.wait(policy, step),
        does=tuple(words.action(action, policy) for action in step.do),
        gates=words.gates(policy, step),
        least=tuple(least),
        onwards=tuple((words.condition(branch.when, policy), branch.step) for branch in branches),
        cuts=step.cuts,
    )


def _least(policy: Policy, words: Words, calendar: Calendar, rule: Rule, on: list[tuple[Path, int]]) -> Iterable[Least]:
    """What a rule asks for, and what the policy takes on the ways that lead to the step."""
    demand = rule.demand
    if not isinstance(demand, model.MinElapsed) or demand.span is None:
        return
    for anchor in demand.since:
        found = [(path, _place_of(path, place, anchor), place) for path, place in on]
        chosen = [
            (days_between(policy, calendar, path, first, place, day)[-1] - day).days
            for path, first, place in found
            if first is not None
            for day in _STARTS
        ]
        if chosen:
            lawful = [(due_date(calendar, day, demand.span) - day).days for day in _STARTS]
            told = words.least(demand.span, "due" if anchor.moment == "due" else anchor.of)
            yield Least(rule.law, told, (min(lawful), max(lawful)), (min(chosen), max(chosen)))


def _place_of(path: Path, end: int, anchor: model.Anchor) -> int | None:
    if anchor.moment == "due":
        return DUE
    found = [at for at in range(end) if any(one.name == anchor.of for one in acts_of(path.steps[at]))]
    return found[0] if found else None
