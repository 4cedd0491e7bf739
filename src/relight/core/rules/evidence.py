"""Evidence: what a case's log shows of the acts that rules ask for, claim by claim.

Only what is done counts: a message that a channel took and that did not come back, a task that a person finished, a
step that was taken over with its proof. A voided step is not among the facts, so it proves nothing.
"""

from datetime import date, datetime

from relight.core.actions import ContactAttemptAction, FeeAction, MessageAction, PlanOfferAction, SupplyAction
from relight.core.facts import CaseFacts, StepFacts
from relight.core.parts import is_done
from relight.core.policy import Policy, Step
from relight.core.records import record
from relight.core.windows import local_date


@record
class Occurrence:
    """An act that came about: on which local day at the latest, by which ways, and in which step."""

    day: date
    ways: frozenset[str]
    taken: StepFacts


def occurrences(policy: Policy, facts: CaseFacts, claim_id: int | None, act: str) -> tuple[Occurrence, ...]:
    """Every time that an act came about for a claim (None: for any claim of the case), oldest first."""
    found: list[Occurrence] = []
    known = policy.by_name
    for taken in facts.steps:
        step = known.get(taken.step)
        if step is None or act not in step.act_names or not _covers(taken, claim_id):
            continue
        for one in step.acts:
            if one.name == act:
                done = _done(step, one.part, taken)
                if done is not None:
                    found.append(Occurrence(local_date(done[0], facts.partner.zone), done[1], taken))
    return tuple(found)


def _covers(taken: StepFacts, claim_id: int | None) -> bool:
    """Whether a step named a claim (None: any)."""
    if claim_id is None:
        return True
    for claim in taken.claims:  # noqa: SIM110 - a generator takes twice as long
        if claim.claim_id == claim_id:
            return True
    return False


def _done(step: Step, part: int, taken: StepFacts) -> tuple[datetime, frozenset[str]] | None:
    """When a part of a taken step was done, and how; None while it is not."""
    action = step.do[part]
    if not taken.effects and not taken.tasks and taken.completed_at is not None:  # taken over, with its proof
        return taken.completed_at, frozenset()
    match action:
        case MessageAction() | SupplyAction():
            effects = [effect for effect in taken.effects if effect.part == part]
            arrived = [effect for effect in effects if is_done(effect) and not effect.failed]
            if not arrived:
                return None
            moments = [effect.finished_at or taken.decided_at for effect in arrived]
            return max(moments), frozenset([effect.channel for effect in arrived if effect.channel])
        case FeeAction():
            return taken.decided_at, frozenset()
        case PlanOfferAction() if all(task.part != part for task in taken.tasks):
            return taken.decided_at, frozenset()
        case _:
            ways = frozenset({action.way}) if isinstance(action, ContactAttemptAction) else frozenset[str]()
            done = [task.done_at for task in taken.tasks if task.part == part and task.state == "done"]
            return (done[0], ways) if done and done[0] is not None else None
