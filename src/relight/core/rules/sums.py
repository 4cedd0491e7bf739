"""What may be charged at most, and what was charged already, in minor units."""

from datetime import date

from relight.core.actions import FeeAction
from relight.core.facts import CaseFacts
from relight.core.policy import Policy
from relight.core.rules.acts import FEE
from relight.core.rules.model import MaxAmount
from relight.core.spans import Span
from relight.core.windows import local_date

_BASIS_POINTS = 10_000


def cap_of(demand: MaxAmount, day: date, principal: int) -> int | None:
    """The most that a rule lets one charge on a day for a principal; None where nobody knows the figure."""
    if demand.forbidden:
        return 0
    if demand.bands:
        return _by_bands(demand, principal)
    in_force = [cap.amount for cap in demand.caps if cap.starts <= day]
    return in_force[-1] if in_force else None


def lowest_cap(demand: MaxAmount, day: date, principal: int) -> int | None:
    """The least of the caps from a day on: a policy that lives for years must keep them all."""
    if demand.forbidden or demand.bands:
        return cap_of(demand, day, principal)
    today = cap_of(demand, day, principal)
    coming = [cap.amount for cap in demand.caps if cap.starts > day]
    known = [amount for amount in (today, *coming) if amount is not None]
    return min(known) if len(known) == 1 + len(coming) else None


def fees_charged(policy: Policy, facts: CaseFacts, targets: frozenset[str], span: Span, today: date) -> int:
    """What the case's steps, and earlier cases of the account, charged of these fees within the span before today."""
    known = policy.by_name
    earlier = [one for one in facts.charged if one.elsewhere and FEE + one.fee in targets]
    total = sum(one.amount for one in earlier if facts.partner.calendar.add(one.on, span) >= today)
    for taken in facts.steps:
        day = local_date(taken.decided_at, facts.partner.zone)
        if taken.step in known and facts.partner.calendar.add(day, span) >= today:
            for action in known[taken.step].do:
                if isinstance(action, FeeAction) and FEE + action.fee in targets:
                    total += action.amount_minor
    return total


def _by_bands(demand: MaxAmount, principal: int) -> int:
    """A table of slices: each takes its share of what lies above it, rounded down to the minor unit in the end."""
    total = 0
    for band in demand.bands:
        slice_ = min(principal, band.upto if band.upto is not None else principal) - band.over
        total += max(0, slice_) * band.basis_points
    amount = max(total // _BASIS_POINTS, demand.least)
    return min(amount, demand.most) if demand.most is not None else amount
