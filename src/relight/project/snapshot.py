"""The tables as all migrations leave them, in one file: a fresh database gets them in a second.

Replaying every migration takes Django twenty times as long, since it draws each model anew at each step. Migrations
stay what is true: they run afterwards, so that a snapshot that is behind costs time and nothing else. `make schema`
writes it; a test holds it against a database that was made by migrations alone.
"""

import re
from importlib.resources import files
from typing import Any

import psycopg

FILE = "schema.ddl"
# What pg_dump says to psql alone, or of itself, and what differs between two runs of it.
_LEFT_OUT = re.compile(r"^(--.*|\\.*|SET .*|SELECT pg_catalog\.set_config.*|CREATE SCHEMA .*|)$")
_CLEAN = "ALTER DEFAULT PRIVILEGES IN SCHEMA relight REVOKE ALL ON {} FROM relight_app"


def is_fresh(connection: psycopg.Connection[Any]) -> bool:
    """Whether there is no table yet."""
    return connection.execute("SELECT FROM pg_tables WHERE schemaname = 'relight' LIMIT 1").fetchone() is None


def load(owner: str) -> bool:
    """Make the tables of a fresh database, as their owner; whether that was done. One transaction."""
    with psycopg.connect(owner, options="-c search_path=relight -c check_function_bodies=off") as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('relight snapshot'))")
        if not is_fresh(connection):
            return False
        for kind in (
            "TABLES",
            "SEQUENCES",
        ):  # rights are those of the file, which ends with the defaults for later ones
            connection.execute(_CLEAN.format(kind))
        connection.execute(files(__package__).joinpath(FILE).read_text("utf-8").encode())
    return True


def tidied(dump: str, applied: list[tuple[str, str]]) -> str:
    """What is kept of `pg_dump --schema-only`, functions whole, and the migrations that it stands for."""
    kept: list[str] = []
    inside = False
    for line in dump.splitlines():
        inside ^= line.count("$$") % 2 == 1
        if inside or not _LEFT_OUT.match(line):
            kept.append(line)
    rows = ",\n".join(f"('{app}', '{name}', '2026-01-01T00:00:00Z')" for app, name in applied)
    return "\n".join([*kept, f"INSERT INTO relight.django_migrations (app, name, applied) VALUES\n{rows};", ""])
