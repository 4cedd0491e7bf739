"""Facts: all that is known about one case at one moment, as frozen data that `decide` and the guards read.

Amounts are minor units of the case's currency; moments are aware UTC datetimes; days are the partner's local dates.
Everything is in the order of its identifier, so that the same facts always hash the same.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from relight.core.calendars import Calendar
from relight.core.levels import Level
from relight.core.plans.facts import PauseFacts, PlanFacts
from relight.core.records import record


@record
class ServiceShare:
    """How much of a claim's open principal may count towards cutting one service."""

    service_id: int
    amount: int


@record
class ClaimFacts:
    """An open claim. `principal` and `costs` are what is owed now; `disputed` is the part under objection."""

    id: int
    number: str
    principal: int
    costs: int
    disputed: int
    due_date: date  # deferred_to, where that is later
    shares: tuple[ServiceShare, ...] = ()


@record
class StepClaimFacts:
    """A claim as a step named it; `raised` is by how much it has grown since, which the step did not name."""

    claim_id: int
    principal: int
    costs: int
    raised: int = 0


@record
class EffectFacts:
    """What became of one thing that a step wanted done. `state` is the effect's, but `done` for what a partner in
    shadow withholds (`why` says so): while it only looks, it looks at how things would go on. `finished_at` of a
    message is when it was delivered, or sent plus its channel's delivery time; `failed`: the channel could not deliver
    it after all."""

    id: int
    part: int
    kind: str
    channel: str
    state: str
    due_at: datetime
    template: str = ""
    finished_at: datetime | None = None
    failed: bool = False
    service_id: int | None = None
    generation: int | None = None
    why: str = ""


@record
class TaskFacts:
    """Work that a step gave to a person; the step goes on when it is done."""

    part: int
    code: str
    state: str
    done_at: datetime | None


@record
class StepFacts:
    """A step that the case took and nobody voided."""

    id: int
    number: int
    step: str
    decided_at: datetime
    completed_at: datetime | None
    pay_by_date: date | None
    claims: tuple[StepClaimFacts, ...]
    effects: tuple[EffectFacts, ...] = ()
    tasks: tuple[TaskFacts, ...] = ()


@record
class BlockFacts:
    """A reason why a service is below full. `case_id` is ours when the reason is arrears."""

    id: int
    reason: str
    level: Level
    case_id: int | None
    step_number: int | None
    starts_at: datetime


@record
class ServiceFacts:
    """A service of the account that this case may touch. `observed` is None while nobody has looked."""

    id: int
    kind: str
    desired: Level
    generation: int
    desired_at: datetime | None
    observed: Level | None
    observed_at: datetime | None
    controllable: bool  # it has a driver
    unsent: tuple[int, ...] = ()  # commands (effect ids) that have not left
    in_flight: bool = False
    gave_up: bool = False  # the last command of this generation was given up or refused
    left_behind: bool = False  # a service of another account has begun at its access point since
    untouched: bool = False  # no command was ever tried at it: what was decided about it is on paper only
    blocks: tuple[BlockFacts, ...] = ()

    @property
    def command_open(self) -> bool:
        """Whether a command is on its way or about to be."""
        return self.in_flight or bool(self.unsent)


# Reasons that are about a person and not about a bill: protective holds for them reach all that the person has with us.
PERSONAL_HOLDS = frozenset({"medical", "deceased", "debt_help", "breathing_space", "municipality", "wrong_person"})


@record
class HoldFacts:
    """A pause that covers this moment. None in `claim_id` and `service_id` means the whole case."""

    id: int
    reason: str
    claim_id: int | None
    service_id: int | None
    amount: int | None
    starts_at: datetime
    ends_at: datetime | None
    protective: bool


@record
class PaymentFacts:
    """A payment that a decision has not seen yet, or that is on its way (`ordered`, `authorised`)."""

    id: int
    amount: int
    state: str
    received_at: datetime
    noted: bool


@record
class ApprovalFacts:
    """What people said of a step. `claims` are those that they were shown."""

    id: int
    step: str
    state: str
    claims: frozenset[int]
    decided_at: datetime | None


