"""`relight doctor`: what is right and what is not, with the remedy; and `relight migrate`."""

import dataclasses
from typing import Any, cast

import click

from relight.cli.context import database, installation
from relight.cli.output import answer, json_option
from relight.cli.rates import missing_rates


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Look at everything that Relight stands on, and say what to do about what is wrong.

    Example:  relight doctor
    """
    checks = list(installation().checks())
    if all(check.ok for check in checks):
        with database() as db:
            checks += missing_rates(db)
    lines = []
    for check in checks:
        lines.append(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.found}")
        if not check.ok and check.remedy:
            lines.append(f"      {check.remedy}")
    ok = all(check.ok for check in checks)
    result = {"ok": ok, "checks": [dataclasses.asdict(cast(Any, check)) for check in checks]}
    answer(result, as_json=as_json, text="\n".join(lines))
    if not ok:
        raise SystemExit(1)


@click.command()
def migrate() -> None:
    """Bring the tables up to date; other commands do it by themselves when they need it.

    Example:  relight migrate
    """
    installation().migrate()
    click.echo("The tables are up to date.")
