"""Paths: every way in which a claim can come through a policy, for each profile, with branches and skipped steps."""

from collections.abc import Iterator
from dataclasses import dataclass

from relight.core.policy import STANDARD_PROFILE, Policy, Profile, Step
from relight.core.spans import Span

PATHS_MAX = 5_000


class TooManyPaths(ValueError):
    """The policy branches more often than anybody can survey."""


@dataclass(frozen=True, slots=True)
class Path:
    """A claim's way from its due date to the end of the road, as customers of one profile go it."""

    profile: str
    delay: Span | None
    steps: tuple[Step, ...]


def paths(policy: Policy) -> tuple[Path, ...]:
    """Every path, each once; raises `TooManyPaths`. A condition may always turn out either way."""
    profiles = {STANDARD_PROFILE: Profile(), **policy.profiles}
    found: dict[Path, None] = {}
    for name, profile in profiles.items():
        for steps in _ways(policy, profile, policy.first, ()):
            found[Path(name, profile.delay, steps)] = None
            if len(found) > PATHS_MAX:
                raise TooManyPaths(f"more than {PATHS_MAX} paths")
    return tuple(found)


def _ways(policy: Policy, profile: Profile, step: Step, come: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    taken = come if step.name in profile.skip else (*come, step)
    onwards = [policy.step(branch.step) for branch in policy.successors(step)]
    if not onwards:
        yield taken
    for following in onwards:
        yield from _ways(policy, profile, following, taken)