@record
class AgencyFacts:
    """A collection agency or attorney as the partner noted it. `checked_until` is the last day of the newest look into
    the register; None: nobody has looked."""

    name: str
    title: str
    kind: str
    checked_until: date | None
    ended: bool = False


@record
class HandoverFacts:
    """Claims that were handed over by a step. `owed` is what is owed on them now; `lessened` is by how much they became
    less since then, but for what came through the agency; `told` is what of that the agency has been told."""

    id: int
    agency: str
    title: str
    state: str
    step_number: int
    claims: frozenset[int]
    owed: int
    lessened: int
    told: int
    wanted_back: str = ""  # why a person or the creditor wants it back
    is_open: bool = True  # the agency has it, or may have it
    is_leaving: bool = False  # the attempt at it has not ended
    was_withheld: bool = False  # it may have arrived, and was not to be sent again
    recall_sent: bool = False


@record
class ChargedFacts:
    """A fee that the account was charged within a year, in minor units, and that still stands. `elsewhere`: in another
    case than this one."""

    fee: str
    claim: str
    on: date
    amount: int
    elsewhere: bool


@record
class PartnerFacts:
    """What all cases of a partner share in one turn."""

    id: int
    country: str
    currency: str
    zone: ZoneInfo
    calendar: Calendar
    closed_dates: frozenset[date]
    money_complete_until: datetime | None  # the least of the required sources; None: never heard of one
    money_stale_after_hours: int
    stopped: bool  # by the partner's or the installation's switch
    shadow: bool  # decisions are made, effects are withheld
    agencies: tuple[AgencyFacts, ...] = ()

    def money_is_stale(self, now: datetime) -> bool:
        """Whether payments may have arrived that nobody has told us of."""
        if self.money_complete_until is None:
            return True
        return (now - self.money_complete_until).total_seconds() > self.money_stale_after_hours * 3600


@record
class CaseFacts:
    """One case at one moment."""

    case_id: int
    account_id: int
    state: str
    version: int
    debtor: str
    profile: str
    credit: int  # received on the account and not allocated
    partner: PartnerFacts
    waits_for: str = ""  # what the last decision waited for
    claims: tuple[ClaimFacts, ...] = ()
    steps: tuple[StepFacts, ...] = ()
    services: tuple[ServiceFacts, ...] = ()
    holds: tuple[HoldFacts, ...] = ()
    payments: tuple[PaymentFacts, ...] = ()
    approvals: tuple[ApprovalFacts, ...] = ()
    flags: Mapping[str, str] = field(default_factory=dict[str, str])
    reach: frozenset[str] = frozenset()
    contacted_at: tuple[datetime, ...] = ()  # the last seven days' messages that count towards the cap
    handovers: tuple[HandoverFacts, ...] = ()
    plans: tuple[PlanFacts, ...] = ()  # agreed or running
    pauses: tuple[PauseFacts, ...] = ()  # holds that are over
    charged: tuple[ChargedFacts, ...] = ()
    sorry: int = 0  # an undone run whose apology a person approved, and that this customer has not had

    def before(self, number: int) -> "CaseFacts":
        """The same without the steps from that number on: what was known when the step was decided."""
        # Written out: each message that leaves asks for it, and `replace` takes four times as long.
        return CaseFacts(
            self.case_id,
            self.account_id,
            self.state,
            self.version,
            self.debtor,
            self.profile,
            self.credit,
            self.partner,
            self.waits_for,
            self.claims,
            tuple([step for step in self.steps if step.number < number]),
            self.services,
            self.holds,
            self.payments,
            self.approvals,
            self.flags,
            self.reach,
            self.contacted_at,
            tuple([one for one in self.handovers if one.step_number < number]) if self.handovers else (),
            self.plans,
            self.pauses,
            self.charged,
            self.sorry,
        )

    def with_flags(self, flags: Mapping[str, str]) -> "CaseFacts":
        """The same with other flags."""
        return replace(self, flags=flags)
