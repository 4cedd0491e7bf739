"""Tests on the material in `../shared`: collected only where it is there. `make test` counts the rest."""

from pathlib import Path

import pytest

from tests.flow.conftest import database_urls, db, now, other_partner, owner, partner

__all__ = ["database_urls", "db", "now", "other_partner", "owner", "partner"]

_SHARED = Path(__file__).resolve().parents[3] / "shared"

if not _SHARED.is_dir():
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def shared() -> Path:
    """The folder with the shared material."""
    return _SHARED
