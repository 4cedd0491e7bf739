"""Who moves in during a chaos run has a case, however often what brings them is interrupted."""

from pathlib import Path

import psycopg
import pytest

from relight.flow.database import Database
from tests.chaos import town as towns
from tests.flow.conftest import database_urls, db, owner

__all__ = ["database_urls", "db", "owner"]


@pytest.mark.parametrize("poisoned", [0, 1])
def test_a_wave_that_was_interrupted_between_homes_and_cases_is_brought_to_its_end(
    owner: psycopg.Connection, db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, poisoned: int
) -> None:
    def is_away(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("fail-over")

    owner.execute("UPDATE partner SET slug = slug || '-before' WHERE slug = %s", (towns.SLUG,))
    town = towns.found(owner, db, tmp_path, "127.0.0.1")
    with monkeypatch.context() as away:
        away.setattr(towns, "import_cases", is_away)
        with pytest.raises(psycopg.OperationalError):
            town.wave(3, poisoned=poisoned)
    interrupted = town.is_half_in()
    town.wave(3, poisoned=poisoned)

    cases = "SELECT count(*) FROM dunning_case WHERE partner_id = %s"
    assert interrupted
    assert not town.is_half_in()
    assert owner.execute(cases, (town.partner,)).fetchone() == (3,)
