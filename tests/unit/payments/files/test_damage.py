"""Damaged copies of bank files: none crashes the reader, and none books what the bank did not say."""

import pytest

from tests.unit.payments.files.damage import FILES, try_one
from tests.unit.payments.files.reading import read

COPIES = 150


@pytest.mark.parametrize("name", FILES)
def test_a_file_with_one_accident_books_nothing_that_the_bank_did_not_say(name: str) -> None:
    found = [try_one(name, seed) for seed in range(COPIES)]

    assert any(one is not None and one.problems and one.payments for one in found)


@pytest.mark.parametrize("name", FILES)
def test_a_file_with_many_accidents_is_read_or_refused_in_a_sentence(name: str) -> None:
    for seed in range(COPIES):
        try_one(name, 10_000 + seed, accidents=5)


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_good_before_they_are_damaged(name: str) -> None:
    format_, content = FILES[name]

    found = read(content, format_)

    assert found.problems == []
    assert len(found.payments) >= 3
    assert found.series.is_whole
