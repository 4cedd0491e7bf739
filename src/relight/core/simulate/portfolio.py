"""A portfolio for a what-if: households with monthly bills, made up from a seed or taken from what a partner has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from relight.core.policy import Policy
from relight.core.records import by_fields
from relight.core.simulate.customers import Kind, Model

_MONTH = timedelta(days=30)
_TERM = timedelta(days=14)
# Typical monthly sums in whole units by service: the least and the most.
_MONTHLY = {
    "broadband": (399, 899),
    "telephony": (199, 499),
    "electricity": (400, 2500),
    "electricity_grid": (350, 1500),
    "gas": (60, 300),
    "water": (25, 80),
    "heat": (300, 1800),
}


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice for one service; `paid_on` is set when it is known when it was really paid."""

    id: int
    issued: date
    due: date
    amount: int
    paid_on: date | None = None

    def __reduce__(self) -> tuple[type[Any], tuple[Any, ...]]:
        return by_fields(self)


@dataclass(frozen=True, slots=True)
class Household:
    """One account: who they are, how they are reached, and their bills in the order of their issue."""

    id: int
    kind: Kind
    profile: str
    reach: frozenset[str]
    flags: tuple[tuple[str, str], ...]
    bills: tuple[Bill, ...]

    def __reduce__(self) -> tuple[type[Any], tuple[Any, ...]]:
        return by_fields(self)


@dataclass(frozen=True, slots=True)
class Spec:
    """What to make: so many accounts over so many days from a day on. The same seed makes the same people."""

    accounts: int
    start: date
    days: int
    seed: int

    def __reduce__(self) -> tuple[type[Any], tuple[Any, ...]]:
        return by_fields(self)


def households(
    spec: Spec, policy: Policy, model: Model, first: int = 0, last: int | None = None
) -> Iterator[Household]:
    """The households from number `first` up to `last`, one by one; each has dice of its own."""
    asked = sorted({name for step in policy.steps for name in flag_names(step.when)})
    for number in range(first, spec.accounts if last is None else last):
        yield _household(number, spec, policy, model, asked)


def _household(number: int, spec: Spec, policy: Policy, model: Model, asked: Sequence[str]) -> Household:
    dice = Random(f"{spec.seed}-{number}")  # noqa: S311 - a model, not a secret
    kind = dice.choices(model.kinds, [kind.share for kind in model.kinds])[0]
    reach = frozenset(channel for channel, share in model.reach.items() if dice.randrange(100) < share)
    profiles = ["", *policy.profiles]
    profile = dice.choices(profiles, [100 - 3 * len(policy.profiles), *([3] * len(policy.profiles))])[0]
    return Household(number, kind, profile, reach, _flags(dice, asked), tuple(_bills(number, dice, spec, policy)))


def _flags(dice: Random, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Every flag that the policy asks for has been looked into; one household in twenty-five is protected."""
    protected = dice.randrange(25) == 0
    chosen = dice.choice(names) if names and protected else ""
    return tuple((name, "yes" if name == chosen else "no") for name in names)


def flag_names(condition: object) -> frozenset[str]:
    """The flags that a condition looks at."""
    parts = getattr(condition, "parts", ()) or (
        (getattr(condition, "part", None),) if hasattr(condition, "part") else ()
    )
    own = frozenset(getattr(condition, "names", ())) if hasattr(condition, "quantifier") else frozenset[str]()
    return own.union(*(flag_names(part) for part in parts))


def _bills(number: int, dice: Random, spec: Spec, policy: Policy) -> Iterator[Bill]:
    kind = sorted(policy.services)[0]
    least, most = _MONTHLY.get(kind, (200, 1000))
    monthly = dice.randint(least, most) * 100
    issued = spec.start + timedelta(days=dice.randrange(30))
    month = 0
    while issued < spec.start + timedelta(days=spec.days):
        amount = monthly if kind in ("broadband", "telephony") else monthly * dice.randint(80, 120) // 100
        yield Bill(number * 1000 + month, issued, issued + _TERM, amount)
        month, issued = month + 1, issued + _MONTH
