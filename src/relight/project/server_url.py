"""Reads `DATABASE_URL` and `DATABASE_OWNER_URL`, and looks at who they let in and where."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row

from relight.project.binaries import MAJOR_MIN
from relight.project.errors import UnableToUseDatabaseUrl

_EXAMPLE = "postgresql://user:password@host:5432/relight"
_CONNECT_SECONDS_MAX = 5

_WHO = """
    SELECT current_user::text AS role, rolsuper OR rolcreaterole AS is_admin,
           current_setting('server_version_num')::int / 10000 AS major, current_setting('server_version') AS version
      FROM pg_roles WHERE rolname = current_user
"""


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """A database address that answered. `entrance` leads to a database that exists, `database` is the one wanted."""

    conninfo: str
    entrance: str
    server: str
    database: str
    role: str
    is_admin: bool


def look(given: str, *, variable: str) -> ServerUrl:
    """Parse the address in the environment's `variable`, connect, and tell who it is. Refuses what is older than 15."""
    parts = _parts(given, variable)
    conninfo = make_conninfo("", **parts)
    entrance, who = _enter(conninfo, variable)
    if who["major"] < MAJOR_MIN:
        raise UnableToUseDatabaseUrl(
            f"{variable} leads to PostgreSQL {who['version']}; Relight needs {MAJOR_MIN} or later.",
            remedy=f"Upgrade that server, or unset {variable} to run the PostgreSQL that comes with Relight.",
        )
    return ServerUrl(
        conninfo=conninfo,
        entrance=entrance,
        server=f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}",
        database=parts["dbname"],
        role=who["role"],
        is_admin=who["is_admin"],
    )


def as_role(url: ServerUrl, role: str, password: str | None) -> str:
    """The same database for another role, which has its own password or none."""
    parts = conninfo_to_dict(url.conninfo)
    parts.pop("password", None)
    return make_conninfo("", **{**parts, "user": role, **({"password": password} if password else {})})


def lets_in(conninfo: str) -> str | None:
    """None when the address works, else what the server said."""
    try:
        psycopg.connect(conninfo).close()
    except psycopg.OperationalError as refused:
        return _said(refused)
    return None


def _parts(given: str, variable: str) -> dict[str, str]:
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(given).items()}
    except psycopg.ProgrammingError:
        # What was given may hold a password: it is not repeated.
        raise UnableToUseDatabaseUrl(
            f"{variable} is not the address of a PostgreSQL database.", remedy=f"Write it as {_EXAMPLE}."
        ) from None
    return {"dbname": "relight", "connect_timeout": str(_CONNECT_SECONDS_MAX), **parts}


def _enter(conninfo: str, variable: str) -> tuple[str, dict[str, Any]]:
    """Connect; where the database does not exist yet, an administrator gets in by the one named postgres."""
    said = ""
    for entrance in (conninfo, make_conninfo(conninfo, dbname="postgres")):
        try:
            with psycopg.connect(entrance, row_factory=dict_row) as connection:
                if entrance == conninfo:
                    _must_hold_every_letter(connection.info, variable)
                who = connection.execute(_WHO).fetchone()
        except psycopg.OperationalError as refused:
            said = said or _said(refused)
            continue
        if who and (who["is_admin"] or entrance == conninfo):
            return entrance, who
    raise UnableToUseDatabaseUrl(
        f"{variable} does not let us in: {said}.", remedy="See that the server runs, and check host, name and password."
    )


def _must_hold_every_letter(into: psycopg.ConnectionInfo, variable: str) -> None:
    encoding = into.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise UnableToUseDatabaseUrl(
            f"{variable} leads to the database {into.dbname}, which keeps text as {encoding}; names need UTF8.",
            remedy="Name another, which Relight makes, or CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8';",
        )


def _said(refused: psycopg.OperationalError) -> str:
    """What is wrong, in one line, without the questions that libpq sets below it, each behind a tab."""
    lines = str(refused).strip().splitlines()
    return " ".join(line.strip() for line in lines if not line.startswith("\t")).rstrip(".")
