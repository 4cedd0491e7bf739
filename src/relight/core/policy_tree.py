"""The form of a policy's tree once the schema has passed it: what the checks and the compiler may rely on.

Dictionaries with the keys of the file; docs/policy.md explains them.
"""

from decimal import Decimal
from typing import Literal, NotRequired, TypedDict

from relight.core.actions import ContactWay, GridRequest, SecurityForm, TerminateScope, Tone
from relight.core.policy import Actor, Approval, CaseEnd, Debtor, HoldScope

Number = int | Decimal


class BoundsTree(TypedDict):
    min: NotRequired[Number]
    max: NotRequired[Number]


InTree = TypedDict("InTree", {"in": list[str]})
MonthTree = TypedDict("MonthTree", {"in": list[int]})


class QuantifiedTree(TypedDict):
    none: NotRequired[list[str]]
    any: NotRequired[list[str]]
    all: NotRequired[list[str]]


class LevelTree(TypedDict):
    level: list[str]


ConditionTree = TypedDict(
    "ConditionTree",
    {
        "arrears": NotRequired[BoundsTree],
        "claims": NotRequired[BoundsTree],
        "oldest_days": NotRequired[BoundsTree],
        "flags": NotRequired[QuantifiedTree],
        "profile": NotRequired[InTree],
        "reach": NotRequired[QuantifiedTree],
        "season": NotRequired[InTree],
        "month": NotRequired[MonthTree],
        "supply": NotRequired[LevelTree],
        "all": NotRequired[list["ConditionTree"]],
        "any": NotRequired[list["ConditionTree"]],
        "not": NotRequired["ConditionTree"],
    },
)


class WindowTree(TypedDict):
    weekdays: list[str]
    hours: list[int | str]
    holidays: NotRequired[bool]
    before_holidays: NotRequired[bool]


class ContactTree(TypedDict, total=False):
    weekdays: list[str]
    hours: list[int | str]
    holidays: bool
    max_per_7_days: int


class ChannelsTree(TypedDict, total=False):
    best: list[str]
    first: list[str]
    all: list[str]


class ActionTree(TypedDict, total=False):
    message: str
    channel: str | list[str] | ChannelsTree
    tone: Tone
    term: str
    supply: str
    fee: str
    amount: Number
    task: str
    within: str
    handover: str
    plan_offer: str
    months: list[int]
    contact_attempt: ContactWay
    signal: str
    contract_terminate: TerminateScope
    request_to_grid: GridRequest
    security_demand: SecurityForm
    work_order: str


class BranchTree(TypedDict):
    when: NotRequired[ConditionTree]
    step: str


class StepTree(TypedDict):
    after: str
    when: NotRequired[ConditionTree]
    window: NotRequired[WindowTree]
    approval: NotRequired[Approval]
    do: list[ActionTree]
    next: NotRequired[list[BranchTree]]


class ArrearsTree(TypedDict):
    min: Number


class OpensTree(TypedDict):
    overdue: str
    arrears: NotRequired[ArrearsTree]


class ForTree(TypedDict):
    country: str
    service: list[str]
    debtor: Debtor
    actor: Actor


class ProfileTree(TypedDict, total=False):
    skip: list[str]
    tone: Tone
    delay: str


class MonthsTree(TypedDict):
    upto: NotRequired[Number]
    months: list[int]


class PlanTree(TypedDict, total=False):
    months: list[int]
    bands: list[MonthsTree]
    least: Number
    first: str
    grace: str
    remind: int
    valid: str


class PromiseTree(TypedDict, total=False):
    longest: str
    times: int


PolicyTree = TypedDict(
    "PolicyTree",
    {
        "policy": str,
        "for": ForTree,
        "law": NotRequired[list[str]],
        "opens": OpensTree,
        "restore_when": NotRequired[CaseEnd],
        "close_when": NotRequired[CaseEnd],
        "late_interest": NotRequired[Literal["none", "law"]],
        "contact": NotRequired[ContactTree],
        "settle": NotRequired[str],
        "gap": NotRequired[str],
        "steps": dict[str, StepTree],
        "holds": NotRequired[dict[str, HoldScope]],
        "profiles": NotRequired[dict[str, ProfileTree]],
        "plans": NotRequired[dict[str, PlanTree]],
        "promise": NotRequired[PromiseTree],
    },
)
