"""Moments that others wrote: those that can be, and those that cannot."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from relight.core.moments import moment_of


@pytest.mark.parametrize("text", ["2026-03-02T09:00:00+14:00", "2026-03-02T09:00:00-12:00", " 2026-03-02T09:00:00Z "])
def test_a_moment_with_an_offset_that_some_place_has_is_read(text: str) -> None:
    assert moment_of(text) == datetime.fromisoformat(text.strip())


def test_without_an_offset_it_is_in_the_zone_that_is_given() -> None:
    assert moment_of("2026-03-02T09:00:00", ZoneInfo("Europe/Oslo")).utcoffset() == timedelta(hours=1)
    assert moment_of("2026-03-02", UTC) == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-03T00:00:00+21:00",  # Python takes up to a day, PostgreSQL less than sixteen hours
        "2026-03-03T00:00:00-14:01",
        "0001-01-01T00:00:00+14:00",  # before the first year in UTC
        "9999-12-31T23:59:59-12:00",
        "2026-03-02T09:00:00",
        "2026-13-02T09:00:00Z",
        "soon",
        "",
    ],
)
def test_what_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        moment_of(text)
