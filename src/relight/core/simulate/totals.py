"""What a what-if comes to, in counts and minor units: sums that can be added up from any number of parts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from relight.core.records import by_fields

LATEST_DAY = 180  # payments later than this after the due date count with it


@dataclass(slots=True)
class Totals:
    """Counts over all accounts and days. `days_to_cure` and `paid_by_day` are histograms by days."""

    accounts: int = 0
    claims: int = 0
    decisions: int = 0
    billed: int = 0
    opened: int = 0
    cured_cases: int = 0
    limited: int = 0
    cuts: int = 0
    restored: int = 0
    fees: int = 0
    tasks: int = 0
    disputes: int = 0
    plans: int = 0
    cost: int = 0
    paid_sum: int = 0
    credited: int = 0
    owed_at_end: int = 0
    messages: Counter[str] = field(default_factory=Counter[str])
    templates: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    days_to_cure: Counter[int] = field(default_factory=Counter[int])
    paid_by_day: Counter[int] = field(default_factory=Counter[int])

    def __reduce__(self) -> tuple[type[Any], tuple[Any, ...]]:
        return by_fields(self)

    def message(self, template: str, channel: str, cost: int) -> None:
        """A message left."""
        self.messages[channel] += 1
        self.templates[template] += 1
        self.cost += cost

    def cured(self, days: int) -> None:
        """A case was cured so many days after it opened."""
        self.cured_cases += 1
        self.days_to_cure[days] += 1

    def paid(self, amount: int, days: int) -> None:
        """So much was paid so many days after its due date; before it, the days are negative."""
        self.paid_sum += amount
        self.paid_by_day[min(days, LATEST_DAY)] += amount

    def held_back(self, reasons: Iterable[str]) -> None:
        """A step was refused or deferred."""
        self.reasons.update(reasons)

    def add(self, other: "Totals") -> None:
        """Add another part's sums."""
        for one in fields(self):
            mine: Any = getattr(self, one.name)
            theirs: Any = getattr(other, one.name)
            setattr(self, one.name, mine + theirs)  # numbers and counters alike

    def recovered_by(self, days: int) -> int:
        """What was paid until so many days after the due date, in minor units."""
        return sum(amount for day, amount in self.paid_by_day.items() if day <= days)

    def cure_days(self, percent: int) -> int | None:
        """The nearest-rank percentile of days from opening to cure; None without any."""
        rank, seen = -(-self.cured_cases * percent // 100), 0
        for days in sorted(self.days_to_cure):
            seen += self.days_to_cure[days]
            if seen >= rank > 0:
                return days
        return None

    def as_data(self) -> Mapping[str, Any]:
        """JSON-ready: counts, sums in minor units, and the histograms' shortest form."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        counters = ("messages", "templates", "reasons")
        data: dict[str, Any] = {key: value for key, value in plain.items() if not isinstance(value, Counter)}
        for name in counters:
            data[name] = dict(sorted(plain[name].items()))
        data["days_to_cure"] = {f"p{percent}": self.cure_days(percent) for percent in (50, 90)}
        data["recovered_by_day"] = {str(day): self.recovered_by(day) for day in (0, 7, 14, 30, 60, 90)}
        return data
