"""What a step may do: the twelve actions of a policy, as plain data for `decide` to turn into effects."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from relight.core.levels import Level
from relight.core.spans import Span

ChannelMode = Literal["best", "first", "all"]
Tone = Literal["warm", "neutral", "firm"]
ContactWay = Literal["phone", "visit", "any"]
TerminateScope = Literal["service", "account"]
GridRequest = Literal["disconnect", "reconnect", "end_of_supply"]
SecurityForm = Literal["deposit", "guarantee", "prepayment"]


@dataclass(frozen=True, slots=True)
class MessageAction:
    """Send a template. `best` lets the engine choose among `channels`, `first` tries them in order until one reaches
    the customer, `all` sends on every one. `term` is the time to pay that the text gives, when it gives one."""

    kind: ClassVar[Literal["message"]] = "message"
    template: str
    channels: tuple[str, ...]
    mode: ChannelMode = "best"
    tone: Tone | None = None  # None: the profile's tone, else neutral
    term: Span | None = None


@dataclass(frozen=True, slots=True)
class SupplyAction:
    """Set the unpaid service to a level."""

    kind: ClassVar[Literal["supply"]] = "supply"
    level: Level


@dataclass(frozen=True, slots=True)
class FeeAction:
    """Charge a fee, in minor units of the policy's currency."""

    kind: ClassVar[Literal["fee"]] = "fee"
    fee: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class TaskAction:
    """Ask a person to do something, in time."""

    kind: ClassVar[Literal["task"]] = "task"
    code: str
    within: Span


@dataclass(frozen=True, slots=True)
class HandoverAction:
    """Hand the claims over to a collection agency, by the name the partner gave it."""

    kind: ClassVar[Literal["handover"]] = "handover"
    to: str


@dataclass(frozen=True, slots=True)
class PlanOfferAction:
    """Offer an instalment plan, by the name of the partner's plan template. `months`: the shortest and the longest that
    the customer may choose; None where the law's own table, or else a person, says."""

    kind: ClassVar[Literal["plan_offer"]] = "plan_offer"
    plan: str
    months: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ContactAttemptAction:
    """Have a person try to reach the customer; done when the attempt is on record, answered or not."""

    kind: ClassVar[Literal["contact_attempt"]] = "contact_attempt"
    way: ContactWay
    within: Span


@dataclass(frozen=True, slots=True)
class SignalAction:
    """Tell someone who can help, such as the municipality."""

    kind: ClassVar[Literal["signal"]] = "signal"
    to: str


@dataclass(frozen=True, slots=True)
class ContractTerminateAction:
    """End the contract: of the unpaid service alone, or of the account."""

    kind: ClassVar[Literal["contract_terminate"]] = "contract_terminate"
    scope: TerminateScope


@dataclass(frozen=True, slots=True)
class RequestToGridAction:
    """A supplier's request to the grid company, who alone may touch the supply."""

    kind: ClassVar[Literal["request_to_grid"]] = "request_to_grid"
    request: GridRequest


@dataclass(frozen=True, slots=True)
class SecurityDemandAction:
    """Demand security for what comes, with a term to give it."""

    kind: ClassVar[Literal["security_demand"]] = "security_demand"
    form: SecurityForm
    term: Span


@dataclass(frozen=True, slots=True)
class WorkOrderAction:
    """Send someone out, such as a fitter to a meter without a switch."""

    kind: ClassVar[Literal["work_order"]] = "work_order"
    code: str
    within: Span


Action = (
    MessageAction
    | SupplyAction
    | FeeAction
    | TaskAction
    | HandoverAction
    | PlanOfferAction
    | ContactAttemptAction
    | SignalAction
    | ContractTerminateAction
    | RequestToGridAction
    | SecurityDemandAction
    | WorkOrderAction
)


def task_code(action: Action) -> str:
    """What the task is called that asks a person for the action: by the policy's own code where it gives one."""
    return action.code if isinstance(action, TaskAction | WorkOrderAction) else action.kind


def cuts(action: Action) -> bool:
    """Whether the action takes a service away, wholly or in part, now or by asking another to."""
    match action:
        case SupplyAction(level):
            return level is not Level.FULL
        case RequestToGridAction(request):
            return request != "reconnect"
        case ContractTerminateAction():
            return True
        case _:
            return False


def burdens(action: Action) -> bool:
    """Whether the action may rest only on undisputed claims whose notices and terms are complete (DESIGN § 1)."""
    return cuts(action) or isinstance(action, FeeAction | HandoverAction)
