"""Levels of supply, from full to off: the one vocabulary that policies, facts, commands and drivers share."""

from enum import StrEnum


class Level(StrEnum):
    """How much of a service a customer has. `READY` is only ever observed: the meter waits for its button."""

    FULL = "full"
    LIMITED = "limited"
    WALLED_GARDEN = "walled_garden"
    READY = "ready"
    OFF = "off"


_ORDER = {Level.OFF: 0, Level.READY: 1, Level.WALLED_GARDEN: 2, Level.LIMITED: 3, Level.FULL: 4}


def lowest(levels: "list[Level]") -> Level:
    """The level that several blocks leave together; full when there are none."""
    return min(levels, key=_ORDER.__getitem__, default=Level.FULL)


def is_lower(left: Level, right: Level) -> bool:
    """Whether `left` gives the customer less than `right`."""
    return _ORDER[left] < _ORDER[right]
