"""What is known of a plan that is agreed or running, and of pauses that are over."""

from datetime import date, datetime

from relight.core.plans.schedule import Instalment
from relight.core.records import record


@record
class PaidFacts:
    """What one payment (or credit) has paid of a plan's claims, in minor units, net of what was taken back."""

    day: date
    amount: int


@record
class PlanFacts:
    """A plan of the case: `state` is `agreed` or `running`. `told` is the last part that the customer was reminded of;
    `confirmed` whether they got the plan in writing; `open` whether its claims still owe anything."""

    id: int
    state: str
    instalments: tuple[Instalment, ...]
    paid: tuple[PaidFacts, ...] = ()
    told: int = 0
    confirmed: bool = False
    open: bool = True


@record
class PauseFacts:
    """A hold that is over: its days do not count. None in `claim_id`: the whole case. `broken_promise`: it was a
    promise to pay whose day has passed, and no decision has seen that yet."""

    id: int
    claim_id: int | None
    starts_at: datetime
    ends_at: datetime
    broken_promise: bool = False
