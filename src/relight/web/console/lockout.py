"""The sign-in's brake: five wrong passwords within fifteen minutes, and the name rests for fifteen.

Kept in the database, so that it holds over all web processes and hosts. Names that do not exist are braked alike:
nothing tells who has an account here.
"""

from datetime import datetime, timedelta

from django.db import connection

FAILURES_MAX = 5
REST = timedelta(minutes=15)


def rests_until(login: str, now: datetime) -> datetime | None:
    """Until when nobody may try this name; None when it may be tried now.

    Takes the name's lock until the end of the transaction: attempts at the same time are counted one by one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('sign-in ' || %s, 0))", [login])
        cursor.execute(
            "SELECT at FROM sign_in_failure WHERE login = %s AND at > %s ORDER BY at DESC LIMIT %s",
            [login, now - REST, FAILURES_MAX],
        )
        failures = [row[0] for row in cursor.fetchall()]
    return failures[0] + REST if len(failures) >= FAILURES_MAX else None


def note_failure(login: str, address: str, now: datetime) -> None:
    """A wrong password was typed; forgets what is older than a day."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sign_in_failure WHERE at < %s", [now - timedelta(days=1)])
        cursor.execute("INSERT INTO sign_in_failure (login, at, address) VALUES (%s, %s, %s)", [login, now, address])


def forget(login: str) -> None:
    """The right password was typed."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sign_in_failure WHERE login = %s", [login])
