"""A short year, lived alone and killed again and again: the same books. The long one is `python -m tests.year`."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.year.living import Asked, compare, live

ASKED = Asked(accounts=16, days=34, seed=3, start=date(2026, 1, 5))
KILLS = 4


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path short enough for PostgreSQL's socket."""
    made = Path(tempfile.mkdtemp(prefix="ry"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_whoever_kills_it_comes_to_the_same_books(folder: Path) -> None:
    alone = live(folder / "a", ASKED, kills=0, tell=print)

    killed = live(folder / "k", ASKED, kills=KILLS, tell=print, seconds=(0.5, 1.3))

    assert killed.kills == KILLS
    assert compare(alone, killed) == []
    assert {"claim", "payment", "allocation", "fee"} <= set(alone.kinds)
