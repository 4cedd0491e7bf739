"""What tests of the books arrange: people with their roles, creditors, and the commands that they run."""

from collections.abc import Callable

import psycopg
from click.testing import CliRunner, Result

from relight.cli.main import relight
from relight.flow.cases.people import Person
from relight.flow.database import Database

BENTE = Person("bente", "manager")
OLE = Person("ole", "manager")
AGENT = Person("ingrid", "agent")

Books = Callable[..., Result]


class Connected:
    """As much of an installation as the commands ask for."""

    def __init__(self, conninfo: str):
        self.conninfo = conninfo

    def database(self, *, size_max: int = 8) -> Database:
        """The test's database."""
        return Database(self.conninfo, size_max=size_max, name="relight-books").open()


def add_person(owner: psycopg.Connection, partner: int, role: str) -> str:
    """A user with a role at a partner; the name."""
    name = f"{role}-of-{partner}"  # another form than add_user's, for both write to one database
    owner.execute(
        "WITH made AS (INSERT INTO auth_user (username, password, is_superuser, first_name, last_name, email, is_staff,"
        " is_active, date_joined) VALUES (%(name)s, '', false, '', '', '', false, true, '2026-01-01Z') RETURNING id)"
        " INSERT INTO membership (partner_id, user_id, role) SELECT %(partner)s, id, %(role)s FROM made",
        {"name": name, "partner": partner, "role": role},
    )
    return name


def add_creditor(owner: psycopg.Connection, partner: int, name: str) -> int:
    """One more creditor of a partner; its id."""
    row = owner.execute(
        "INSERT INTO creditor (partner_id, name) VALUES (%s, %s) RETURNING id", (partner, name)
    ).fetchone()
    assert row is not None
    return row[0]


def books_of(owner: psycopg.Connection, urls: dict[str, str], partner: int) -> Books:
    """Runs `relight books …` for a partner."""
    slug = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone()
    assert slug is not None

    def run(*words: object) -> Result:
        arguments = ["books", *map(str, words), "--partner", slug[0]]
        return CliRunner().invoke(relight, arguments, obj=Connected(urls["app"]), catch_exceptions=False)

    return run
