"""Write `src/relight/project/schema.ddl` anew from the migrations; `make schema` runs it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from relight.project import roles, snapshot
from tests.counterparts import postgres

FILE = Path(snapshot.__file__).with_name(snapshot.FILE)
_APPLIED = "SELECT app, name FROM relight.django_migrations ORDER BY id"


@contextmanager
def fresh() -> Iterator[postgres.Postgres]:
    """A server with the roles, the database and its empty schema."""
    with postgres.running() as server:
        roles.provision(server.url(), database="relight")
        yield server


def owner_of(server: postgres.Postgres) -> str:
    """The address of the role that owns the tables."""
    return server.url(roles.OWNER, "relight")


def migrate(server: postgres.Postgres) -> str:
    """Apply the migrations that are not yet; which they were, as Django tells it."""
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "relight.project.settings", "RELIGHT_SECRET_KEY": "only for this",
        "RELIGHT_OWNER_DATABASE": owner_of(server), "RELIGHT_APP_DATABASE": server.url(roles.APP, "relight"),
    }  # fmt: skip
    command = [sys.executable, "-m", "django", "migrate", "--database", "owner", "--verbosity", "1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tables(server: postgres.Postgres) -> str:
    """All that the schema holds, and the migrations that it stands for, as the snapshot has it."""
    words = ["--schema=relight", "--schema-only", "--no-owner", "--no-comments", make_conninfo(owner_of(server))]
    done = subprocess.run([postgres.PROGRAMS / "pg_dump", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(owner_of(server)) as connection:
        return snapshot.tidied(done.stdout, connection.execute(_APPLIED).fetchall())


if __name__ == "__main__":
    with fresh() as made:
        migrate(made)
        FILE.write_text(tables(made), "utf-8")
    print(f"{FILE.name}: {len(FILE.read_text('utf-8').splitlines())} lines")
