"""Counts over a whole portfolio, which every open page asks for again every few seconds, are kept for a while where
they are slow. What is counted in a third of a second is counted each time."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

KEPT_TIMES = 20  # so many times as long as it took: counting is a twentieth of a connection's time, however many look
_QUICK_SECONDS = 0.3
_KEPT_SECONDS_MAX = 60.0
_ANSWERS_MAX = 500

Answer = TypeVar("Answer")


class Kept(Generic[Answer]):
    """Answers by what was asked, in this process. `seconds` is a monotonic clock."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic):
        self._seconds = seconds
        self._answers: dict[Hashable, tuple[float, Answer]] = {}

    def get(self, asked: Hashable, ask: Callable[[], Answer]) -> Answer:
        """The answer, by now or from a while ago."""
        began = self._seconds()
        until, answer = self._answers.get(asked, (began, None))
        if answer is not None and began < until:
            return answer
        fresh = ask()
        ended = self._seconds()
        self._answers.pop(asked, None)
        if ended - began > _QUICK_SECONDS:
            self._make_room()
            self._answers[asked] = ended + min(KEPT_TIMES * (ended - began), _KEPT_SECONDS_MAX), fresh
        return fresh

    def _make_room(self) -> None:
        """Who asked longest ago goes first; two threads may both find somebody."""
        while len(self._answers) >= _ANSWERS_MAX:
            self._answers.pop(next(iter(list(self._answers)), None), None)
