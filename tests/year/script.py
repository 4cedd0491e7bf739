"""What happens to whom in a simulated year: bills, and how each of them is met. Pure: one seed, one year.

People and bills are the demo's. Each bill meets a fate, mostly its household's own; a fate is a list of acts, each on
its day. What an act amounts to may depend on the books of that day (a late payer pays what is open then).
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from random import Random

from relight.cli.demo.portfolio import Household, Invoice, households, invoices
from relight.core.calendars import calendar_for

KEEPS_ITS_HABIT = 0.8
CALENDAR = calendar_for("NO")


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody does about a bill: `kind` is a name of `acts.py`, `percent` of what it is about."""

    kind: str
    invoice: Invoice
    percent: int = 100
    nth: int = 1

    @property
    def key(self) -> str:
        """Its name in the year, once only."""
        return f"{self.kind}-{self.invoice.row.number}-{self.nth}"


Steps = tuple[tuple[int, str, int], ...]
"""Days after the due date, what is done, and how much of it in percent."""

FATES: dict[str, tuple[int, Steps]] = {  # share of a thousand
    "in time": (460, ((-2, "giro", 100),)),
    "by debit": (100, ((62, "giro_open", 100),)),  # the bank collects; what it could not is paid in the end
    "late": (120, ((9, "giro_open", 100),)),
    "very late": (90, ((38, "giro_open", 100),)),
    "by card": (60, ((12, "card", 100),)),
    "in parts": (40, ((0, "giro", 33), (16, "giro", 33), (45, "giro_open", 100))),
    "too much": (20, ((-1, "giro", 120),)),
    "twice": (20, ((-1, "giro", 100), (4, "giro", 100))),
    "bounced": (20, ((0, "giro", 100), (5, "bounce", 100), (24, "giro_open", 100))),
    "charged back": (10, ((8, "card", 100), (20, "charge_back", 100), (50, "giro_open", 100))),
    "nobody's": (20, ((-1, "stray", 100),)),
    "disputed": (20, ((3, "dispute", 100), (12, "credit", 50), (26, "giro_open", 100))),
    "cancelled": (5, ((6, "cancel", 100),)),
    "never": (15, ()),
}


@dataclass(frozen=True)
class Year:
    """So many accounts for so many days from a Monday."""

    accounts: int
    days: int
    seed: int
    start: date

    @cached_property
    def people(self) -> list[Household]:
        """Its households."""
        return households(self.accounts, self.seed)

    @cached_property
    def bills(self) -> dict[date, list[Invoice]]:
        """Every bill, by the day it comes."""
        found: dict[date, list[Invoice]] = defaultdict(list)
        for invoice in invoices(self.people, self.start, self.days, self.seed):
            found[max(invoice.issued, self.start)].append(invoice)
        return found

    @cached_property
    def acts(self) -> dict[date, list[Act]]:
        """Everything that is done about bills, by its day, in order."""
        found: dict[date, list[Act]] = defaultdict(list)
        for bills in self.bills.values():
            for invoice in bills:
                for day, act in self._fate(invoice):
                    found[day].append(act)
        return {day: sorted(acts, key=lambda act: act.key) for day, acts in found.items()}

    def is_collected(self, household: int) -> bool:
        """Whether a household has its bills collected by its bank."""
        return self._drawn(f"{self.seed}-habit-{household}") == "by debit"

    def each_day(self) -> Iterator[date]:
        """Its days in order."""
        return (self.start + timedelta(days=ahead) for ahead in range(self.days))

    def _fate(self, invoice: Invoice) -> Iterator[tuple[date, Act]]:
        own = self._drawn(f"{self.seed}-habit-{invoice.household}")
        draw = Random(f"{self.seed}-fate-{invoice.row.number}")
        name = own if draw.random() < KEEPS_ITS_HABIT else self._drawn(f"{self.seed}-other-{invoice.row.number}")
        for nth, (after, kind, percent) in enumerate(FATES[name][1], start=1):
            day = max(invoice.row.due_date + timedelta(days=after + draw.randint(0, 3)), self.start + timedelta(days=1))
            yield _banking_day(day), Act(kind, invoice, percent, nth)

    def _drawn(self, seed: str) -> str:
        return Random(seed).choices(list(FATES), [share for share, _ in FATES.values()])[0]


def _banking_day(day: date) -> date:
    while not CALENDAR.is_working_day(day):
        day += timedelta(days=1)
    return day
