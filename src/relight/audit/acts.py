"""Which acts came about for a claim before a cut: letters that left and arrived, work that people did, day by day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from relight.audit.history import Basis, Cut, Earlier
from relight.audit.policies import Step

PLAN_OFFER = "plan_offer"
Day = Callable[[datetime], date]


@dataclass(frozen=True)
class Came:
    """An act that came about: the days on which it was sent and had arrived (for work: done), and by which ways."""

    sent: date
    arrived: date
    ways: frozenset[str]
    step: Earlier


def came_about(cut: Cut, claim: Basis, act: str, day: Day) -> list[Came]:
    """Every time that an act came about for a claim, oldest first. `day` gives the partner's date at a moment."""
    found: list[Came] = []
    for step in claim.earlier:
        defined = cut.policy.steps.get(step.name)
        if defined is None:
            continue
        for part, acts in enumerate(defined.acts):
            if act in acts:
                found += _of_part(step, defined, part, day)
    return found


def _of_part(step: Earlier, defined: Step, part: int, day: Day) -> list[Came]:
    if step.proof and step.completed_at is not None:  # taken over from another system
        return [Came(day(step.completed_at), day(step.completed_at), frozenset(), step)]
    sent = [one for one in step.sent if one.part == part and one.template in defined.templates]
    if sent:
        ways = frozenset(one.channel for one in sent)
        return [Came(day(max(one.at for one in sent)), day(max(one.arrived_at for one in sent)), ways, step)]
    offered = part < len(defined.acts) and PLAN_OFFER in defined.acts[part]  # a row of its own, which knows no part
    done = [one.done_at for one in step.tasks if one.part == part or (offered and one.code == PLAN_OFFER)]
    ways = frozenset({defined.ways[part]}) - {""}
    return [Came(day(done[0]), day(done[0]), ways, step)] if done else []
