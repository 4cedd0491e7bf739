"""What people cut or end by hand, where no driver does it: once it is due no more, what they have not done is asked of
nobody, and what they did is taken back by hand.

A service that a driver cut has a block, and is given back where that is lifted (restore.py); a cut by hand has none.
"""

from datetime import timedelta

from relight.core.actions import (
    Action,
    ContractTerminateAction,
    HandoverAction,
    RequestToGridAction,
    cuts,
    task_code,
)
from relight.core.decision import TaskDraft
from relight.core.draft import Draft
from relight.core.facts import CaseFacts, StepFacts
from relight.core.law import Reason
from relight.core.policy import Policy, Step
from relight.core.restore import may_give_back
from relight.core.standing import Standing

TAKEN_BACK_WITHIN = timedelta(hours=4)


def taking_back(action: Action) -> tuple[str, bool] | None:
    """The task that takes back what somebody carried out for an action, and whether it is urgent: power is."""
    match action:
        case RequestToGridAction("disconnect"):
            return "ask_to_reconnect", True
        case RequestToGridAction("end_of_supply"):
            return "take_back_end_of_supply", True
        case ContractTerminateAction():
            return "take_back_termination", False
        case HandoverAction():
            return "take_back_handover", False
        case _:
            return None


def spare_by_hand(draft: Draft, policy: Policy, facts: CaseFacts, at: Standing) -> None:
    """Where the policy's condition for giving back holds, nobody is cut by hand any more, and who was is given back. A
    contract whose step is complete stays ended, and its supply with it."""
    for taken in facts.steps:
        step = policy.by_name.get(taken.step) if taken.tasks else None
        if step is None or taken.id in draft.voided_steps:
            continue
        parts = _by_hand(step, taken)
        if parts:
            because = may_give_back(policy, facts, at)
            if because is None:
                return
            if "open" in parts.values():
                _withdraw(draft, taken, because)
            else:
                _give_back(draft, step, taken, because, [part for part, state in parts.items() if state == "done"])


def _by_hand(step: Step, taken: StepFacts) -> dict[int, str]:
    """How far people are with the parts of a step that cut, by part. Whatever part of this version a task's number
    names, it counts only where it asks for the same: another version, from which the case was moved, may have asked
    for something else there."""
    parts = {
        task.part: (step.do[task.part], task.state)
        for task in taken.tasks
        if task.part < len(step.do) and task.code == task_code(step.do[task.part])
    }
    return {part: state for part, (action, state) in parts.items() if cuts(action) and taking_back(action)}


def _withdraw(draft: Draft, taken: StepFacts, because: Reason) -> None:
    """With a step go its tasks, and what was done of it is asked back."""
    draft.voided_steps += (taken.id,)
    told = {"step": taken.step, "number": taken.number}
    draft.event("step_withdrawn", told, (because,), keep_facts=True)


def _give_back(draft: Draft, step: Step, taken: StepFacts, because: Reason, done: list[int]) -> None:
    if any(isinstance(step.do[part], ContractTerminateAction) for part in done):
        return
    asked = {task.part for task in taken.tasks}
    beside = len(step.do)  # behind the step's own parts: that it was asked for is seen there
    back = [(part, task) for part in done if beside + part not in asked and (task := taking_back(step.do[part]))]
    if back:
        told = {"step": taken.step, "number": taken.number}
        draft.event("taken_back_by_hand", told, (because,), keep_facts=True)
    for part, (code, is_urgent) in back:
        dedup, params = f"{code}-{draft.facts.case_id}-{taken.number}-{part}", {"step": taken.step}
        draft.tasks += (
            TaskDraft(
                code,
                draft.now + TAKEN_BACK_WITHIN,
                dedup,
                urgent=is_urgent,
                step_number=taken.number,
                part=beside + part,
                params=params,
            ),
        )
