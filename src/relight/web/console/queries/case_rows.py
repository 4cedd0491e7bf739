"""What a case's page knows, as plain frozen rows. Amounts are minor units; moments are aware."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from relight.flow.claims.interest import Reckoned


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach the debtor; `ended_because` tells why one is no longer used."""

    channel: str
    value: str
    in_use: bool
    ended_because: str


@dataclass(frozen=True, slots=True)
class Head:
    """The case, its account and its customer."""

    id: int
    account_id: int
    account: str
    debtor: str
    profile: str
    currency: str
    credit: int
    creditor: str
    brand: str
    state: str
    lane: str
    version: int
    opened_at: datetime
    closed_at: datetime | None
    arrears: int
    step: str
    next_step: str
    next_at: datetime | None
    waits_for: tuple[str, ...]
    wakes_at: datetime | None
    policy: str
    policy_version: int
    services: tuple[str, ...]
    customer: str
    customer_ref: str
    customer_kind: str
    language: str
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the log. `step` and what follows it are set where the event took a step."""

    number: int
    code: str
    params: dict[str, Any]
    reasons: tuple[dict[str, Any], ...]
    actor: str
    at: datetime
    voids: int | None
    keeps_facts: bool
    policy_hash: str
    step: str | None
    completed_at: datetime | None
    pay_by_date: date | None
    voided_at: datetime | None

    @property
    def may_be_voided(self) -> bool:
        """Whether this is a step that still counts; giving back is never taken back."""
        return self.step not in (None, "restore") and self.voided_at is None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a claim."""

    text: str
    kind: str
    amount: int
    vat: int
    disputed: int
    counts_for_cut: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """An invoice; `step` is the last one that this case took for it."""

    id: int
    number: str
    reference: str
    service_kind: str
    amount: int
    principal: int
    costs: int
    interest: int
    disputed: int
    issued_date: date | None
    due_date: date
    deferred_to: date | None
    state: str
    settled_at: datetime | None
    lines: tuple[Line, ...]
    step: str | None
    pay_by_date: date | None
    reckoned: Reckoned | None = None  # how its late interest comes about, once a notice has named it

    @property
    def owed(self) -> int:
        """Principal, costs and interest together."""
        return self.principal + self.costs + self.interest


@dataclass(frozen=True, slots=True)
class BlockRow:
    """A reason why a service is below full."""

    reason: str
    level: str
    starts_at: datetime
    case_id: int | None


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the account, what it is to be and what was seen."""

    id: int
    kind: str
    product: str
    ref: str
    driver: str
    ends_at: datetime | None
    desired: str
    generation: int
    desired_at: datetime | None
    observed: str
    observed_at: datetime | None
    proof: str
    street: str | None
    postcode: str | None
    city: str | None
    serial: str | None
    blocks: tuple[BlockRow, ...]

    @property
    def agrees(self) -> bool:
        """Whether what was seen is what is wanted; a meter that waits for its button does as far as we can."""
        return self.observed in ("", self.desired) or (self.observed == "ready" and self.desired == "full")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at an effect."""

    number: int
    driver: str
    started_at: datetime
    finished_at: datetime | None
    result: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that was to be done outside."""

    id: int
    event_number: int
    step_number: int | None
    kind: str
    channel: str
    template: str
    service_id: int | None
    level: str
    generation: int | None
    state: str
    why: str
    due_at: datetime
    finished_at: datetime | None
    key: str
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as sent; `text` is None once retention has erased it."""

    id: int
    channel: str
    template: str
    language: str
    amount: int
    released_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    undeliverable_at: datetime | None
    event_number: int
    recipient: str
    subject: str
    text: str | None
    has_pdf: bool

    @property
    def fate(self) -> str:
        """How far it came: delivered, undeliverable, sent or released."""
        if self.undeliverable_at:
            return "undeliverable"
        if self.delivered_at:
            return "delivered"
        return "sent" if self.sent_at else "released"


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """What the customer wrote, and what it was taken to mean."""

    id: int
    channel: str
    sender: str
    text: str
    meaning: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """A pause on the case, a claim or a service."""

    id: int
    reason: str
    note: str
    starts_at: datetime
    ends_at: datetime | None
    review_date: date | None
    protective: bool
    placed_by: str
    ended_by: str
    amount: int | None
    claim: str | None
    service: str | None
    runs: bool


@dataclass(frozen=True, slots=True)
class Approval:
    """A yes that a step needs."""

    id: int
    step: str
    needs: int
    state: str
    requested_at: datetime
    requested_by: str
    decided_at: datetime | None
    decided_by: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Task:
    """Work for a person."""

    id: int
    code: str
    params: dict[str, Any]
    state: str
    urgent: bool
    created_at: datetime
    due_at: datetime
    done_at: datetime | None
    done_by: str
    note: str


@dataclass(frozen=True, slots=True)
class Payment:
    """Money as a source told of it."""

    id: int
    amount: int
    currency: str
    state: str
    value_date: date
    received_at: datetime
    confirmed_at: datetime | None
    booked_at: datetime | None
    returned_at: datetime | None
    source: str
    ref: str
    payer_name: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything on a case's page."""

    head: Head
    events: tuple[Event, ...]
    more_events: bool
    claims: tuple[Claim, ...]
    services: tuple[Service, ...]
    effects: tuple[Effect, ...]
    messages: tuple[Message, ...]
    answers: tuple[AnswerRow, ...]
    holds: tuple[Hold, ...]
    approvals: tuple[Approval, ...]
    tasks: tuple[Task, ...]
    payments: tuple[Payment, ...]
