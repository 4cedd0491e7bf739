"""Several seeds, one or two policies: means with intervals, and differences on the very same people.

All in whole minor units and whole counts; the interval is Student's, at 95 %, over the seeds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from relight.core.simulate.totals import Totals

# Student's t, two-sided 95 %, by degrees of freedom; beyond thirty the normal's is near enough.
_T = ("0", "12.706", "4.303", "3.182", "2.776", "2.571", "2.447", "2.365", "2.306", "2.262", "2.228", "2.201",
      "2.179", "2.160", "2.145", "2.131", "2.120", "2.110", "2.101", "2.093", "2.086", "2.080", "2.074", "2.069",
      "2.064", "2.060", "2.056", "2.052", "2.048", "2.045", "2.042")  # fmt: skip
_NORMAL = Decimal("1.960")

MEASURES: Mapping[str, Callable[[Totals], int]] = {
    "cases_opened": lambda t: t.opened,
    "cases_cured": lambda t: t.cured_cases,
    "days_to_cure_p50": lambda t: t.cure_days(50) or 0,
    "days_to_cure_p90": lambda t: t.cure_days(90) or 0,
    "messages": lambda t: t.messages.total(),
    "sms": lambda t: t.messages["sms"],
    "email": lambda t: t.messages["email"],
    "letter": lambda t: t.messages["letter"],
    "limited": lambda t: t.limited,
    "cuts": lambda t: t.cuts,
    "restored": lambda t: t.restored,
    "tasks": lambda t: t.tasks,
    "fees": lambda t: t.fees,
    "cost": lambda t: t.cost,
    "recovered_by_day_14": lambda t: t.recovered_by(14),
    "recovered_by_day_30": lambda t: t.recovered_by(30),
    "recovered_by_day_60": lambda t: t.recovered_by(60),
    "owed_at_end": lambda t: t.owed_at_end,
}
IN_MINOR_UNITS = frozenset({"fees", "cost", "recovered_by_day_14", "recovered_by_day_30", "recovered_by_day_60",
                            "owed_at_end"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over the seeds, and where it lies with 95 % certainty; with one seed nobody knows, and all three agree."""

    mean: int
    low: int
    high: int

    @property
    def is_certain(self) -> bool:
        """For a difference: whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def measures(by_seed: Sequence[Totals]) -> dict[str, Interval]:
    """Every measure of one policy."""
    return {name: _interval([measure(totals) for totals in by_seed]) for name, measure in MEASURES.items()}


def differences(ours: Sequence[Totals], theirs: Sequence[Totals]) -> dict[str, Interval]:
    """Every measure's difference, ours less theirs, seed by seed: the same people under two policies."""
    return {
        name: _interval([measure(a) - measure(b) for a, b in zip(ours, theirs, strict=True)])
        for name, measure in MEASURES.items()
    }


def _interval(values: Sequence[int]) -> Interval:
    count = len(values)
    mean = Decimal(sum(values)) / count
    if count == 1:
        return Interval(*[int(mean)] * 3)
    variance = sum(((value - mean) ** 2 for value in values), Decimal(0)) / (count - 1)
    t = Decimal(_T[count - 1]) if count - 1 < len(_T) else _NORMAL
    half = t * (variance / count).sqrt()
    return Interval(*(int((mean + shift).to_integral_value()) for shift in (Decimal(0), -half, half)))
