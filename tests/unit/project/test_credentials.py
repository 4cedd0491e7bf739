"""The file with the passwords Relight made."""

from pathlib import Path

import pytest

from relight.project import credentials
from relight.project.errors import UnableToProvideDatabase


def test_passwords_of_two_servers_live_side_by_side(tmp_path: Path) -> None:
    one = credentials.make(tmp_path, "one:5432")
    two = credentials.make(tmp_path, "two:5432")

    assert credentials.read(tmp_path, "one:5432") == one
    assert credentials.read(tmp_path, "two:5432") == two
    assert len({*one.values(), *two.values()}) == 4
    assert credentials.read(tmp_path, "three:5432") is None


def test_a_broken_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    kept = tmp_path / credentials.FILE_NAME
    kept.write_text("{")

    with pytest.raises(UnableToProvideDatabase, match="not readable"):
        credentials.read(tmp_path, "one:5432")

    assert kept.read_text() == "{"
