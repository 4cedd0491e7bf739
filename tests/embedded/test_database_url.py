"""Somebody else's PostgreSQL by DATABASE_URL: who may come in, what Relight makes there, and what it refuses."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import PIPE, STDOUT

import psycopg
import pytest

from relight.project import connect, roles
from relight.project.connect import DatabaseUrls
from relight.project.errors import UnableToUseDatabaseUrl
from tests.counterparts import postgres
from tests.counterparts.postgres import Postgres

pytestmark = pytest.mark.counterpart


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    with postgres.running(tcp=True, asks_password=True) as server:
        yield server


@pytest.fixture
def server(cluster: Postgres) -> Iterator[Postgres]:
    """A server that asks for passwords, as somebody else's does; emptied after each test."""
    yield cluster
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        databases = connection.execute(
            "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'"
        )
        for (name,) in databases.fetchall():
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        for (role,) in connection.execute(
            r"SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|postgres)'"
        ).fetchall():
            connection.execute(f'DROP OWNED BY "{role}"')
            connection.execute(f'DROP ROLE "{role}"')


@pytest.fixture(autouse=True)
def _own_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELIGHT_HOME", str(home))


def _resolve(app: str, owner: str | None = None) -> DatabaseUrls:
    return connect.resolve({"DATABASE_URL": app, **({"DATABASE_OWNER_URL": owner} if owner else {})})


