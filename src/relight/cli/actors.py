"""Who acts: a user with a role at the partner (`--as`), or the operator who runs the command. Never nobody."""

import getpass
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from relight.flow.cases.people import Person, member, operator
from relight.flow.database import Tx

F = TypeVar("F", bound=Callable[..., Any])

as_option = click.option("--as", "as_user", metavar="USER", help="The user who does it; with a role that allows it.")
by_option = click.option(
    "--by", default="", metavar="NAME", help="Who does it, where they are no user: for the record."
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def who(tx: Tx, as_user: str | None, by: str = "") -> Person:
    """The person who goes on record. Raises `UnableToFind` for a user who is none at this partner."""
    if as_user and by:
        raise click.UsageError("--as names a user and --by somebody who is none: give one of the two.")
    return member(tx, as_user) if as_user else operator(_account(), by)


def sure(question: str, *, yes: bool) -> None:
    """Ask on a terminal; elsewhere only `--yes` goes on."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException("Nobody is there to be asked. If that is what you want, add --yes.")
    click.confirm(question, abort=True)


def _account() -> str:
    """The host's account that runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
