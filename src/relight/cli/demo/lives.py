"""What a customer does about what happens: habits turned into plans with a moment. Pure; each life has its own dice."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from relight.cli.demo.habits import Do, Reaction
from relight.cli.demo.portfolio import Household

_UP_FROM, _UP_UNTIL = 7, 23  # most people pay while they are up


@dataclass(frozen=True, slots=True)
class Plan:
    """Something a customer will do. `url` is the pay link that they have at hand, if any."""

    at: datetime
    household: int
    do: Do
    percent: int = 100
    text: str = ""
    url: str = ""


@dataclass(slots=True)
class Life:
    """One household's state: its dice, what has happened how often, and the last pay link that came."""

    household: Household
    zone: ZoneInfo
    seed: int
    url: str = ""
    seen: dict[Reaction, int] = field(default_factory=dict[Reaction, int])
    dice: Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = Random(f"{self.seed}-life-{self.household.number}")  # noqa: S311 - a story, not a secret

    def happens(self, what: str, now: datetime) -> list[Plan]:
        """A message of this template came, a service was taken to this level, or (`invoice`) a bill fell due `now`."""
        return list(self._plans(what, now))

    def _plans(self, what: str, now: datetime) -> Iterator[Plan]:
        for reaction in self.household.habit.reactions:
            if what not in reaction.to:
                continue
            count = self.seen[reaction] = self.seen.get(reaction, 0) + 1
            if count == reaction.nth or (reaction.every and count > reaction.nth):
                at = now + self._between(reaction.soonest, reaction.latest)
                yield Plan(
                    at if what == "off" else self._when_up(at),  # who sits in the dark does not wait for the morning
                    self.household.number,
                    reaction.do,
                    reaction.percent,
                    reaction.text,
                )

    def _between(self, soonest: timedelta, latest: timedelta) -> timedelta:
        return timedelta(seconds=self.dice.randint(int(soonest.total_seconds()), int(latest.total_seconds())))

    def _when_up(self, at: datetime) -> datetime:
        local = at.astimezone(self.zone)
        if _UP_FROM <= local.hour < _UP_UNTIL:
            return at
        morning = local.replace(hour=_UP_FROM, minute=self.dice.randint(0, 59))
        return morning if local.hour < _UP_FROM else morning + timedelta(days=1)

    def presses_button_at(self, now: datetime) -> datetime:
        """When somebody goes to the meter: minutes after an SMS, hours without one."""
        soonest, latest = (2, 25) if self.household.mobile else (60, 360)
        return now + timedelta(seconds=self.dice.randint(soonest * 60, latest * 60))
