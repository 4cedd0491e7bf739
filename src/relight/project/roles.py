"""Two roles: `relight_owner` owns the schema and migrates, `relight_app` owns nothing and runs. Both are made here."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from relight.project.errors import UnableToUseDatabaseUrl

OWNER = "relight_owner"
APP = "relight_app"
SCHEMA = "relight"

# Advisory locks are numbers; these are the letters of "relight". Everybody who provisions on a server takes this one.
_LOCK_KEY = int.from_bytes(b"relight")
_LOCK_SECONDS_MAX = 60

_SETTINGS = {
    OWNER: {"search_path": SCHEMA},
    # A worker that was stopped in the middle of a batch must not keep its accounts locked.
    APP: {"search_path": SCHEMA, "idle_in_transaction_session_timeout": "30s"},
}
_POWERS = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication")


def provision(admin: str, *, database: str, passwords: Mapping[str, str] | None = None) -> None:
    """Make both roles, the database and the schema, as far as they are missing. May be run at once by several.

    `admin` is a connection string of a role that may create roles and databases, to any database of the server.
    `passwords` go only to roles that are made now; an existing role keeps its own.
    """
    try:
        with psycopg.connect(admin, autocommit=True, row_factory=dict_row) as connection:
            connection.execute(f"SET lock_timeout = '{_LOCK_SECONDS_MAX}s'")
            connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK_KEY])
            for role in (OWNER, APP):
                _make_role(connection, role, (passwords or {}).get(role))
            _let_admin_act_as_owner(connection)
            _make_database(connection, database)
            with psycopg.connect(make_conninfo(admin, dbname=database)) as inside:
                prepare_schema(inside)
    except psycopg.errors.InsufficientPrivilege as refused:
        raise UnableToUseDatabaseUrl(
            f"The role in DATABASE_URL may not prepare the database: {refused.diag.message_primary}.",
            remedy=f"Let an administrator run this once, and give both addresses: {by_hand(database)}",
        ) from refused


def prepare_schema(connection: Connection[Any]) -> None:
    """Make the schema, owned by `relight_owner`, and open it to `relight_app`. Tables come with the migrations.

    The caller's transaction holds a lock until it ends: two hosts that start at the same moment would otherwise both
    change the same rights, which PostgreSQL refuses to one of them.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [PREPARING])
    owner = connection.execute(
        "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = %s", [SCHEMA]
    ).fetchone()
    if owner is None:
        connection.execute(_with_names("CREATE SCHEMA {schema} AUTHORIZATION {owner}"))
    elif owner[0] != OWNER:
        raise UnableToUseDatabaseUrl(
            f"The schema {SCHEMA} belongs to {owner[0]}.",
            remedy=f"Let an administrator run: ALTER SCHEMA {SCHEMA} OWNER TO {OWNER};",
        )
    for statement in _OPEN_TO_APP:
        connection.execute(_with_names(statement))


PREPARING = 1919710051  # "rlsc": the advisory lock of whoever prepares the schema, or migrates in it

_OPEN_TO_APP = (
    "GRANT USAGE ON SCHEMA {schema} TO {app}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {app}",
)


def by_hand(database: str) -> str:
    """The statements an administrator runs where Relight may not, passwords left to fill in."""
    made = [f"CREATE ROLE {role} LOGIN PASSWORD '…'" for role in (OWNER, APP)]
    settings = [
        f"ALTER ROLE {role} SET {name} = '{value}'"
        for role, wanted in _SETTINGS.items()
        for name, value in wanted.items()
    ]
    schema = [f"GRANT CREATE ON DATABASE {database} TO {OWNER}"]
    return "; ".join([*made, *settings, *schema]) + ";"


def existing(connection: Connection[Any]) -> set[str]:
    """Which of the two roles the server has."""
    rows = connection.execute("SELECT rolname::text AS name FROM pg_roles WHERE rolname = ANY(%s)", [[OWNER, APP]])
    return {row["name"] if isinstance(row, dict) else row[0] for row in rows}


def has_tables(conninfo: str) -> bool:
    """Whether Relight's tables were ever made in that database; asked of the catalogue, which any role may read."""
    asked = (
        "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = 'django_migrations')"
    )
    with psycopg.connect(conninfo) as connection:
        found = connection.execute(asked, [SCHEMA]).fetchone()
    assert found is not None
    return bool(found[0])


def _make_role(connection: Connection[dict[str, Any]], role: str, password: str | None) -> None:
    found = connection.execute("SELECT * FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    name = sql.Identifier(role)
    if found is None:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name) + _password_clause(connection, role, password))
    elif not found["rolcanlogin"] or any(found[power] for power in _POWERS):
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION").format(name)
        )
    has = set((found or {}).get("rolconfig") or ())
    for setting, value in _SETTINGS[role].items():
        if f"{setting}={value}" not in has:
            statement = sql.SQL("ALTER ROLE {} SET {} = {}")
            connection.execute(statement.format(name, sql.Identifier(setting), sql.Literal(value)))


def _password_clause(connection: Connection[Any], role: str, password: str | None) -> sql.Composable:
    if password is None:
        return sql.SQL("")
    # The server gets only the verifier, so that no log of statements shows the password.
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    return sql.SQL(" PASSWORD {}").format(sql.Literal(verifier.decode()))


def _let_admin_act_as_owner(connection: Connection[dict[str, Any]]) -> None:
    """An administrator short of superuser may give things to a role only as its member, even when he made it."""
    row = connection.execute(
        "SELECT rolsuper, rolname::text AS name FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if row and not row["rolsuper"] and row["name"] != OWNER:
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))


def _make_database(connection: Connection[dict[str, Any]], database: str) -> None:
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
        statement = "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'"
        connection.execute(sql.SQL(statement).format(sql.Identifier(database), sql.Identifier(OWNER)))


def _with_names(statement: str) -> sql.Composed:
    names = {"schema": SCHEMA, "owner": OWNER, "app": APP}
    return sql.SQL(statement).format(**{key: sql.Identifier(name) for key, name in names.items()})