def _as_admin(server: Postgres, *statements: str, database: str = "postgres") -> None:
    with psycopg.connect(server.url(database=database), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _by_hand(server: Postgres, database: str = "relight") -> None:
    statements = roles.by_hand(database).replace("'…'", "'by-hand'").rstrip(";").split("; ")
    _as_admin(server, f"CREATE DATABASE {database}", *statements)


def _migrating(server: Postgres, home: Path) -> subprocess.Popen[str]:
    """`relight migrate` on a host of its own, as far as Relight can see."""
    given = {
        "RELIGHT_HOME": str(home),
        "DATABASE_URL": server.url("relight_app", "relight", "by-hand"),
        "DATABASE_OWNER_URL": server.url("relight_owner", "relight", "by-hand"),
    }
    words = [sys.executable, "-m", "relight.project.main", "migrate"]
    return subprocess.Popen(words, env={**os.environ, **given}, stdout=PIPE, stderr=STDOUT, text=True)


def _facts(urls: DatabaseUrls) -> list[str]:
    with psycopg.connect(urls.owner) as owner:
        owner.execute("CREATE TABLE thing (id bigint GENERATED ALWAYS AS IDENTITY, word text)")
    with psycopg.connect(urls.app) as app:
        app.execute("INSERT INTO thing (word) VALUES ('written')")
        return list(app.execute("SELECT current_user::text, word FROM thing").fetchone() or ())


def test_an_administrators_address_makes_the_database_and_runs_as_the_powerless_role(server: Postgres) -> None:
    urls = _resolve(server.url(database="relight"))

    assert _facts(urls) == ["relight_app", "written"]
    assert not urls.is_embedded
    with psycopg.connect(urls.app) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("CREATE TABLE relight.mine ()")


def test_an_address_in_url_form_does_as_well(server: Postgres) -> None:
    urls = _resolve(f"postgresql://postgres:{server.password}@{server.host}:{server.port}/billing")

    assert _facts(urls) == ["relight_app", "written"]


def test_passwords_relight_made_are_kept_closed_and_used_again(server: Postgres, home: Path) -> None:
    first = _resolve(server.url(database="relight"))
    again = _resolve(server.url(database="relight"))

    kept = home / "app-credentials.json"
    assert again == first
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert set(json.loads(kept.read_text())[f"{server.host}:{server.port}"]) == {"relight_owner", "relight_app"}


def test_a_second_host_is_told_to_bring_the_passwords_instead_of_changing_them(
    server: Postgres, ground: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _resolve(server.url(database="relight"))
    monkeypatch.setenv("RELIGHT_HOME", str(ground / "second"))

    with pytest.raises(UnableToUseDatabaseUrl, match=r"Copy app-credentials\.json"):
        _resolve(server.url(database="relight"))

    psycopg.connect(first.app).close()


def test_a_database_that_has_no_room_for_every_name_is_refused(server: Postgres) -> None:
    _as_admin(server, "CREATE DATABASE plain TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")

    with pytest.raises(UnableToUseDatabaseUrl) as refused:
        _resolve(server.url(database="plain"))

    assert "the database plain, which keeps text as SQL_ASCII" in refused.value.found
    assert "ENCODING 'UTF8'" in refused.value.remedy


def test_who_does_not_answer_is_told_of_in_one_line(server: Postgres) -> None:
    with pytest.raises(UnableToUseDatabaseUrl) as refused:
        _resolve(f"host={server.host} port=1 dbname=relight")

    assert "Connection refused" in refused.value.found
    assert not {"\n", "\t", "?"} & set(refused.value.found)


def test_an_administrator_short_of_superuser_is_enough(server: Postgres) -> None:
    _as_admin(server, "CREATE ROLE landlord LOGIN CREATEROLE CREATEDB PASSWORD 'p'")

    urls = _resolve(server.url("landlord", "relight", "p"))

    assert _facts(urls) == ["relight_app", "written"]
    assert _resolve(server.url("landlord", "relight", "p")) == urls


def test_an_administrator_who_may_not_make_the_database_is_told_what_to_run(server: Postgres) -> None:
    _as_admin(server, "CREATE ROLE caretaker LOGIN CREATEROLE PASSWORD 'p'")

    with pytest.raises(UnableToUseDatabaseUrl) as refused:
        _resolve(server.url("caretaker", "relight", "p"))

    assert "permission denied to create database" in refused.value.found
    assert "CREATE ROLE relight_owner" in refused.value.remedy


def test_many_processes_that_begin_at_once_make_everything_once(server: Postgres) -> None:
    def provision(_: int) -> None:
        roles.provision(server.url(), database="relight")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(provision, range(8)))

    with psycopg.connect(server.url(database="relight")) as connection:
        owner = connection.execute(
            "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'relight'"
        ).fetchone()
    assert owner == ("relight_owner",)


def test_powers_somebody_gave_the_running_role_are_taken_back(server: Postgres) -> None:
    _as_admin(server, "CREATE ROLE relight_app SUPERUSER BYPASSRLS")

    roles.provision(server.url(), database="relight")

    with psycopg.connect(server.url()) as connection:
        query = "SELECT rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = 'relight_app'"
        assert connection.execute(query).fetchone() == (False, False, True)


def test_what_an_administrator_ran_by_hand_lets_relight_in_with_both_addresses(server: Postgres) -> None:
    _by_hand(server)

    urls = _resolve(server.url("relight_app", "relight", "by-hand"), server.url("relight_owner", "relight", "by-hand"))

    assert _facts(urls) == ["relight_app", "written"]


def test_the_powerless_role_alone_is_refused_because_it_may_not_migrate(server: Postgres) -> None:
    _by_hand(server)

    with pytest.raises(UnableToUseDatabaseUrl, match="Set DATABASE_OWNER_URL"):
        _resolve(server.url("relight_app", "relight", "by-hand"))


def test_the_owner_is_refused_as_the_running_role(server: Postgres) -> None:
    _by_hand(server)

    with pytest.raises(UnableToUseDatabaseUrl, match="lets in relight_owner, which is neither relight_app"):
        _resolve(server.url("relight_owner", "relight", "by-hand"))


def test_another_role_is_refused_as_the_owner(server: Postgres) -> None:
    _by_hand(server)

    with pytest.raises(UnableToUseDatabaseUrl, match="DATABASE_OWNER_URL lets in relight_app instead of relight_owner"):
        _resolve(server.url("relight_app", "relight", "by-hand"), server.url("relight_app", "relight", "by-hand"))


def test_a_schema_that_belongs_to_somebody_else_is_refused(server: Postgres) -> None:
    _as_admin(server, "CREATE DATABASE relight")
    _as_admin(server, "CREATE SCHEMA relight", database="relight")

    with pytest.raises(UnableToUseDatabaseUrl, match="The schema relight belongs to postgres"):
        _resolve(server.url(database="relight"))


def test_a_server_that_is_too_old_is_refused(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relight.project.server_url.MAJOR_MIN", postgres.MAJOR + 1)

    with pytest.raises(
        UnableToUseDatabaseUrl, match=r"leads to PostgreSQL 15\.\d+.*Relight needs 16 or later.*Upgrade"
    ):
        _resolve(server.url(database="relight"))


def test_a_wrong_password_is_refused_in_the_servers_words_without_repeating_it(server: Postgres) -> None:
    with pytest.raises(UnableToUseDatabaseUrl, match="password authentication failed") as refused:
        _resolve(server.url(database="relight", password="wrong-secret"))

    assert "wrong-secret" not in str(refused.value)


def test_a_server_that_does_not_answer_is_refused(ground: Path) -> None:
    with pytest.raises(UnableToUseDatabaseUrl, match="See that the server runs"):
        _resolve(f"host={ground} dbname=relight user=anybody")


@pytest.mark.parametrize("given", ["mysql://user:secret@host/relight", "sqlite:///secret.db", "secret"])
def test_what_is_not_postgresql_is_refused_without_repeating_it(given: str) -> None:
    with pytest.raises(UnableToUseDatabaseUrl, match="is not the address of a PostgreSQL database") as refused:
        _resolve(given)

    assert "secret" not in str(refused.value)


def test_without_an_address_the_embedded_server_is_used() -> None:
    urls = connect.resolve({})
    again = connect.resolve({})

    assert urls.server is not None
    assert again.server is urls.server
    try:
        assert _facts(urls) == ["relight_app", "written"]
    finally:
        urls.server.release()


def test_hosts_that_start_at_once_on_one_database_make_its_tables_once(server: Postgres, ground: Path) -> None:
    _by_hand(server)

    hosts = [_migrating(server, ground / name) for name in ("one", "two", "three")]
    said = [host.communicate(timeout=120)[0] for host in hosts]

    assert [host.returncode for host in hosts] == [0, 0, 0], said
    with psycopg.connect(server.url(database="relight")) as connection:
        partners = connection.execute("SELECT count(*) FROM relight.partner").fetchone()
        applied = connection.execute(
            "SELECT count(*), count(DISTINCT (app, name)) FROM relight.django_migrations"
        ).fetchall()[0]
    assert partners == (1,)
    assert applied[0] == applied[1] > 0
