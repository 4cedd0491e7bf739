"""Starting up: find or make the database, its tables, the installation's secret and a first partner.

The first command that needs it does all of it; later ones find everything in place and lose a few milliseconds.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

import psycopg

from relight.flow.database import Database
from relight.project import connect, credentials, paths, roles, snapshot
from relight.project.backup import places
from relight.project.locks import exclusive

SETTINGS = "relight.project.settings"
_MIGRATE_WAIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Started:
    """A running installation: addresses of the database for the two roles."""

    owner: str
    app: str
    is_embedded: bool


@cache
def start() -> Started:
    """Everything in place. Raises `UnableToProvideDatabase` with a remedy. Children inherit it by environment."""
    # One after another from the first grant on: granting beside somebody who makes tables ended in a deadlock.
    with exclusive(paths.home() / "migrate.lock", wait_seconds=_MIGRATE_WAIT_SECONDS):
        urls = connect.resolve()
        os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
        os.environ["RELIGHT_APP_DATABASE"], os.environ["RELIGHT_OWNER_DATABASE"] = urls.app, urls.owner
        os.environ.setdefault("RELIGHT_SECRET_KEY", credentials.secret(paths.home()))
        os.environ.update(places.for_alarms(paths.home(), credentials.begun(paths.home()), os.environ))
        _prepare(urls.owner)
    return Started(urls.owner, urls.app, urls.is_embedded)


def _prepare(owner: str) -> None:
    """Tables up to date, and a first partner. Of hosts that start at once on one database one goes after another.

    The lock goes with the connection, however its process ends.
    """
    with psycopg.connect(owner, autocommit=True) as gate:
        gate.execute("SELECT pg_advisory_lock(%s)", [roles.PREPARING])
        if not is_current(owner):
            migrate(owner)
        _first_partner(owner)


def open_database(*, size_max: int = 8) -> Database:
    """The database as the role that runs in production."""
    return Database(start().app, size_max=size_max).open()


def is_current(owner: str) -> bool:
    """Whether every migration of ours has been applied."""
    with psycopg.connect(owner, options="-c search_path=relight") as connection:
        table = connection.execute("SELECT to_regclass('relight.django_migrations')").fetchone()
        if table is None or table[0] is None:
            return False
        applied = set(connection.execute("SELECT app, name FROM django_migrations").fetchall())
    return _ours() <= applied


def migrate(owner: str) -> None:
    """Bring the tables up to date, as their owner, whose address Django has by the environment."""
    import django
    from django.core.management import call_command

    snapshot.load(owner)
    django.setup()
    call_command("migrate", database="owner", verbosity=0, interactive=False)


def _ours() -> set[tuple[str, str]]:
    """Every migration, by the label of its app: the folders tell, since Django is not up yet."""
    rooms = (entry for house in ("relight.flow", "relight.web") for entry in files(house).iterdir())
    stages = [entry for entry in rooms if entry.joinpath("migrations").is_dir()]
    return {
        (f"relight_{stage.name}", entry.name.removesuffix(".py"))
        for stage in stages
        for entry in stage.joinpath("migrations").iterdir()
        if entry.name.endswith(".py") and entry.name[0].isdigit()
    }


def _first_partner(owner: str) -> None:
    """A fresh installation has one partner, in shadow: nothing leaves until somebody says so."""
    now = datetime.now(UTC)
    with psycopg.connect(owner, options="-c search_path=relight") as connection:
        if connection.execute("SELECT 1 FROM partner LIMIT 1").fetchone():
            return
        found = connection.execute(
            "INSERT INTO partner (slug, name, country, currency, language, time_zone, created_at)"
            " VALUES ('default', 'Default', 'NO', 'NOK', 'nb', 'Europe/Oslo', %s) RETURNING id",
            (now,),
        ).fetchone()
        assert found is not None
        connection.execute(
            "INSERT INTO creditor (partner_id, name) VALUES (%(id)s, 'Default');",
            {"id": found[0]},
        )
        connection.execute(
            "INSERT INTO brand (partner_id, name, sms_sender, email_sender)"
            " VALUES (%(id)s, 'Default', 'Relight', 'no-reply@relight.invalid')",
            {"id": found[0]},
        )
        connection.execute(
            "INSERT INTO source (partner_id, name, kind) VALUES (%(id)s, 'bank', 'bank')", {"id": found[0]}
        )
