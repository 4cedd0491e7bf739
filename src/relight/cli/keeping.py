"""`relight database`: the embedded PostgreSQL as a service of its own, beside web and workers."""

import click

from relight.cli.context import installation, refusals


@click.command("database")
@refusals
def keep_database() -> None:
    """Keep the embedded database up until this is ended, and start it again if it dies.

    Other commands start it themselves; as a service it outlives each of them. Not needed where DATABASE_URL is set.

    Example:  relight database
    """
    installation().keep_database(lambda: click.echo("The database is up. Ctrl-C ends it.", err=True))
