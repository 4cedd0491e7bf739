"""Slow counts are kept for a while, quick ones are not, and there are never too many of them."""

from relight.web.console.queries import kept
from relight.web.console.queries.kept import Kept


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


class Counting:
    """Counts that take so many seconds, and how often they were made."""

    def __init__(self, clock: Clock, seconds: float):
        self.clock, self.seconds, self.made = clock, seconds, 0

    def __call__(self) -> int:
        self.clock.at += self.seconds
        self.made += 1
        return self.made


def test_what_took_long_is_kept_for_twenty_times_as_long() -> None:
    clock = Clock()
    counts, slow = Kept[int](clock), Counting(clock, 0.5)

    first = counts.get("overview", slow)
    clock.at += 9.9
    again = counts.get("overview", slow)
    clock.at += 0.2
    later = counts.get("overview", slow)

    assert (first, again, later) == (1, 1, 2)


def test_never_for_more_than_a_minute_however_long_it_took() -> None:
    clock = Clock()
    counts, slow = Kept[int](clock), Counting(clock, 30.0)

    counts.get("overview", slow)
    clock.at += 60.1

    assert counts.get("overview", slow) == 2


def test_what_is_quick_is_counted_each_time() -> None:
    clock = Clock()
    counts, quick = Kept[int](clock), Counting(clock, 0.01)

    assert [counts.get("overview", quick) for _ in range(3)] == [1, 2, 3]


def test_each_question_has_its_own_answer_and_who_asked_longest_ago_goes_first() -> None:
    clock = Clock()
    counts, slow = Kept[int](clock), Counting(clock, 0.4)

    answers = [counts.get((1, number), slow) for number in range(kept._ANSWERS_MAX)]
    clock.at = 0.41  # nothing is old yet
    counts.get((2, 0), slow)

    assert answers == [*range(1, kept._ANSWERS_MAX + 1)]
    assert len(counts._answers) == kept._ANSWERS_MAX
    assert (1, 0) not in counts._answers
    assert counts.get((1, 1), slow) == 2
