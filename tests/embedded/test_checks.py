"""What `relight doctor` says of a database, well and unwell: each check must be able to fail."""

from collections.abc import Iterator

import psycopg
import pytest

from relight.project import checks, roles
from relight.project.checks import Check
from relight.project.connect import DatabaseUrls
from tests.counterparts import postgres
from tests.counterparts.postgres import Postgres

pytestmark = pytest.mark.counterpart

_PROTECTED = (
    "CREATE TABLE relight.protected (partner_id bigint)",
    "ALTER TABLE relight.protected ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY of_partner ON relight.protected USING (partner_id = 1)",
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    with postgres.running(settings={"fsync": "on"}) as server:
        yield server


@pytest.fixture
def server(cluster: Postgres) -> Iterator[Postgres]:
    """A provisioned database with one protected table."""
    roles.provision(cluster.url(), database="relight")
    with psycopg.connect(cluster.url("relight_owner", "relight")) as owner:
        for statement in _PROTECTED:
            owner.execute(statement)
    yield cluster
    with psycopg.connect(cluster.url(), autocommit=True) as admin:
        admin.execute("DROP DATABASE relight WITH (FORCE)")
        admin.execute("DROP ROLE relight_app")
        admin.execute("DROP ROLE relight_owner")


def _run(server: Postgres, *, role: str = roles.APP, also: str = "", by: str = "postgres") -> dict[str, Check]:
    """All database checks by name, after `also` was run `by` somebody."""
    if also:
        with psycopg.connect(server.url(by, "relight"), autocommit=True) as connection:
            connection.execute(also)
    app = server.url(role, "relight")
    return {check.name: check for check in checks.database_checks(DatabaseUrls(owner="", app=app, server=None))}


def test_a_well_made_database_passes_every_check(server: Postgres) -> None:
    found = _run(server)

    assert [check for check in found.values() if not check.ok] == []
    assert set(found) == {"database", "runtime role", "role tried", "row-level security", "durability", "clock"}
    assert found["row-level security"].found.startswith("1 table")


@pytest.mark.parametrize(
    ("given", "taken", "power"),
    [
        ("ALTER ROLE relight_app SUPERUSER", "ALTER ROLE relight_app NOSUPERUSER", "superuser"),
        ("ALTER ROLE relight_app BYPASSRLS", "ALTER ROLE relight_app NOBYPASSRLS", "BYPASSRLS"),
        ("ALTER ROLE relight_app CREATEROLE", "ALTER ROLE relight_app NOCREATEROLE", "CREATEROLE"),
        ("GRANT relight_owner TO relight_app", "REVOKE relight_owner FROM relight_app", "member of the owner"),
        (
            "GRANT pg_execute_server_program TO relight_app",
            "REVOKE pg_execute_server_program FROM relight_app",
            "runs programs on the server",
        ),
        (
            "ALTER TABLE relight.protected OWNER TO relight_app",
            "ALTER TABLE relight.protected OWNER TO relight_owner",
            "owns tables",
        ),
    ],
)
def test_a_running_role_that_could_go_around_the_rows_is_refused(
    server: Postgres, given: str, taken: str, power: str
) -> None:
    found = _run(server, also=given)["runtime role"]
    _run(server, also=taken)

    assert not found.ok
    assert power in found.found
    assert "DATABASE_URL" in found.remedy


def test_a_role_made_powerless_only_after_it_logged_in_is_seen_through(server: Postgres) -> None:
    with psycopg.connect(server.url(database="relight"), row_factory=psycopg.rows.dict_row) as admin:
        admin.execute("SET ROLE relight_app")
        found = checks.role_is_powerless(admin)

    assert not found.ok
    assert "superuser" in found.found


def test_the_owner_as_running_role_is_caught_by_trying(server: Postgres) -> None:
    found = _run(server, role=roles.OWNER)

    assert not found["role tried"].ok
    assert "CREATE TABLE" in found["role tried"].found
    assert not found["row-level security"].ok


@pytest.mark.parametrize(
    ("also", "name"),
    [
        ("CREATE TABLE open (partner_id bigint)", "open"),
        ("ALTER TABLE protected DISABLE ROW LEVEL SECURITY", "protected"),
        ("DROP POLICY of_partner ON protected", "protected"),
        ("CREATE VIEW glimpse AS SELECT * FROM protected", "glimpse"),
        ("CREATE MATERIALIZED VIEW copied AS SELECT * FROM protected", "copied"),
    ],
)
def test_a_table_or_view_open_to_every_partner_is_named(server: Postgres, also: str, name: str) -> None:
    found = _run(server, also=also, by=roles.OWNER)["row-level security"]

    assert not found.ok
    assert found.found == f"open: {name}"


def test_a_view_with_its_readers_own_eyes_is_fine(server: Postgres) -> None:
    also = "CREATE VIEW glimpse WITH (security_invoker = true) AS SELECT * FROM protected"

    assert _run(server, also=also, by=roles.OWNER)["row-level security"].ok


def test_commits_that_do_not_reach_the_disk_are_reported(server: Postgres) -> None:
    found = _run(server, also="ALTER ROLE relight_app SET synchronous_commit = off")["durability"]

    assert not found.ok
    assert found.found == "synchronous_commit off"


def test_a_database_that_does_not_answer_is_one_failed_check(server: Postgres) -> None:
    nowhere = DatabaseUrls(owner="", app=server.url("nobody_known", "relight"), server=None)

    (found,) = checks.database_checks(nowhere)

    assert not found.ok
    assert "nobody_known" in found.found
