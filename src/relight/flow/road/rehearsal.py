"""A what-if as a stage of publishing: the figures that go on record, and a modest one for whoever has made none."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from relight.core.policy import Policy
from relight.core.simulate.compare import measures
from relight.core.simulate.parts import parts, work
from relight.core.simulate.portfolio import Spec
from relight.core.simulate.totals import Totals

START = date(2027, 1, 4)
MADE_UP, OWN = "made up", "own"
SMALL = Spec(accounts=60, start=START, days=120, seed=1)
_MADE: dict[tuple[str, Spec], "Rehearsal"] = {}  # the same content and dice come to the same figures


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a what-if came to: on which portfolio, from which seeds, and each measure's mean with its interval.

    Sums are in minor units of `currency`.
    """

    portfolio: str
    accounts: int
    days: int
    seed: int
    seeds: int
    currency: str
    measures: Mapping[str, Mapping[str, int]]

    def as_params(self) -> dict[str, Any]:
        """As the history keeps it."""
        return asdict(self)


def rehearse(policy: Policy, text: str, spec: Spec) -> Rehearsal:
    """A what-if on made-up customers, here and now. Known ones are not worked out again."""
    key = (policy.hash, spec)
    if key not in _MADE:
        totals = Totals()
        for part in parts(text, "", spec):
            totals.add(work(part))
        figures = {name: asdict(one) for name, one in measures([totals]).items()}
        _MADE[key] = Rehearsal(MADE_UP, spec.accounts, spec.days, spec.seed, 1, policy.currency, figures)
    return _MADE[key]
