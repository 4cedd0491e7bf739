"""The manual names every column that an import reads, and its example of a mapping is one."""

import textwrap
from pathlib import Path

import pytest

from relight.flow.claims.columns import FIELDS
from relight.flow.claims.mapping import built_in_mappings
from relight.flow.claims.mapping_file import read_mapping

MANUAL = (Path(__file__).resolve().parents[3] / "docs" / "import.md").read_text("utf-8")


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_every_column_is_in_the_manual(kind: str) -> None:
    missing = sorted(name for name in FIELDS[kind] if f"`{name}`" not in MANUAL)

    assert missing == []


def test_the_manuals_mapping_can_be_read() -> None:
    example = textwrap.dedent("    mapping: ours\n" + MANUAL.split("    mapping: ours\n")[1].split("\n\n")[0])

    mapping = read_mapping(example, "ours.yaml")

    assert mapping.columns["number"].template == "{Year}-{No}"
    assert mapping.words["status"] == {"void": "cancelled", "annulled": "cancelled"}


def test_every_mapping_for_foreign_names_is_in_the_manual() -> None:
    foreign = {mapping.name for mapping in built_in_mappings() if not mapping.name.startswith("relight")}

    assert {name for name in foreign if f"`{name}`" not in MANUAL} == set()
