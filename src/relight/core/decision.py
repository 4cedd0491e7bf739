"""A decision: everything that one turn changes, as data for `record` to write in one go.

Drafts refer to events by `event`, the index in `Decision.events`; `record` gives the numbers.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import Any

from relight.core.law import Reason
from relight.core.levels import Level
from relight.core.records import record

Params = Mapping[str, Any]


@record
class EventDraft:
    """Something to put on the case's log. `keep_facts` for cuts, restores and refusals."""

    code: str
    params: Params = field(default_factory=dict[str, Any])
    reasons: tuple[Reason, ...] = ()
    keep_facts: bool = False


@record
class StepDraft:
    """A step taken by event `event`, for these claims with these sums (id, principal, costs)."""

    event: int
    step: str
    claims: tuple[tuple[int, int, int], ...]
    pay_by_date: date | None


@record
class EffectDraft:
    """A thing to do outside. `step_number` is that of an earlier step; None with `of_step`: the step of `event`."""

    event: int
    kind: str
    due_at: datetime
    lane: str = "bulk"
    part: int = 0
    of_step: bool = False
    step_number: int | None = None
    channel: str = ""
    template: str = ""
    service_id: int | None = None
    level: Level | None = None
    generation: int | None = None
    params: Params = field(default_factory=dict[str, Any])


@record
class BlockDraft:
    """A block on a service by the step of `event`."""

    event: int
    service_id: int
    level: Level


@record
class SupplyDraft:
    """What a service is to be from now on."""

    service_id: int
    desired: Level
    generation: int


@record
class FeeDraft:
    """A fee on a claim, in minor units."""

    event: int
    claim_id: int
    fee: str
    amount: int


@record
class TaskDraft:
    """Work for a person. One open task a `dedup`."""

    code: str
    due_at: datetime
    dedup: str
    urgent: bool = False
    event: int | None = None  # of a step taken in this turn
    step_number: int | None = None
    part: int | None = None
    params: Params = field(default_factory=dict[str, Any])


@record
class ApprovalDraft:
    """A yes that a step needs first."""

    step: str
    claims: tuple[int, ...]
    needs: int


@record
class OfferDraft:
    """An instalment plan that a step offers: the policy's template, the fewest and the most months before the law has
    its say, and the last day on which the customer may say yes."""

    event: int
    plan: str
    months: tuple[int, int]
    valid_until: date


@record
class PlanDraft:
    """What becomes of a plan: a new state ('' for none), the last part told of, and whether it was confirmed."""

    plan_id: int
    state: str
    told: int = 0
    confirmed: bool = False


@record
class Decision:
    """One turn of one case. Empty tuples everywhere but `wakes_at` mean: nothing to do yet.

    `changes_at` is the first moment from which the same facts can be answered otherwise; None: only other facts can.
    `wakes_at` is no later than seven days from now, in case that facts have changed and nobody said so.
    """

    case_id: int
    account_id: int
    version: int
    state: str
    wakes_at: datetime | None
    arrears: int
    step: str
    next_step: str
    next_at: datetime | None
    waits_for: str
    events: tuple[EventDraft, ...] = ()
    steps: tuple[StepDraft, ...] = ()
    effects: tuple[EffectDraft, ...] = ()
    completed_steps: tuple[tuple[int, datetime], ...] = ()
    voided_steps: tuple[int, ...] = ()
    blocks: tuple[BlockDraft, ...] = ()
    lifted_blocks: tuple[int, ...] = ()
    supplies: tuple[SupplyDraft, ...] = ()
    fees: tuple[FeeDraft, ...] = ()
    tasks: tuple[TaskDraft, ...] = ()
    approvals: tuple[ApprovalDraft, ...] = ()
    spent_approvals: tuple[int, ...] = ()
    lapsed_approvals: tuple[int, ...] = ()
    cancelled_effects: tuple[int, ...] = ()
    noted_payments: tuple[int, ...] = ()
    changes_at: datetime | None = None
    interest: tuple[int, ...] = ()  # claims whose late interest is named, and from then on claimed
    offers: tuple[OfferDraft, ...] = ()
    plans: tuple[PlanDraft, ...] = ()
    noted_holds: tuple[int, ...] = ()
    noted_sorry: int = 0  # the undone run whose apology goes out


def changes_nothing(decision: Decision) -> bool:
    """Whether there is nothing to write but when to look again, and what the case waits for."""
    return not (
        decision.events
        or decision.effects
        or decision.steps
        or decision.completed_steps
        or decision.voided_steps
        or decision.blocks
        or decision.lifted_blocks
        or decision.supplies
        or decision.fees
        or decision.tasks
        or decision.approvals
        or decision.spent_approvals
        or decision.lapsed_approvals
        or decision.cancelled_effects
        or decision.noted_payments
        or decision.offers
        or decision.plans
        or decision.noted_holds
        or decision.noted_sorry
    )
