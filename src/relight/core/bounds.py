"""What a condition makes sure of: bounds that hold whenever it does."""

from collections.abc import Iterable

from relight.core.conditions import AllOf, AnyOf, Between, Condition


def at_least(condition: Condition, fact: str) -> int | None:
    """The lower bound of a number that a condition makes sure of; None where it makes sure of none."""
    match condition:
        case Between(fact=name, min=low) if name == fact:
            return low
        case AllOf(parts):
            return max(_known(at_least(part, fact) for part in parts), default=None)
        case AnyOf(parts):
            bounds = [at_least(part, fact) for part in parts]
            return None if None in bounds else min(_known(bounds))
        case _:
            return None


def at_most(condition: Condition, fact: str) -> int | None:
    """The upper bound of a number that a condition makes sure of; None where it makes sure of none."""
    match condition:
        case Between(fact=name, max=high) if name == fact:
            return high
        case AllOf(parts):
            return min(_known(at_most(part, fact) for part in parts), default=None)
        case AnyOf(parts):
            bounds = [at_most(part, fact) for part in parts]
            return None if None in bounds else max(_known(bounds))
        case _:
            return None


def _known(bounds: Iterable[int | None]) -> list[int]:
    return [bound for bound in bounds if bound is not None]
