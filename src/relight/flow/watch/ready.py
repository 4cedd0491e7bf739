"""Whether the database can be reached: asked with a connection of its own, and without waiting for long."""

import psycopg

_WITHIN_SECONDS = 2


class NoDatabase(Exception):
    """There is no database to work on; the text says why, and what to do."""


def away(conninfo: str) -> str:
    """Why the database does not answer, as the kind of its error; empty when it does. Takes at most some seconds."""
    try:
        with psycopg.connect(
            conninfo,
            connect_timeout=_WITHIN_SECONDS,
            options=f"-c statement_timeout={_WITHIN_SECONDS}s",
            application_name="relight-ready",
        ) as connection:
            connection.execute("SELECT")
    except psycopg.Error as error:
        return type(error).__name__
    return ""
