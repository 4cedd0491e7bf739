"""What commands print: sentences for people, and with --json one object on the last line for scripts."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")


def tell(text: str = "") -> None:
    """A sentence for people; on standard error when it is not an answer but news of what goes on."""
    click.echo(text)


def news(text: str) -> None:
    """What goes on, for whoever watches; never in the way of the answer."""
    click.echo(text, err=True)


def answer(result: Mapping[str, Any], *, as_json: bool, text: str) -> None:
    """The answer: in words, and with --json as one line at the end."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, default=str))
    else:
        click.echo(text)


class Progress:
    """A counter that rewrites its line on a terminal, and speaks up now and then elsewhere."""

    def __init__(self, what: str, *, every: int = 50_000):
        self.what, self.every, self._told = what, every, 0

    def __call__(self, done: int) -> None:
        """So many are done."""
        if sys.stderr.isatty():
            click.echo(f"\r{self.what}: {done:,}", nl=False, err=True)
        elif done - self._told >= self.every:
            self._told = done
            click.echo(f"{self.what}: {done:,}", err=True)

    def end(self) -> None:
        """Leave the line."""
        if sys.stderr.isatty():
            click.echo("", err=True)
