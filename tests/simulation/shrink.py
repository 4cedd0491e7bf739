"""A failing history made short: happenings left out, draws made noughts, as long as the same thing goes wrong."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from tests.simulation.dice import Dice
from tests.simulation.history import Lived
from tests.simulation.story import Story

Kept = dict[str, list[int]]
Live = Callable[[Story, Dice], Lived]


def shrink(live: Live, told: Story, found: Lived, *, tries_max: int = 150) -> tuple[Story, Kept]:
    """A shorter story and fewer draws that come to the same violation; at most so many histories are tried."""
    smaller = _Shrinker(live, told, {name: list(drawn) for name, drawn in found.drawn.items()}, found.code, tries_max)
    smaller.run()
    return smaller.told, {name: trimmed for name, drawn in smaller.kept.items() if (trimmed := _trimmed(drawn))}


class _Shrinker:
    def __init__(self, live: Live, told: Story, kept: Kept, code: str, tries: int):
        self.live, self.told, self.kept, self.code, self.tries_left = live, told, kept, code, tries

    def run(self) -> None:
        """Each pass begins again where the last one made it smaller."""
        before = None
        while self.tries_left and before != (self.told, self.kept):
            before = (self.told, dict(self.kept))
            for told in self._shorter():
                self._try(told, self.kept)
            for name in list(self.kept):
                self._milder(name)

    def _shorter(self) -> Iterator[Story]:
        for index in reversed(range(len(self.told.happenings))):
            happenings = self.told.happenings
            if index < len(happenings):
                yield replace(self.told, happenings=happenings[:index] + happenings[index + 1 :])
        if self.told.workers > 1:
            yield replace(self.told, workers=self.told.workers - 1)

    def _milder(self, name: str) -> None:
        """All of a stream's draws, its second half, and ever smaller pieces."""
        if not any(self.kept.get(name, ())) or self._without(name, 0, len(self.kept[name])):
            return
        size = len(self.kept[name]) // 2
        while size >= max(1, len(self.kept.get(name, ())) // 16) and self.tries_left:
            for start in reversed(range(0, len(self.kept.get(name, ())), size)):
                if any(self.kept.get(name, ())[start : start + size]):
                    self._without(name, start, start + size)
            size //= 2

    def _without(self, name: str, start: int, end: int) -> bool:
        drawn = list(self.kept.get(name, ()))
        drawn[start:end] = [0] * len(drawn[start:end])
        return self._try(self.told, {**self.kept, name: drawn})

    def _try(self, told: Story, kept: Kept) -> bool:
        if not self.tries_left:
            return False
        self.tries_left -= 1
        lived = self.live(told, Dice(0, kept=kept))
        if lived.code != self.code:
            return False
        self.told = told
        self.kept = {name: list(drawn) for name, drawn in lived.drawn.items()}
        return True


def _trimmed(drawn: Sequence[int]) -> list[int]:
    """Without the noughts at its end: they come by themselves."""
    kept = list(drawn)
    while kept and kept[-1] == 0:
        kept.pop()
    return kept


def sizes(told: Story, kept: Mapping[str, Sequence[int]]) -> tuple[int, int]:
    """How many happenings, and how many draws that are no noughts, a history takes."""
    return len(told.happenings), sum(sum(number != 0 for number in drawn) for drawn in kept.values())
