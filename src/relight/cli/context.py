"""What commands share: the installation, a partner by its slug, moments from the command line, and refusals as text."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar, cast

import click

from relight.cli.installation import Installation
from relight.core.moments import moment_of
from relight.flow.cases.errors import UnableTo
from relight.flow.database import AWAY, Database
from relight.telemetry import logs

F = TypeVar("F", bound=Callable[..., Any])

partner_option = click.option(
    "--partner", "partner_slug", metavar="SLUG", help="Which partner; the only one if left out."
)


def installation() -> Installation:
    """The installation that the command works on."""
    return cast(Installation, click.get_current_context().find_root().obj)


@contextmanager
def database(*, size_max: int = 8) -> Iterator[Database]:
    """The database, closed again at the end."""
    logs.ensure("relight")
    opened = installation().database(size_max=size_max)
    try:
        yield opened
    finally:
        opened.close()


def partner_id(db: Database, slug: str | None) -> int:
    """The partner of that slug, or the only one there is; refuses with the choice when there are several."""
    with db.transaction(None) as tx:
        found = dict(tx.rows("SELECT slug, id FROM partner ORDER BY slug"))
    if slug is not None:
        if slug not in found:
            raise click.UsageError(f"There is no partner {slug!r}. There are: {', '.join(found)}.")
        return found[slug]
    real = [name for name in found if name != "demo"]
    if len(real) == 1:
        return found[real[0]]
    raise click.UsageError(f"There are several partners: say which with --partner. There are: {', '.join(found)}.")


def moment(text: str) -> datetime:
    """An aware moment from the command line; a bare date is midnight UTC. Refuses what is neither."""
    try:
        return moment_of(text, UTC)
    except ValueError as wrong:
        raise click.BadParameter(f"{text!r} is no moment; write 2026-03-02 or 2026-03-02T09:00:00+01:00") from wrong


def refusals(command: F) -> F:
    """Refusals become one sentence and exit code 1; a traceback would help nobody."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except UnableTo as refused:
            raise click.ClickException(str(refused)) from refused
        except AWAY as away:
            text = str(away).strip().split("\n")[0]
            raise click.ClickException(f"The database does not answer: {text}. `relight doctor` tells more.") from away

    return cast(F, wrapped)
