"""Clean seeds hold every invariant, each planted bug is found, and what was found is shrunk and replayed.

The long forms are for people: `make simulation SEEDS=10000`, `python -m tests.simulation --planted NAME --seeds 200`.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.simulation import stage
from tests.simulation.campaign import write_down
from tests.simulation.dice import Dice
from tests.simulation.ground import Ground, ground
from tests.simulation.history import live
from tests.simulation.outside import Outside
from tests.simulation.planted import PLANTED
from tests.simulation.shrink import shrink, sizes
from tests.simulation.story import Happening, Story, story

CLEAN = range(8)
# Nobody pays three times at once there: of two who wait for a row that changes meanwhile, PostgreSQL itself lets in now
# one and now the other first.
CALM = 7
SEEDS_MAX = 60
# Seeds that find each bug at once. A statement more in production's code makes other histories of them: then others are
# tried, which takes longer.
FOUND_BY = {
    "sent-before-commit": (1,),
    "lease-ignored": (1,),
    "allocated-twice": (0,),
    "facts-while-claiming": (31,),
    "nobody-woken": (10,),
    "guards-skipped": (2, 7),
}


def told_of(bug: str, seed: int) -> Story:
    """The seed's story; for what shows only when an act meets a cut, a street where that comes about."""
    meeting = {
        "guards-skipped": ((30, 30), [("hold", 0, 1 + seed % 4, 0), ("giro", 1, 1 + seed % 3, 0)]),
        "late-answers-believed": ((30,), [("giro", 0, 4, 0), ("giro", 0, 5, 30)]),
    }
    if bug not in meeting:
        return story(seed)
    noticed, acts = meeting[bug]
    happenings = tuple(Happening(kind, who, nth=nth, second=second, value=3) for kind, who, nth, second in acts)
    return replace(story(seed), noticed=noticed, happenings=happenings)


@pytest.fixture(scope="module")
def here() -> Iterator[Ground]:
    """A server for all histories of this file."""
    with ground() as made:
        yield made


def test_seeds_hold_every_invariant_through_kills_stalls_and_lost_answers(here: Ground) -> None:
    lived = [live(here, story(seed), Dice(seed)) for seed in CLEAN]

    assert [(seed, one.code, one.what) for seed, one in zip(CLEAN, lived, strict=True) if one.code] == []
    assert {"crash", "stall", "database error"} <= {fault for one in lived for fault in one.faults}


def test_a_seed_comes_to_the_same_history_each_time(here: Ground) -> None:
    first, again = (live(here, story(CALM), Dice(CALM)) for _ in range(2))

    assert (first.steps, first.digest) == (again.steps, again.digest)


def test_what_was_drawn_comes_to_the_same_history_without_the_seed(here: Ground) -> None:
    drawn = live(here, story(CALM), Dice(CALM))

    again = live(here, Story.of_data(story(CALM).as_data()), Dice(0, kept=drawn.drawn))

    assert again.digest == drawn.digest


def test_when_no_driver_ever_answers_a_person_is_told_of_each_thing_given_up(here: Ground) -> None:
    with patch.object(Outside, "fate", lambda self, fates: "raises"):
        lived = live(here, story(3), Dice(3))

    assert (lived.code, lived.what) == ("", "")


@pytest.mark.parametrize("bug", sorted(PLANTED))
def test_a_planted_bug_is_found(here: Ground, bug: str) -> None:
    seeds = (*FOUND_BY.get(bug, ()), *range(SEEDS_MAX))

    with PLANTED[bug].plant(here):
        found = next((code, seed) for seed in seeds if (code := live(here, told_of(bug, seed), Dice(seed)).code))

    assert found[0] in PLANTED[bug].codes
    assert live(here, told_of(bug, found[1]), Dice(found[1])).code == ""  # the same history without the bug


def test_a_violation_is_shrunk_and_still_goes_wrong(here: Ground) -> None:
    with PLANTED["lease-ignored"].plant(here):
        seed, found = next(
            (seed, found) for seed in (1, *range(SEEDS_MAX)) if (found := live(here, story(seed), Dice(seed))).code
        )

        told, kept = shrink(partial(live, here), story(seed), found, tries_max=12)
        short = live(here, told, Dice(0, kept=kept))

    assert short.code == found.code == "lease_ignored"
    assert sum(sizes(told, kept)) < sum(sizes(story(seed), found.drawn))


def test_a_history_without_an_end_is_a_find_and_is_written_down_as_it_is(here: Ground, tmp_path: Path) -> None:
    with patch.object(stage, "STEPS_MAX", 300):
        found = live(here, story(CALM), Dice(CALM))
        written = json.loads(write_down(here, CALM, found, "", tmp_path).read_text())

    assert (written["code"], Story.of_data(written["story"])) == ("raised_NoEnd", story(CALM))
    assert len(written["log"]) > 300
