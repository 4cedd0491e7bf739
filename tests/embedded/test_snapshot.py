"""The snapshot of the tables: the same as all migrations leave them, and never in the way of newer ones."""

from relight.project import snapshot
from tests.embedded.snapshot import FILE, fresh, migrate, owner_of, tables


def test_a_fresh_database_is_the_same_by_snapshot_as_by_migrations() -> None:
    with fresh() as migrated, fresh() as loaded:
        migrate(migrated)
        snapshot.load(owner_of(loaded))
        left = migrate(loaded)

        assert tables(loaded) == tables(migrated)
        assert "No migrations to apply." in left, "the snapshot is behind: run `make schema`"
        assert FILE.read_text("utf-8") == tables(migrated), "the snapshot is behind: run `make schema`"


def test_a_database_with_tables_is_left_alone() -> None:
    with fresh() as server:
        first = snapshot.load(owner_of(server))

        again = snapshot.load(owner_of(server))

    assert (first, again) == (True, False)
