"""All chance of a history: streams of small numbers by name, drawn from the seed and written down as they are drawn.

Nought is always the mildest answer: go on with the same actor, no fault, no delay. A history is shrunk by turning draws
into noughts, so what is left of the others is what it takes.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random


class Dice:
    """Draws from a seed, or again what was drawn before (`kept`; noughts after its end)."""

    def __init__(self, seed: int, *, kept: Mapping[str, Sequence[int]] | None = None):
        self.seed = seed
        self.drawn: dict[str, list[int]] = defaultdict(list)
        self._kept = kept
        self._random: dict[str, Random] = {}

    def draw(self, stream: str, below: int) -> int:
        """A number from 0 up to `below`, left out."""
        number = self._again(stream) % below if self._kept is not None else self._new(stream).randrange(below)
        self.drawn[stream].append(number)
        return number

    def happens(self, stream: str, *, once_in: int) -> bool:
        """Whether something that is no matter of course happens this time."""
        return self.draw(stream, once_in) == once_in - 1

    def _new(self, stream: str) -> Random:
        if stream not in self._random:
            self._random[stream] = Random(f"{self.seed}-{stream}")
        return self._random[stream]

    def _again(self, stream: str) -> int:
        assert self._kept is not None
        at, kept = len(self.drawn[stream]), self._kept.get(stream, ())
        return kept[at] if at < len(kept) else 0
