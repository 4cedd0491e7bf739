"""The story is lived once for all tests; each test that plants something has a copy of its own."""

from collections.abc import Iterator

import pytest

from tests.audit.story import Copy, Story, copied, live
from tests.flow.conftest import database_urls

__all__ = ["database_urls"]


@pytest.fixture(scope="session")
def story(database_urls: dict[str, str]) -> Story:
    """Ninety days of a street."""
    return live(database_urls)


@pytest.fixture
def copy(story: Story) -> Iterator[Copy]:
    """The street's database, to plant something in."""
    with copied(story) as made:
        yield made
