"""Another system's log as frozen data: what was done in a case, on which day, and what that is in law.

Amounts are minor units of the law pack's currency; days are the utility's local dates.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from relight.core.rules.acts import ANY_FEE, CONTACT, FEE

SETTLED = "settled"  # all was paid or withdrawn: what comes later begins anew
_LETTERS = frozenset(
    {
        "reminder", "friendly_reminder", "collection_warning", "payment_demand", "disconnect_notice",
        "disconnect_announcement", "termination_notice", "fourteen_day_letter", "plan_offer",
    }
)  # fmt: skip
# Which fee an amount on a row is, by what the row did; the first that fits. A notice of closing reminds, too.
_FEES = (
    ("collection_warning", "collection_warning"),
    ("reminder", "reminder"),
    ("payment_demand", "payment_demand"),
    ("disconnect_notice", "reminder"),
    ("restore", "reconnect"),
    ("agency_handoff", "handoff"),
    ("plan_offer", "plan"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row that could be read. None and empty mean that the log does not say.

    `owed`: what was owed in all; `fee`: what the step itself charged; `what`: the bill that it was about.
    """

    line: int
    case: str
    step: str
    day: date
    acts: frozenset[str]
    service: str = ""
    debtor: str = "consumer"
    what: str = ""
    owed: int | None = None
    fee: int | None = None
    due: date | None = None
    received: date | None = None
    pay_by: date | None = None
    channels: frozenset[str] = frozenset()

    @property
    def arrived(self) -> date:
        """The day of arrival; where the log does not say it, the earliest that it can have been."""
        return self.received or self.day


def acts_in_law(named: Iterable[str], *, charged: bool) -> frozenset[str]:
    """The acts that rules speak of, for what a step was called: its own, and those that they bring with them.

    `charged`: the row has an amount of its own, which is a fee.
    """
    acts = set(named)
    if acts & {"contact_attempt", "personal_contact"}:
        acts |= {"contact_attempt", "personal_contact"}
    if charged and acts and not any(act.startswith(FEE) for act in acts):
        acts.add(FEE + next((fee for act, fee in _FEES if act in acts), min(acts)))
    if any(act.startswith(FEE) for act in acts):
        acts.add(ANY_FEE)
    return frozenset(acts | {CONTACT}) if acts & _LETTERS else frozenset(acts)


def charges(acts: Iterable[str]) -> bool:
    """Whether one of the acts is a fee."""
    return any(act.startswith(FEE) for act in acts)
